package oauthtest

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"mooring/internal/oauth"
)

// Subject is a provider package on the bench.
type Subject struct {
	Factory oauth.Factory

	// Settings gives complete settings with every address of the provider at base. A RedirectFlow's callback is
	// RedirectURI.
	Settings func(base string) map[string]string

	// Well is the provider as documented. It must honour Arrival or Values whenever asked, always with the same answer.
	Well    http.Handler
	Arrival oauth.Arrival // RedirectFlow
	Values  oauth.Values  // KeyFlow, LinkFlow: what a merchant pastes

	// Callback is what the provider's server sends when the person has opened the link and agreed, made from a Link of
	// Values and signed as the documents say, at Now. LinkFlow only.
	Callback func(link oauth.Link) (body []byte, header http.Header)

	// Proven says that the way in proves whose account it is: Identify asks for no more than a name, and does without one.
	Proven bool

	Refusal string   // a documented refusal that comes with status 200: its verdict is in the body
	NoToken string   // a success that holds an empty token
	Secrets []string // what Settings, Arrival, Values and Well contain that no error may tell
}

// RedirectURI is the callback address that the suite departs with. Its bytes must survive the way there.
const RedirectURI = "https://app.example/oauth/under-test/callback"

// Now is the suite's clock.
func Now() time.Time { return time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC) }

// Run proves that a provider fulfils the contract, with a server of ours in the provider's place and a real
// outbound.Client in between.
func Run(t *testing.T, s Subject) {
	t.Helper()
	t.Run("descriptor", func(t *testing.T) { checkDescriptor(t, s) })
	t.Run("authorisation address", func(t *testing.T) { checkAuthURL(t, s) })
	t.Run("no code sends nothing", func(t *testing.T) { checkNoCode(t, s) })
	t.Run("fields", func(t *testing.T) { checkFields(t, s) })
	t.Run("callback", func(t *testing.T) { checkCallback(t, s) })
	t.Run("news", func(t *testing.T) { checkNews(t, s) })
	t.Run("forgiven", func(t *testing.T) { checkForgiven(t, s) })
	t.Run("faults", func(t *testing.T) { checkFaults(t, s) })
	t.Run("cancelled", func(t *testing.T) { checkCancelled(t, s) })
	t.Run("unreachable", func(t *testing.T) { checkUnreachable(t, s) })
}

// step is one thing that the contract lets us ask of a provider.
type step struct {
	name string
	once bool // may have an effect: never repeated, and ambiguous when there is no answer
	do   func(ctx context.Context) (any, error)
}

// steps lists what p can be asked, by the abilities that it has.
func steps(t testing.TB, s Subject, p oauth.Provider, cred oauth.Credential) []step {
	t.Helper()
	name, once, enter := wayIn(t, s, p)
	list := []step{{name, once, func(ctx context.Context) (any, error) { return enter(ctx) }}}
	if _, link := p.(oauth.LinkFlow); !link && !s.Proven { // whose account is known from the callback: nobody needs to be asked
		list = append(list, step{"Identify", false, func(ctx context.Context) (any, error) { return p.Identify(ctx, cred) }})
	}
	if f, ok := p.(oauth.MerchantFetcher); ok {
		list = append(list, reads("FetchMerchant", f.FetchMerchant, cred))
	}
	if f, ok := p.(oauth.CompanyFetcher); ok {
		list = append(list, reads("FetchCompany", f.FetchCompany, cred))
	}
	if f, ok := p.(oauth.UserFetcher); ok {
		list = append(list, reads("FetchUser", f.FetchUser, cred))
	}
	if f, ok := p.(oauth.WalletFetcher); ok {
		list = append(list, reads("FetchWallets", f.FetchWallets, cred))
	}
	if f, ok := p.(oauth.WalletFlowFetcher); ok {
		list = append(list, reads("FetchWalletFlow", f.FetchWalletFlow, cred))
	}
	if f, ok := p.(oauth.Refresher); ok { // without a refresh token none is used up: that may be repeated
		list = append(list, step{"Refresh", !cred.RefreshToken.IsEmpty(), func(ctx context.Context) (any, error) { return f.Refresh(ctx, cred) }})
	}
	return list
}

