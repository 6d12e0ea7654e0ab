package oauthtest_test

import (
	"strings"
	"sync"
	"testing"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

func TestFakeWorksAsItComes(t *testing.T) {
	var f oauthtest.Fake
	to, err := f.AuthURL(oauth.Departure{RedirectURI: "http://localhost/cb", State: secret.New("state-1")})
	if err != nil {
		t.Fatal(err)
	}
	back := f.Approve(to, "12345")
	if got := back.Get("state"); got != "state-1" {
		t.Errorf("state = %q", got)
	}
	code := back.Get("code")
	cred, err := f.Exchange(t.Context(), oauth.Arrival{Code: secret.New(code)})
	if err != nil {
		t.Fatal(err)
	}
	account, err := f.Identify(t.Context(), cred)
	if err != nil || account.ExternalID != "12345" {
		t.Fatalf("Identify = %+v, %v", account, err)
	}
	if _, err := f.Exchange(t.Context(), oauth.Arrival{Code: secret.New(code)}); oauth.KindOf(err) != oauth.BadRequest {
		t.Errorf("second use: %v", err)
	}
	if got := f.Exchanges(code); got != 2 {
		t.Errorf("Exchanges = %d, want 2", got)
	}
	for _, issued := range f.Issued() {
		if !strings.HasPrefix(issued, "canary-") {
			t.Errorf("issued %q is not a canary", issued)
		}
	}
	if flow, err := f.FetchWalletFlow(t.Context(), cred); err != nil || len(flow.Data) != 2 {
		t.Errorf("FetchWalletFlow = %+v, %v", flow, err)
	}
}

func TestFakeCanHoldTheExchange(t *testing.T) {
	hold, entered := make(chan struct{}), make(chan struct{}, 8)
	f := oauthtest.Fake{Hold: hold, Entered: entered, OmitState: true}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { _, _ = f.Exchange(t.Context(), oauth.Arrival{Code: secret.New("1.x")}) })
	}
	for range 8 {
		<-entered
	}
	close(hold)
	wg.Wait()
	if got := f.Calls(oauthtest.OpExchange); got != 8 {
		t.Errorf("Calls = %d, want 8", got)
	}
	if f.Approve("https://fake.example/authorize?state=s", "1").Has("state") {
		t.Error("the state came back although it was to be omitted")
	}
}
