package oauthtest_test

import (
	"slices"
	"testing"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

func TestKeyFakeWorksAsItComes(t *testing.T) {
	var k oauthtest.KeyFake
	if _, redirects := any(&k).(oauth.RedirectFlow); redirects {
		t.Error("two ways in")
	}
	if d := k.Descriptor(); d.Flow != oauth.FlowKey || len(d.Blocks) != 5 {
		t.Errorf("descriptor: %+v", d)
	}
	values := oauth.Values{}
	for _, f := range k.Fields() {
		values[f.Name] = secret.New("canary-" + f.Name)
	}
	values[oauthtest.KeyFakeID] = secret.New("1234567890123456789")
	cred, err := k.Verify(t.Context(), values)
	if err != nil {
		t.Fatal(err)
	}
	account, err := k.Identify(t.Context(), cred)
	if err != nil || account.ExternalID != "1234567890123456789" {
		t.Fatalf("Identify = %+v, %v", account, err)
	}
	if flow, err := k.FetchWalletFlow(t.Context(), cred); err != nil || len(flow.Data) != 2 {
		t.Errorf("FetchWalletFlow = %+v, %v", flow, err)
	}
	if !slices.Contains(k.Issued(), "canary-client_secret") || k.Calls(oauthtest.OpVerify) != 1 {
		t.Errorf("issued %v after %d calls", k.Issued(), k.Calls(oauthtest.OpVerify))
	}
}

func TestKeyFakeRefuses(t *testing.T) {
	var k oauthtest.KeyFake
	for name, tc := range map[string]struct {
		id, key string
		want    oauth.Kind
	}{
		"no secret": {"1", "", oauth.BadRequest}, "no id": {"", "k", oauth.BadRequest}, "the wrong secret": {"1", oauthtest.KeyFakeWrong, oauth.AuthConfig},
	} {
		_, err := k.Verify(t.Context(), oauth.Values{oauthtest.KeyFakeID: secret.New(tc.id), oauthtest.KeyFakeSecret: secret.New(tc.key)})
		if got := oauth.KindOf(err); got != tc.want {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
}
