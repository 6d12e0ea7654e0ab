package oauthtest

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// Op names a method of the contract for Fake's counters.
type Op string

// The operations that Fake counts.
const (
	OpAuthURL    Op = "auth_url"
	OpExchange   Op = "exchange"
	OpIdentify   Op = "identify"
	OpMerchant   Op = "merchant"
	OpCompany    Op = "company"
	OpUser       Op = "user"
	OpWallets    Op = "wallets"
	OpWalletFlow Op = "wallet_flow"
	OpRefresh    Op = "refresh"
	OpRevoke     Op = "revoke"
)

// Fake is a provider with a redirect flow and every fetcher, all in memory. The zero value works: it issues a new
// token for every code, once, and knows the account from the code ("12345.anything" opens account 12345). A function
// field replaces what one method answers. Fields may be set freely before the first call, later only through Set;
// everything else is safe from many goroutines. It has neither Refresh nor Revoke: see RenewingFake.
type Fake struct {
	Slug        string            // "fake"
	Origin      string            // "https://fake.example": where the browser is sent
	Environment oauth.Environment // oauth.Test
	StatePolicy oauth.StatePolicy // oauth.StateCookieFallback
	Blocks      []oauth.Block     // all five
	OmitState   bool              // Approve and Deny do not give the state back
	Lifetime    time.Duration     // of an access token; 0: no known expiry
	Now         func() time.Time  // time.Now
	Hold        <-chan struct{}   // Exchange waits for it (or its context) after it was counted
	Entered     chan<- struct{}   // told, without waiting, each time Exchange was entered
	Describe    func(*oauth.Descriptor)

	OnAuthURL    func(oauth.Departure) (string, error)
	OnExchange   func(context.Context, oauth.Arrival) (oauth.Credential, error)
	OnIdentify   func(context.Context, oauth.Credential) (oauth.Account, error)
	OnMerchant   func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error)
	OnCompany    func(context.Context, oauth.Credential) (oauth.Reading[oauth.Company], error)
	OnUser       func(context.Context, oauth.Credential) (oauth.Reading[oauth.User], error)
	OnWallets    func(context.Context, oauth.Credential) (oauth.Reading[[]oauth.Wallet], error)
	OnWalletFlow func(context.Context, oauth.Credential) (oauth.Reading[[]oauth.FlowEntry], error)
	OnRefresh    func(context.Context, oauth.Credential) (oauth.Credential, error) // RenewingFake only
	OnRevoke     func(context.Context, oauth.Credential) error                     // RenewingFake only

	mu     sync.Mutex
	calls  map[Op]int
	used   map[string]int // code -> times it was brought
	issued []string
}

// RenewingFake is a Fake that can also refresh and revoke.
type RenewingFake struct{ *Fake }

var (
	_ oauth.RedirectFlow      = (*Fake)(nil)
	_ oauth.MerchantFetcher   = (*Fake)(nil)
	_ oauth.CompanyFetcher    = (*Fake)(nil)
	_ oauth.UserFetcher       = (*Fake)(nil)
	_ oauth.WalletFetcher     = (*Fake)(nil)
	_ oauth.WalletFlowFetcher = (*Fake)(nil)
	_ oauth.RedirectFlow      = RenewingFake{}
	_ oauth.Refresher         = RenewingFake{}
	_ oauth.Revoker           = RenewingFake{}
)

