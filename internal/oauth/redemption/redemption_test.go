package redemption_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/oauth/redemption"
	"mooring/internal/outbound"
	"mooring/internal/secret"
)

func TestConformance(t *testing.T) {
	for name, tc := range map[string]struct {
		values   oauth.Values
		settings map[string]string
		callback func(*call) ([]byte, http.Header)
	}{
		"by RSA": {withRSA(), nil, (*call).rsa},
		"by MD5": {withMD5(), map[string]string{"ALSO_SEND_THIRD_ACCOUNT": "true", "FORCE_HTTP1": "false", "ACCEPT_SUCCESS_MESSAGE": "false"}, (*call).md5},
	} {
		t.Run(name, func(t *testing.T) {
			oauthtest.Run(t, oauthtest.Subject{
				Factory: redemption.Factory(),
				Settings: func(base string) map[string]string {
					all := map[string]string{"BASE_URL": base, "PLATFORM_PUBLIC_KEY": publicPEM(keys().platform)}
					for k, v := range tc.settings {
						all[k] = v
					}
					return all
				},
				Well: usual(), Values: tc.values,
				Callback: func(link oauth.Link) ([]byte, http.Header) { return tc.callback(callback(link)) },
				Refusal:  `{"status":1,"message":"canary-prose","data":{"alipayAuthUrl":"` + authURL + `","amount":1}}`,
				NoToken:  linkAnswer(0, "success", ""),
				Secrets:  []string{"canary-prose", openID, "alipay.com"},
			})
		})
	}
}

func TestNewRefusesWhatItCannotUse(t *testing.T) {
	good := func() oauth.Settings {
		return oauth.Settings{"BASE_URL": secret.New("https://open.example"), "PLATFORM_PUBLIC_KEY": secret.New(publicPEM(keys().platform))}
	}
	if _, err := redemption.Factory().New(oauth.Config{Settings: good()}); err != nil {
		t.Fatal(err)
	}
	for name, list := range map[string][]string{
		"BASE_URL":                {"", "ftp://x", "https://x/?a=b", "https://u@x"},
		"PLATFORM_PUBLIC_KEY":     {"", "x", "AAAA", privatePEM(keys().merchant)},
		"AUTH_URL_HOSTS":          {",", "com", "alipay.com,", "https://alipay.com/x", "*.alipay.com", "alipay..com", "javascript:x"},
		"FORCE_HTTP1":             {"perhaps"},
		"ACCEPT_SUCCESS_MESSAGE":  {"si"},
		"ALSO_SEND_THIRD_ACCOUNT": {"2"},
		"CALLBACK_MAX_AGE":        {"a day"},
	} {
		for _, value := range list {
			s := good()
			s[name] = secret.New(value)
			if _, err := redemption.Factory().New(oauth.Config{Settings: s}); err == nil {
				t.Errorf("%s=%q was taken", name, value)
			}
		}
	}
	s := good()
	s["AUTH_URL_HOSTS"] = secret.New("http://localhost:8101")
	if _, err := redemption.Factory().New(oauth.Config{Settings: s, Environment: oauth.Live}); err == nil {
		t.Error("links over plain http were taken in the live environment")
	}
	if _, err := redemption.Factory().New(oauth.Config{Settings: s, Environment: oauth.Test}); err != nil {
		t.Error(err)
	}
}