func reads[T any](name string, fetch func(context.Context, oauth.Credential) (oauth.Reading[T], error), cred oauth.Credential) step {
	return step{name, false, func(ctx context.Context) (any, error) {
		r, err := fetch(ctx, cred)
		r.Raw, r.Unmapped = nil, nil // how the answer was written is not what it says, nor what nobody understood
		return r, err
	}}
}

func checkFaults(t *testing.T, s Subject) {
	for _, f := range faults(s, tripwire(t).URL) {
		t.Run(f.name, func(t *testing.T) {
			st := newStage(t, s)
			patience := 10 * time.Second
			if f.hangs {
				patience = 300 * time.Millisecond
			}
			for _, name := range st.stepNames(t) {
				do := st.step(t, name, patience)
				if f.onlyOnce && !do.once {
					continue
				}
				st.misbehave(f.serve)
				began := time.Now()
				got, err := do.do(t.Context())
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("%s took %s", name, took)
				}
				requests := st.behave()
				if do.once && requests != 1 {
					t.Errorf("%s sent %d requests, want exactly one", name, requests)
				}
				if err == nil {
					t.Errorf("%s succeeded with %+v", name, got)
					continue
				}
				want := f.read
				if do.once {
					want = f.once
				}
				checkError(t, st, name, err, want, f)
			}
		})
	}
}

func checkError(t *testing.T, st *stage, name string, err error, want oauth.Kind, f fault) {
	t.Helper()
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok || e.Provider != st.slug {
		t.Errorf("%s: %v (%T) is not an *oauth.Error of %q", name, err, err, st.slug)
		return
	}
	if want != "" && e.Kind != want {
		t.Errorf("%s: kind %s, want %s (%v)", name, e.Kind, want, err)
	}
	if want != "" && e.Definite() {
		t.Errorf("%s: a passing fault would disconnect the account (%v)", name, err)
	}
	if e.RetryAfter != f.retryAfter {
		t.Errorf("%s: retry after %s, want %s", name, e.RetryAfter, f.retryAfter)
	}
	st.quiet(t, name, err)
}

// checkCancelled gives up before and during the call.
func checkCancelled(t *testing.T, s Subject) {
	st := newStage(t, s)
	for _, name := range st.stepNames(t) {
		for _, wait := range []time.Duration{0, 30 * time.Millisecond} {
			do := st.step(t, name, 10*time.Second)
			st.misbehave(hang)
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			began := time.Now()
			_, err := do.do(ctx)
			cancel()
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%s took %s to give up", name, took)
			}
			if err == nil {
				t.Errorf("%s succeeded without an answer", name)
				continue
			}
			st.quiet(t, name, err)
			st.behave()
		}
	}
}

// checkUnreachable closes the provider's port: nothing can have been sent, so nothing is ambiguous.
func checkUnreachable(t *testing.T, s Subject) {
	st := newStage(t, s)
	var ready []step
	for _, name := range st.stepNames(t) {
		ready = append(ready, st.step(t, name, 10*time.Second))
	}
	st.server.Close()
	for _, do := range ready {
		_, err := do.do(t.Context())
		checkError(t, st, do.name, err, oauth.Upstream, fault{})
	}
}

// checkNoCode brings a return without a code all the way to the provider package.
func checkNoCode(t *testing.T, s Subject) {
	st := newStage(t, s)
	p := st.provider(t, 10*time.Second)
	flow, ok := p.(oauth.RedirectFlow)
	if !ok {
		t.Skip("no redirect, no code")
	}
	st.misbehave(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusOK) })
	_, err := flow.Exchange(t.Context(), oauth.Arrival{RedirectURI: RedirectURI})
	if kind := oauth.KindOf(err); kind != oauth.BadRequest {
		t.Errorf("error = %v, want kind bad_request", err)
	}
	if n := st.behave(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