// Set changes fields while others may be calling.
func (f *Fake) Set(change func(f *Fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// Calls says how often a method was entered.
func (f *Fake) Calls(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

// Exchanges says how often one code was brought to Exchange.
func (f *Fake) Exchanges(code string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.used[code]
}

// Issued lists every secret this fake has handed out: codes, access and refresh tokens. None may be found in a page, a
// log or a dump.
func (f *Fake) Issued() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.issued)
}

// Approve plays the person who signs in as account and consents at authURL: it gives the return parameters.
func (f *Fake) Approve(authURL, account string) url.Values {
	code := account + "." + f.issue("code")
	return f.comeBack(authURL, url.Values{"code": {code}, "merNo": {account}})
}

// Deny plays the person who refuses.
func (f *Fake) Deny(authURL string) url.Values {
	return f.comeBack(authURL, url.Values{"error": {"access_denied"}})
}

func (f *Fake) comeBack(authURL string, params url.Values) url.Values {
	u, err := url.Parse(authURL)
	if err != nil {
		panic("oauthtest: the address of the authorisation does not parse")
	}
	omit := false
	f.Set(func(f *Fake) { omit = f.OmitState })
	if state := u.Query().Get("state"); state != "" && !omit {
		params.Set("state", state)
	}
	return params
}

// Descriptor implements oauth.Provider.
func (f *Fake) Descriptor() oauth.Descriptor {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := func(en string) oauth.Text { return oauth.Text{ZH: "测试：" + en, EN: en} }
	d := oauth.Descriptor{
		Slug: f.slug(), Title: text("Fake"), Summary: text("A provider that exists in tests only."),
		Flow: oauth.FlowRedirect, Environment: cmp.Or(f.Environment, oauth.Test),
		StatePolicy: cmp.Or(f.StatePolicy, oauth.StateCookieFallback),
		FormOrigin:  f.origin(), DocsURL: "https://fake.example/docs", Blocks: f.Blocks,
		Reads: []oauth.Text{text("Everything.")}, NotReads: []oauth.Text{text("Nothing.")},
		Needs: []oauth.Text{text("An account.")}, Lifetime: text("For ever."), Stop: text("Press disconnect."), EndThere: text("Ask its support."),
	}
	if d.Blocks == nil {
		d.Blocks = []oauth.Block{oauth.BlockMerchant, oauth.BlockCompany, oauth.BlockUser, oauth.BlockWallet, oauth.BlockWalletFlow}
	}
	if slices.Contains(d.Blocks, oauth.BlockWalletFlow) {
		d.FlowKinds = []oauth.FlowKind{{Kind: "transaction", Title: text("Transactions")}, {Kind: "chargeback", Title: text("Chargebacks")}}
	}
	if f.Describe != nil {
		f.Describe(&d)
	}
	return d
}

// AuthURL implements oauth.RedirectFlow.
func (f *Fake) AuthURL(d oauth.Departure) (string, error) {
	var on func(oauth.Departure) (string, error)
	var origin string
	f.enter(OpAuthURL, func() { on, origin = f.OnAuthURL, f.origin() })
	if on != nil {
		return on(d)
	}
	q := url.Values{"redirect_uri": {d.RedirectURI}, "state": {d.State.Reveal()}, "code_challenge": {d.Challenge}}
	return origin + "/authorize?" + q.Encode(), nil
}

// Exchange implements oauth.RedirectFlow. A code works once, as it does at a real provider.
func (f *Fake) Exchange(ctx context.Context, a oauth.Arrival) (oauth.Credential, error) {
	var on func(context.Context, oauth.Arrival) (oauth.Credential, error)
	var hold <-chan struct{}
	code, times := a.Code.Reveal(), 0
	f.enter(OpExchange, func() {
		if f.used == nil {
			f.used = map[string]int{}
		}
		f.used[code]++
		on, hold, times = f.OnExchange, f.Hold, f.used[code]
		select {
		case f.Entered <- struct{}{}:
		default:
		}
	})
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return oauth.Credential{}, f.refuse(oauth.Ambiguous, "", ctx.Err())
		}
	}
	if on != nil {
		return on(ctx, a)
	}
	if times > 1 {
		return oauth.Credential{}, f.refuse(oauth.BadRequest, "code_used", nil)
	}
	account, _, _ := strings.Cut(code, ".")
	return f.Credential(account), nil
}

// Credential issues a credential for an account, as Exchange does.
func (f *Fake) Credential(account string) oauth.Credential {
	now, life := time.Now, time.Duration(0)
	f.Set(func(f *Fake) {
		if f.Now != nil {
			now = f.Now
		}
		life = f.Lifetime
	})
	cred := oauth.Credential{
		AccessToken: secret.New(f.issue("access")), RefreshToken: secret.New(f.issue("refresh")),
		Extra: map[string]secret.String{"account": secret.New(account)}, ObtainedAt: now(),
	}
	if life > 0 {
		cred.ExpiresAt = cred.ObtainedAt.Add(life)
	}
	return cred
}

// enter counts a call and reads fields under the lock.
func (f *Fake) enter(op Op, read func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[Op]int{}
	}
	f.calls[op]++
	read()
}

// issue makes a secret that no other value contains.
func (f *Fake) issue(kind string) string {
	value := "canary-" + kind + "-" + strings.ToLower(rand.Text())
	f.Set(func(f *Fake) { f.issued = append(f.issued, value) })
	return value
}

func (f *Fake) refuse(kind oauth.Kind, code string, cause error) error {
	return &oauth.Error{Provider: cmp.Or(f.Slug, "fake"), Kind: kind, Code: code, Cause: cause}
}

func (f *Fake) slug() string   { return cmp.Or(f.Slug, "fake") }
func (f *Fake) origin() string { return cmp.Or(f.Origin, "https://fake.example") }

func accountOf(cred oauth.Credential) (string, error) {
	if account := cred.Extra["account"].Reveal(); account != "" {
		return account, nil
	}
	return "", fmt.Errorf("oauthtest: this credential was not issued by a Fake")
}