// The documents' own arithmetic, by dummy values.
func TestVectors(t *testing.T) {
	const body = `{"merchantId":"m1","businessId":"b1","serialNo":"s1","userId":"u1","callbackUrl":"https://app.example/cb?x=1&y=2"}`
	written, err := redemption.EncodeLink("m1", "b1", "s1", "u1", "", "https://app.example/cb?x=1&y=2")
	if err != nil || written != body {
		t.Errorf("written as %s, %v", written, err)
	}
	for signType, want := range map[string][2]string{
		"MD5": {"businessId=b1&nonce=n1&signType=MD5&timestamp=1628772138668" + body, "9A739058501785E76673D1C35B0D4956"},
		"":    {"businessId=b1&nonce=n1&timestamp=1628772138668" + body, "BD214EA8F9DDEFF9026D3F2BF850BBBC"},
	} {
		if text, sign := redemption.SignMD5("b1", "n1", signType, "1628772138668", body, "key_1"); text != want[0] || sign != want[1] {
			t.Errorf("signType %q: %s of %s", signType, sign, text)
		}
	}
	withAccount, err := redemption.EncodeLink("m", "b", "s", "u", "u", "c")
	if err != nil || withAccount != `{"merchantId":"m","businessId":"b","serialNo":"s","userId":"u","thirdAccount":"u","callbackUrl":"c"}` {
		t.Errorf("%s, %v", withAccount, err)
	}
}

