package redemption_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5" //nolint:gosec // the provider's protocol
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/oauth/redemption"
	"mooring/internal/secret"
)

const (
	business = "canary-business-1"
	merchant = "canary-merchant-1"
	key      = "canary-md5-key-1"
	openID   = "074a1CcTG1LelxKe4xQC0zgNdId0nxi9"
	authURL  = "https://render.alipay.com/p/s/auth?x=1&y=2"
)

// pairs are the two parties' keys.
type pairs struct{ merchant, platform, foreign *rsa.PrivateKey }

var keys = sync.OnceValue(func() pairs {
	make := func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return k
	}
	return pairs{make(), make(), make()}
})

func privatePEM(k *rsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func publicPEM(k *rsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// weak and curve are keys that nobody may sign with here.
func weak(t testing.TB) string {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // it is to be refused
	if err != nil {
		t.Fatal(err)
	}
	return privatePEM(k)
}

func curve(t testing.TB) string {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func withRSA() oauth.Values {
	return values("business_id", business, "merchant_id", merchant, "sign_type", "SHA256-RSA", "private_key", privatePEM(keys().merchant))
}

func withMD5() oauth.Values {
	return values("business_id", business, "merchant_id", merchant, "sign_type", "MD5", "md5_key", key)
}

func values(pairs ...string) oauth.Values {
	v := oauth.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v[pairs[i]] = secret.New(pairs[i+1])
	}
	return v
}

// but gives the values with some changed; an empty one is left out.
func but(v oauth.Values, pairs ...string) oauth.Values {
	v = maps.Clone(v)
	for name, value := range values(pairs...) {
		if v[name] = value; value.IsEmpty() {
			delete(v, name)
		}
	}
	return v
}

// signRSA and signMD5 are the document's two algorithms once more, by another hand.
func signRSA(k *rsa.PrivateKey, text string) string {
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}

func signMD5(key, text string) string {
	sum := md5.Sum([]byte(text + key)) //nolint:gosec // the provider's protocol
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// desk answers in the provider's place and remembers requests, with their bodies.
type desk struct {
	mu     sync.Mutex
	seen   []*http.Request
	bodies []string
	serve  map[string]http.HandlerFunc
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	d.mu.Lock()
	d.seen, d.bodies = append(d.seen, r), append(d.bodies, string(body))
	handler := d.serve[r.URL.Path]
	d.mu.Unlock()
	if handler == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	handler(w, r)
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if w.Header().Get("Date") == "" {
			w.Header()["Date"] = nil // the true one would be months from the suite's
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func linkAnswer(status any, message, link string) string {
	text, err := json.Marshal(map[string]any{"status": status, "message": message, "data": map[string]any{"alipayAuthUrl": link}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

const balanceAnswer = `{"status":0,"message":"success","data":{"merchantId":"` + merchant + `","businessId":"` + business + `","creditLine":5000.00,"amount":164.50}}`

func usual() *desk {
	return &desk{serve: map[string]http.HandlerFunc{
		"/v1/openapi/auth/alipay/url":           says(200, linkAnswer(0, "成功", authURL)),
		"/v1/openapi/merchant/business/balance": says(200, balanceAnswer),
	}}
}

func linkDesk(status int, body string) *desk {
	d := usual()
	d.serve["/v1/openapi/auth/alipay/url"] = says(status, body)
	return d
}

func balanceDesk(status int, body string) *desk {
	d := usual()
	d.serve["/v1/openapi/merchant/business/balance"] = says(status, body)
	return d
}

// open makes the provider with h in the provider's place.
func open(t testing.TB, h http.Handler, settings ...string) *redemption.Provider {
	t.Helper()
	base, caller := oauthtest.Serve(t, "redemption", h, oauthtest.Now)
	all := oauth.Settings{"BASE_URL": secret.New(base + "/"), "PLATFORM_PUBLIC_KEY": secret.New(publicPEM(keys().platform))}
	maps.Copy(all, oauth.Settings(values(settings...)))
	p, err := redemption.Factory().New(oauth.Config{
		Settings: all, Environment: oauth.Test, Caller: caller, Now: oauthtest.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.(*redemption.Provider)
}

func departure() oauth.Departure {
	return oauth.Departure{RedirectURI: "https://app.example/webhooks/redemption/t-1?x=1&y=2", Subject: "subject-1"}
}

// call is a callback in the making: what it says and what is done to it.
type call struct {
	body      string
	business  string
	nonce     string
	timestamp string
	signType  string
}

// callback makes the one that answers a link.
func callback(link oauth.Link) *call {
	return &call{
		body:     fmt.Sprintf(`{"serialNo": %q, "openId":%q,"userId":"subject-1","note":"<&>"}`, link.Serial, openID),
		business: business, nonce: "n-1", timestamp: strconv.FormatInt(oauthtest.Now().UnixMilli(), 10), signType: "SHA256-RSA",
	}
}

func (c *call) text() string {
	text := "businessId=" + c.business + "&nonce=" + c.nonce
	if c.signType != "" {
		text += "&signType=" + c.signType
	}
	return text + "&timestamp=" + c.timestamp + c.body
}

// signed gives body and headers as net/http would have received them.
func (c *call) signed(sign string) (body []byte, header http.Header) {
	h := http.Header{}
	for name, value := range map[string]string{"businessId": c.business, "nonce": c.nonce, "timestamp": c.timestamp, "signType": c.signType, "sign": sign} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return []byte(c.body), h
}

func (c *call) rsa() ([]byte, http.Header) { return c.signed(signRSA(keys().platform, c.text())) }

func (c *call) md5() ([]byte, http.Header) {
	c.signType = "MD5"
	return c.signed(signMD5(key, c.text()))
}

func wantCode(t testing.TB, what string, err error, want string) {
	t.Helper()
	if e, ok := err.(*oauth.Error); !ok || e.Code != want { //nolint:errorlint // the type itself is the contract
		t.Errorf("%s: %v, want code %q", what, err, want)
	}
}

func one(d *desk) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.seen) == 1 && len(slices.Compact(d.bodies)) == 1
}
