package cardwallet_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mooring/internal/oauth"
	"mooring/internal/oauth/cardwallet"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

func subject(t testing.TB, extra map[string]string) oauthtest.Subject {
	t.Helper()
	return oauthtest.Subject{
		Factory: cardwallet.Factory(),
		Settings: func(base string) map[string]string {
			settings := map[string]string{"BASE_URL": base}
			maps.Copy(settings, extra)
			return settings
		},
		Well: usual(t), Values: values(), Proven: true,
		Refusal: `{"success":false,"code":"90001","message":"canary-prose"}`,
		NoToken: `{"success":true,"code":"200","message":"操作成功","data":{"access_token":"","expires_in":60}}`,
		Secrets: []string{accessToken, "canary-prose"},
	}
}

func TestConformance(t *testing.T) {
	form := allPaths()
	maps.Copy(form, map[string]string{"TOKEN_PARAMS": "form", "EXPIRES_IN_UNIT": "minutes", "AUTH_HEADER": "X-Token", "AUTH_PREFIX": "none"})
	for name, extra := range map[string]map[string]string{"as it comes": {}, "everything is read": allPaths(), "everything else": form} {
		t.Run(name, func(t *testing.T) { oauthtest.Run(t, subject(t, extra)) })
	}
}

func TestNewRefusesWhatItCannotUse(t *testing.T) {
	for name, value := range map[string]string{
		"BASE_URL": "ftp://x", "TOKEN_PATH": "token", "TOKEN_PARAMS": "json", "EXPIRES_IN_UNIT": "hours", "MERCHANT_PATH": "x",
		"WALLET_PATH": "/x?a=b", "FLOW_PATH": "https://x/", "AUTH_HEADER": "X Y", "AUTH_PREFIX": "Bear\r\ner",
	} {
		s := oauth.Settings{"BASE_URL": secret.New("https://api.example")}
		s[name] = secret.New(value)
		if _, err := cardwallet.Factory().New(oauth.Config{Settings: s}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
	if _, err := cardwallet.Factory().New(oauth.Config{}); err == nil {
		t.Error("no address at all was taken")
	}
}

// Having a method is the promise, so each of the eight combinations has exactly its own.
func TestAbilitiesAreWhatIsConfigured(t *testing.T) {
	for bits := range 8 {
		on, want := map[string]string{"MERCHANT_PATH": "", "WALLET_PATH": "", "FLOW_PATH": ""}, []oauth.Block(nil)
		if bits&1 != 0 {
			on["MERCHANT_PATH"], want = merchantPath, append(want, oauth.BlockMerchant, oauth.BlockCompany)
		}
		if bits&2 != 0 {
			on["WALLET_PATH"], want = walletPath, append(want, oauth.BlockWallet)
		}
		if bits&4 != 0 {
			on["FLOW_PATH"], want = flowPath, append(want, oauth.BlockWalletFlow)
		}
		p := open(t, usual(t), on)
		var got []oauth.Block
		if _, ok := p.(oauth.MerchantFetcher); ok {
			got = append(got, oauth.BlockMerchant)
		}
		if _, ok := p.(oauth.CompanyFetcher); ok {
			got = append(got, oauth.BlockCompany)
		}
		if _, ok := p.(oauth.WalletFetcher); ok {
			got = append(got, oauth.BlockWallet)
		}
		if _, ok := p.(oauth.WalletFlowFetcher); ok {
			got = append(got, oauth.BlockWalletFlow)
		}
		if d := p.Descriptor(); !slices.Equal(got, want) || !slices.Equal(d.Blocks, want) {
			t.Errorf("%v: can %v, says %v, want %v", on, got, d.Blocks, want)
		}
	}
	if n := len(cardwallet.Factory().Describe().Blocks); n != 4 {
		t.Errorf("before any setting, %d blocks are told", n)
	}
}

func TestVerify(t *testing.T) {
	d := usual(t)
	p := open(t, d, nil)
	pasted := oauth.Values{"client_id": secret.New(" " + clientID + "\n"), "client_secret": secret.New("\t" + clientSecret + "\r\n")}
	cred, err := p.Verify(t.Context(), pasted)
	if err != nil {
		t.Fatal(err)
	}
	if cred.Extra["client_id"].Reveal() != clientID || cred.Extra["client_secret"].Reveal() != clientSecret || cred.Extra["scope"].Reveal() != "default" {
		t.Error("the credential does not hold what was pasted")
	}
	if cred.AccessToken.Reveal() != accessToken || !cred.ExpiresAt.Equal(oauthtest.Now().Add(48*time.Second)) || !cred.RefreshToken.IsEmpty() {
		t.Errorf("the token that was given is not the first to be used: until %v", cred.ExpiresAt)
	}
	account, err := p.Identify(t.Context(), cred)
	if want := (oauth.Account{ExternalID: clientID, Name: "晨光数字科技"}); err != nil || !cmp.Equal(account, want) {
		t.Errorf("Identify = %+v, %v", account, err)
	}
	if n := len(d.calls(tokenPath)); n != 1 {
		t.Errorf("%d token calls", n)
	}
}

func TestValuesInPiecesAreNotSent(t *testing.T) {
	d := usual(t)
	p := open(t, d, nil)
	for name, bad := range map[string]oauth.Values{
		"id with a break": {"client_id": secret.New("19582038\n47561029377"), "client_secret": secret.New(clientSecret)},
		"secret in two":   {"client_id": secret.New(clientID), "client_secret": secret.New("canary secret")},
		"not ASCII":       {"client_id": secret.New(clientID), "client_secret": secret.New("密钥密钥")},
		"without end":     {"client_id": secret.New(clientID), "client_secret": secret.New(strings.Repeat("x", 513))},
	} {
		_, err := p.Verify(t.Context(), bad)
		oauthtest.WantKind(t, name, err, oauth.BadRequest)
	}
	if len(d.calls(tokenPath)) != 0 {
		t.Error("a request was sent")
	}
}

// A name is a comfort; the account is proven by the token alone.
func TestIdentifyWithoutAName(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{"not there": oauthtest.Says(404, ""), "broken": oauthtest.Says(500, ""), "refused": oauthtest.Says(401, "")} {
		d := usual(t)
		d.serve[merchantPath] = serve
		account, err := open(t, d, nil).Identify(t.Context(), credential())
		if err != nil || account.ExternalID != clientID || account.Name != "" {
			t.Errorf("%s: %+v, %v", name, account, err)
		}
	}
	if _, err := open(t, usual(t), nil).Identify(t.Context(), oauth.Credential{}); oauth.KindOf(err) != oauth.BadRequest {
		t.Errorf("no values: %v", err)
	}
}

// The documents name two codes and no table.
func TestExplanations(t *testing.T) {
	d := cardwallet.Factory().Describe()
	var codes []string
	for _, e := range d.Errors {
		if e.Code != "" {
			codes = append(codes, e.Code)
		}
	}
	if want := []string{"401", "403", "client_id", "client_secret"}; !slices.Equal(codes, want) { // and the two fields of the form
		t.Errorf("codes %v, documented are %v", codes, want)
	}
	if e, ok := d.Explain(oauth.AuthConfig, ""); !ok || !strings.Contains(e.Cause.EN, "client_secret") {
		t.Errorf("a bare 401: %+v", e)
	}
	if _, ok := d.Explain(oauth.Upstream, "90001"); ok {
		t.Error("the general words are i18n's")
	}
}
