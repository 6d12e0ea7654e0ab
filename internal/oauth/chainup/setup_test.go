package chainup_test

import (
	"crypto"
	"crypto/md5" //nolint:gosec // the protocol's
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/oauth/chainup"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

const (
	appID        = "app_1"
	code         = "canary-code-1"
	accessToken  = "canary-access-1"
	refreshToken = "canary-refresh-1"

	tokenPath   = "/platformapi/chainup/open/auth/token"
	refreshPath = "/platformapi/chainup/open/auth/refreshToken"
	balancePath = "/platformapi/chainup/open/user/accountBalance"
	uidPath     = "/platformapi/chainup/open/user/user_superior"
	userPath    = "/platformapi/chainup/open/user/inquire_user"
)

// pairs are the app's keys and the exchange's, and a stranger's.
type pairs struct{ app, exchange, stranger *rsa.PrivateKey }

var keyring = sync.OnceValue(func() pairs {
	var made [3]*rsa.PrivateKey
	for i := range made {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		made[i] = key
	}
	return pairs{made[0], made[1], made[2]}
})

func privateDER(key *rsa.PrivateKey) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return der
}

func publicDER(key *rsa.PrivateKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	return der
}

func fixture(t testing.TB, name string) string {
	t.Helper()
	return strings.TrimSuffix(oauthtest.Fixture(t, name), "\n")
}

// sealWith writes an envelope by the documents, without looking at the package's own way.
func sealWith(to *rsa.PublicKey, from *rsa.PrivateKey, plain string) (data, sign string) {
	var cipher []byte
	for rest := []byte(plain); len(rest) > 0; {
		n := min(245, len(rest))
		block, err := rsa.EncryptPKCS1v15(rand.Reader, to, rest[:n]) //nolint:staticcheck // the protocol's
		if err != nil {
			panic(err)
		}
		cipher, rest = append(cipher, block...), rest[n:]
	}
	return base64.RawURLEncoding.EncodeToString(cipher), signWith(from, plain)
}

func signWith(from *rsa.PrivateKey, plain string) string {
	sum := md5.Sum([]byte(plain)) //nolint:gosec // the protocol's
	digest := sha256.Sum256([]byte(hex.EncodeToString(sum[:])))
	signature, err := rsa.SignPKCS1v15(rand.Reader, from, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(signature)
}

// answer is the exchange's whole answer; code goes in as it stands.
func answer(code, plain string) string {
	data, sign := sealWith(&keyring().app.PublicKey, keyring().exchange, plain)
	return `{"code":` + code + `,"msg":"suc","data":"` + data + `","sign":"` + sign + `"}`
}

// asked is one request as the exchange understood it.
type asked struct {
	path   string
	header http.Header
	body   string
	plain  string // P
	sign   []byte
	fields map[string]json.RawMessage
}

// desk answers in the exchange's place and remembers what it was asked. It answers nothing that it cannot open.
type desk struct {
	t     testing.TB
	mu    sync.Mutex
	seen  []asked
	serve map[string]http.HandlerFunc
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	a := asked{path: r.URL.Path, header: r.Header, body: string(body)}
	if !d.read(&a) || r.Method != http.MethodPost {
		d.t.Errorf("%s %s: the envelope does not hold: %.80s", r.Method, r.URL.Path, body)
	}
	d.mu.Lock()
	d.seen = append(d.seen, a)
	handler := d.serve[r.URL.Path]
	d.mu.Unlock()
	if handler == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	handler(w, r)
}

func (d *desk) read(a *asked) bool {
	if json.Unmarshal([]byte(a.body), &a.fields) != nil {
		return false
	}
	var data, sign string
	if json.Unmarshal(a.fields["data"], &data) != nil || json.Unmarshal(a.fields["sign"], &sign) != nil {
		return false
	}
	cipher, err := base64.RawURLEncoding.DecodeString(data)
	if err != nil || len(cipher)%256 != 0 {
		return false
	}
	for ; len(cipher) > 0; cipher = cipher[256:] {
		part, err := rsa.DecryptPKCS1v15(nil, keyring().exchange, cipher[:256]) //nolint:staticcheck // the protocol's
		if err != nil {
			return false
		}
		a.plain += string(part)
	}
	a.sign, err = base64.RawURLEncoding.DecodeString(sign)
	sum := md5.Sum([]byte(a.plain)) //nolint:gosec // the protocol's
	return err == nil && signed(a.sign, hex.EncodeToString(sum[:]))
}

// signed says whether the app signed the message.
func signed(signature []byte, message string) bool {
	digest := sha256.Sum256([]byte(message))
	return rsa.VerifyPKCS1v15(&keyring().app.PublicKey, crypto.SHA256, digest[:], signature) == nil
}

// paths lists what was asked for, in order.
func (d *desk) paths() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for _, a := range d.seen {
		list = append(list, strings.TrimPrefix(a.path, "/platformapi/chainup/open"))
	}
	return list
}

// usual is an exchange with one user, open_1.
func usual(t testing.TB) *desk {
	t.Helper()
	return &desk{t: t, serve: map[string]http.HandlerFunc{
		tokenPath:   oauthtest.Says(200, answer(`"0"`, fixture(t, "token.json"))),
		refreshPath: oauthtest.Says(200, answer(`0`, fixture(t, "refreshed.json"))),
		balancePath: oauthtest.Says(200, answer(`"0"`, fixture(t, "balance.json"))),
		uidPath:     oauthtest.Says(200, answer(`"0"`, fixture(t, "superior.json"))),
		userPath:    oauthtest.Says(200, answer(`200`, fixture(t, "user.json"))),
	}}
}

func settings(base string) map[string]string {
	return map[string]string{
		"BASE_URL": base, "APP_ID": appID,
		"PRIVATE_KEY":         base64.StdEncoding.EncodeToString(privateDER(keyring().app)),
		"PLATFORM_PUBLIC_KEY": base64.URLEncoding.EncodeToString(publicDER(keyring().exchange)),
	}
}

// open makes the provider with h in the exchange's place.
func open(t testing.TB, h http.Handler, extra map[string]string) *chainup.Provider {
	t.Helper()
	return openAt(t, h, oauthtest.Now, extra)
}

func openAt(t testing.TB, h http.Handler, now func() time.Time, extra map[string]string) *chainup.Provider {
	t.Helper()
	base, caller := oauthtest.Serve(t, "chainup", h, now)
	all := oauthtest.SettingsOf(settings(base+"/"), extra)
	p, err := chainup.Factory().New(oauth.Config{Settings: all, Environment: oauth.Test, Caller: caller, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return p.(*chainup.Provider)
}

func arrival() oauth.Arrival {
	return oauth.Arrival{Code: secret.New(code), Params: url.Values{}, RedirectURI: oauthtest.RedirectURI}
}

func credential() oauth.Credential {
	return oauth.Credential{
		AccessToken: secret.New(accessToken), RefreshToken: secret.New(refreshToken), ObtainedAt: oauthtest.Now().Add(-time.Hour),
		Extra: map[string]secret.String{"openId": secret.New("open_1")},
	}
}
