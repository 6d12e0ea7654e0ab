package oauthtest_test

import (
	"testing"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

func TestLinkFakeWorksAsItComes(t *testing.T) {
	var l oauthtest.LinkFake
	if _, redirects := any(&l).(oauth.RedirectFlow); redirects {
		t.Error("two ways in")
	}
	if d := l.Descriptor(); d.Flow != oauth.FlowLink || len(d.Blocks) != 5 {
		t.Errorf("descriptor: %+v", d)
	}
	values := oauth.Values{oauthtest.KeyFakeID: secret.New("b1"), oauthtest.KeyFakeSecret: secret.New("canary-key")}
	link, err := l.Link(t.Context(), oauth.Departure{RedirectURI: "https://app.example/cb"}, values)
	if err != nil || link.URL == "" {
		t.Fatalf("Link = %+v, %v", link, err)
	}
	address, body, header := l.Agree(link.Serial, "openid-1")
	r, err := l.Receive(t.Context(), oauth.Callback{Body: body, Header: header, Kept: link.Kept})
	if err != nil || !r.Verified || r.Serial != link.Serial || address != "https://app.example/cb" {
		t.Fatalf("Receive = %+v, %v, sent to %s", r, err, address)
	}
	if account, err := l.Identify(t.Context(), r.Credential); err != nil || account.ExternalID != "openid-1" {
		t.Errorf("Identify = %+v, %v", account, err)
	}
	if wallets, err := l.FetchWallets(t.Context(), r.Credential); err != nil || len(wallets.Data) == 0 {
		t.Errorf("FetchWallets = %+v, %v", wallets, err)
	}
	if l.Calls(oauthtest.OpLink) != 1 || l.Calls(oauthtest.OpReceive) != 1 {
		t.Error("miscounted")
	}
}

func TestLinkFakeRefuses(t *testing.T) {
	var l oauthtest.LinkFake
	for key, want := range map[string]oauth.Kind{"": oauth.BadRequest, oauthtest.KeyFakeWrong: oauth.Signature} {
		_, err := l.Link(t.Context(), oauth.Departure{}, oauth.Values{oauthtest.KeyFakeID: secret.New("1"), oauthtest.KeyFakeSecret: secret.New(key)})
		if got := oauth.KindOf(err); got != want {
			t.Errorf("%q: %v, want %s", key, err, want)
		}
	}
	values := oauth.Values{oauthtest.KeyFakeID: secret.New("b1"), oauthtest.KeyFakeSecret: secret.New("k")}
	link, err := l.Link(t.Context(), oauth.Departure{}, values)
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.Link(t.Context(), oauth.Departure{}, values)
	if err != nil {
		t.Fatal(err)
	}
	_, body, header := l.Agree(link.Serial, "a")
	for name, c := range map[string]oauth.Callback{
		"unsigned": {Body: body, Kept: link.Kept}, "another attempt's": {Body: body, Header: header, Kept: other.Kept},
		"changed": {Body: append(body, ' '), Header: header, Kept: link.Kept}, "nothing kept": {Body: body, Header: header},
	} {
		if r, err := l.Receive(t.Context(), c); oauth.KindOf(err) == "" || r.Verified {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}