// wire takes one request apart as it comes over the wire, letters and bytes.
func wire(t *testing.T, v oauth.Values) (header map[string]string, body string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	seen := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		all := make([]byte, 64<<10)
		n := 0
		for whole := false; !whole; whole = strings.Contains(string(all[:n]), "\r\n\r\n{") && strings.HasSuffix(string(all[:n]), "}") {
			m, err := conn.Read(all[n:])
			if n += m; err != nil {
				break
			}
		}
		seen <- string(all[:n])
		answer := linkAnswer(0, "success", authURL)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"+answer)
	}()
	allow, err := outbound.ParseAllowlist([]string{l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	p, err := redemption.Factory().New(oauth.Config{
		Settings: oauth.Settings{"BASE_URL": secret.New("http://" + l.Addr().String()), "PLATFORM_PUBLIC_KEY": secret.New(publicPEM(keys().platform))},
		Caller:   outbound.New(outbound.Options{Name: "redemption", Allow: allow}), Now: oauthtest.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.(oauth.LinkFlow).Link(t.Context(), departure(), v); err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(<-seen, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	if lines[0] != "POST /v1/openapi/auth/alipay/url HTTP/1.1" {
		t.Errorf("request line %q", lines[0])
	}
	header = map[string]string{}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		header[name] = value
	}
	return header, body
}

func TestRequestOnTheWire(t *testing.T) {
	for signType, v := range map[string]oauth.Values{"SHA256-RSA": withRSA(), "MD5": withMD5()} {
		h, body := wire(t, v)
		text := "businessId=" + business + "&nonce=" + h["nonce"] + "&signType=" + signType + "&timestamp=" + h["timestamp"] + body
		if h["businessId"] != business || h["signType"] != signType || h["timestamp"] != "1772424000000" || len(h["nonce"]) < 20 {
			t.Errorf("headers %v", h)
		}
		if h["Content-Type"] != "application/json; charset=utf-8" || h["Accept"] != "application/json" {
			t.Errorf("headers %v", h)
		}
		if signType == "MD5" && h["sign"] != signMD5(key, text) {
			t.Errorf("sign %s over %s", h["sign"], text)
		}
		if signType == "SHA256-RSA" {
			signature, err := base64.StdEncoding.DecodeString(h["sign"])
			sum := sha256.Sum256([]byte(text))
			if err != nil || rsa.VerifyPKCS1v15(&keys().merchant.PublicKey, crypto.SHA256, sum[:], signature) != nil {
				t.Errorf("sign %s over %s", h["sign"], text)
			}
		}
		want := regexp.MustCompile(`^\{"merchantId":"canary-merchant-1","businessId":"canary-business-1","serialNo":"[A-Z2-7]{26}","userId":"subject-1","callbackUrl":"https://app\.example/webhooks/redemption/t-1\?x=1&y=2"\}$`)
		if !want.MatchString(body) {
			t.Errorf("body %s", body)
		}
	}
}

func TestNoncesAndSerialsAreNeverUsedTwice(t *testing.T) {
	d := usual()
	p := open(t, d)
	seen := map[string]bool{}
	for range 20 {
		link, err := p.Link(t.Context(), departure(), withMD5())
		if err != nil {
			t.Fatal(err)
		}
		seen[link.Serial] = true
	}
	for i, r := range d.seen {
		seen[r.Header.Get("nonce")] = true
		var body struct{ SerialNo, UserID string }
		if err := json.Unmarshal([]byte(d.bodies[i]), &body); err != nil || body.UserID != "subject-1" {
			t.Errorf("%s: %v", d.bodies[i], err)
		}
	}
	if len(seen) != 40 {
		t.Errorf("%d different numbers, want 40", len(seen))
	}
}

func TestFormValues(t *testing.T) {
	der, err := x509.MarshalPKCS8PrivateKey(keys().merchant)
	if err != nil {
		t.Fatal(err)
	}
	std, old := base64.StdEncoding.EncodeToString(der), base64.RawURLEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(keys().merchant))
	for name, text := range map[string]string{
		"PEM": privatePEM(keys().merchant), "Base64": std, "Base64 in lines": std[:64] + "\r\n " + std[64:], "the other alphabet, PKCS #1": old,
		"PEM with space around": "\n  " + privatePEM(keys().merchant) + "\n\n",
	} {
		if _, err := open(t, usual()).Link(t.Context(), departure(), but(withRSA(), "private_key", text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := open(t, usual()).Link(t.Context(), departure(), but(withRSA(), "sign_type", "")); err != nil {
		t.Errorf("SHA256-RSA is the default: %v", err)
	}
	for name, tc := range map[string]struct {
		values oauth.Values
		field  string
	}{
		"no business":          {but(withMD5(), "business_id", ""), "business_id"},
		"a business of two":    {but(withMD5(), "business_id", "b1&nonce=x"), "business_id"},
		"a business in lines":  {but(withMD5(), "business_id", "b\r\nX: y"), "business_id"},
		"no merchant":          {but(withMD5(), "merchant_id", ""), "merchant_id"},
		"another algorithm":    {but(withMD5(), "sign_type", "md5"), "sign_type"},
		"MD5 without key":      {but(withMD5(), "md5_key", ""), "md5_key"},
		"MD5 with the other":   {but(withRSA(), "sign_type", "MD5"), "md5_key"},
		"RSA without key":      {but(withRSA(), "private_key", ""), "private_key"},
		"RSA with the other":   {but(withMD5(), "sign_type", "SHA256-RSA"), "private_key"},
		"RSA with the public":  {but(withRSA(), "private_key", publicPEM(keys().merchant)), "private_key"},
		"RSA with half a key":  {but(withRSA(), "private_key", std[:len(std)/2]), "private_key"},
		"RSA with two keys":    {but(withRSA(), "private_key", privatePEM(keys().merchant)+privatePEM(keys().foreign)), "private_key"},
		"RSA with a weak key":  {but(withRSA(), "private_key", weak(t)), "private_key"},
		"RSA with a curve key": {but(withRSA(), "private_key", curve(t)), "private_key"},
	} {
		d := usual()
		_, err := open(t, d).Link(t.Context(), departure(), tc.values)
		oauthtest.WantKind(t, name, err, oauth.BadRequest)
		wantCode(t, name, err, tc.field)
		if _, ok := redemption.Factory().Describe().Explain(oauth.BadRequest, tc.field); !ok {
			t.Errorf("%s is not explained", tc.field)
		}
		if len(d.seen) != 0 {
			t.Errorf("%s: something was sent", name)
		}
	}
}

// Only the key that is used is kept.
func TestOnlyWhatIsNeededIsKept(t *testing.T) {
	both := but(withMD5(), "private_key", privatePEM(keys().merchant), "other", "x")
	for signType, want := range map[string][]string{
		"MD5":        {"business_id", "md5_key", "merchant_id", "serial_no", "sign_type", "user_id"},
		"SHA256-RSA": {"business_id", "merchant_id", "private_key", "serial_no", "sign_type", "user_id"},
	} {
		link, err := open(t, usual()).Link(t.Context(), departure(), but(both, "sign_type", signType))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for name := range link.Kept {
			names = append(names, name)
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("%s keeps %v", signType, names)
		}
	}
}
