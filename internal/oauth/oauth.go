// Package oauth owns the contract between Mooring and the payment and finance providers, and nothing else.
//
// A provider is one package below this one. It fulfils Provider, exactly one way in (RedirectFlow, LinkFlow or
// KeyFlow), and any of the one-method abilities in abilities.go; connect discovers those in one function. Calls leave
// through outbound, secrets travel as secret.String, the flow itself belongs to connect. A provider never reads the
// environment, never writes to a store and never sees an http.Request of ours.
package oauth

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"mooring/internal/secret"
)

// Provider is the base that every provider fulfils.
type Provider interface {
	// Descriptor is pure data: it drives the pages and the configuration loader.
	Descriptor() Descriptor

	// Identify says which account the credential opens. Where the provider can be asked, it is asked: what a browser
	// carried back is a claim, not a proof. An answer that contradicts the claim is an Error of kind AccountMismatch.
	Identify(ctx context.Context, cred Credential) (Account, error)
}

// RedirectFlow is a way in by the browser: away to the provider, back with a code.
type RedirectFlow interface {
	Provider

	// AuthURL gives the address to send the browser to. It must lie on Descriptor.FormOrigin.
	AuthURL(d Departure) (string, error)

	// Exchange turns the code into a credential. The code may be used once; Exchange never repeats a call whose
	// answer is unknown.
	Exchange(ctx context.Context, a Arrival) (Credential, error)
}

// LinkFlow is a way in by a link that the provider makes for us and a person opens elsewhere, often on a phone.
type LinkFlow interface {
	Provider
	Receiver // the end comes by the provider's server
	Fields() []Field

	// Link asks the provider for a link. Values are checked before anything is sent; Link never repeats a call whose
	// answer is unknown.
	Link(ctx context.Context, d Departure, values Values) (Link, error)
}

// KeyFlow is a way in by values that a person copies from the provider.
type KeyFlow interface {
	Provider
	Fields() []Field
	// Verify proves the values against the provider and makes a credential of them.
	Verify(ctx context.Context, values Values) (Credential, error)
}

// Departure is what a flow sends along when the browser leaves.
type Departure struct {
	RedirectURI string        // our callback address, exactly as registered; for a LinkFlow the attempt's own, a server's
	State       secret.String // 256 random bits, base64url
	Challenge   string        // PKCE S256 challenge of the attempt's verifier

	// Subject is a name for who leaves, for a LinkFlow that must give one: always the same for this person at this
	// provider, and without meaning to anybody else.
	Subject string
}

// Arrival is what came back.
type Arrival struct {
	Code        secret.String
	Params      url.Values    // the other return parameters, each present once
	RedirectURI string        // the same bytes as at departure
	Verifier    secret.String // the attempt's PKCE verifier
}

// Credential opens an account at a provider. It is stored sealed only.
type Credential struct {
	AccessToken    secret.String
	RefreshToken   secret.String            // empty: there is none
	ExpiresAt      time.Time                // zero: no known expiry
	RefreshExpires time.Time                // zero: unknown
	Extra          map[string]secret.String // what the provider needs besides, by its own names
	ObtainedAt     time.Time
}

// Account says whose credential it is.
type Account struct {
	ExternalID string // the provider's id of the account, a string even where it is digits
	Name       string // a name that a person recognises, if the provider tells one

	// TenantOnly says that the provider masks the id: another account may show the same one. It then tells accounts
	// apart within one tenant only, and never keeps another tenant from connecting.
	TenantOnly bool
}

// Field is one input of a LinkFlow's or KeyFlow's form.
type Field struct {
	Name     string // form name, for example "access_token"
	Label    Text
	Help     Text
	Secret   bool
	Required bool
	Choices  []string // it is one of these, the first unless chosen; none: free text
	Long     bool     // of several lines, as a key is
}

// Values are a form's values by Field.Name.
type Values map[string]secret.String

// Flow names the way in.
type Flow string

// The three ways in.
const (
	FlowRedirect Flow = "redirect"
	FlowLink     Flow = "link"
	FlowKey      Flow = "key"
)

// Environment says whether real accounts are behind the provider's address.
type Environment string

// The two environments; pages show them unmistakably.
const (
	Test Environment = "test"
	Live Environment = "live"
)

// StatePolicy says what an arrival without state means.
type StatePolicy string

const (
	// StateStrict refuses an arrival without state.
	StateStrict StatePolicy = "strict"
	// StateCookieFallback accepts it when the browser's flow cookie names exactly one pending attempt; the person
	// then confirms the account before anything is bound.
	StateCookieFallback StatePolicy = "cookie_fallback"
)

// Text is a sentence in both languages. A provider brings its own.
type Text struct{ ZH, EN string }

// In picks the language; tag is a BCP 47 tag, anything but Chinese reads English.
func (t Text) In(tag string) string {
	if len(tag) >= 2 && tag[:2] == "zh" {
		return t.ZH
	}
	return t.EN
}

// Descriptor is a provider as data.
type Descriptor struct {
	Slug        string // in URLs, columns, environment names (upper case) and the logo's file name
	Title       Text
	Summary     Text // one sentence: what this provider is to a merchant
	Flow        Flow
	Environment Environment
	StatePolicy StatePolicy   // RedirectFlow only
	ClockWindow time.Duration // how far our clock may be from the provider's before it refuses; 0: its documents do not say
	FormOrigin  string        // scheme://host[:port] that the begin form may redirect to (CSP form-action)
	DocsURL     string        // the provider's own documentation
	Blocks      []Block       // the data it offers, in the order the pages show it
	FlowKinds   []FlowKind    // the kinds of FlowEntry, in the order the pages show them
	SyncEvery   time.Duration // how often the data is fetched by itself; zero: as often as everybody's
	Settings    []Setting     // what it needs from the environment

	// What a merchant reads before consenting.
	Reads    []Text // what will be read
	NotReads []Text // what will not
	Needs    []Text // what to have at hand
	Lifetime Text   // how long access lasts
	Stop     Text   // how to stop it, here and at the provider
	EndThere Text   // how to end it at the provider, for somebody who has stopped it here
	News     Text   // a Receiver that is no LinkFlow: where to register a connection's address for callbacks, and what for

	Errors []Explanation // what is special to this provider's refusals; see Explain
}

// FlowKind is one kind of FlowEntry with the provider's own words for it. A kind that no descriptor names is shown last,
// as delivered.
type FlowKind struct {
	Kind  string // FlowEntry.Kind
	Title Text
}

// Explain finds the provider's own words for a refusal: those for its code, or else those for the kind as a whole.
// Where it has none, the general words for the kind are i18n's.
func (d Descriptor) Explain(kind Kind, code string) (Explanation, bool) {
	for _, want := range []string{code, ""} {
		for _, e := range d.Errors {
			if e.Kind == kind && e.Code == want {
				return e, true
			}
		}
	}
	return Explanation{}, false
}

// Addresses are where the provider's settings lead: those whose names end in URL.
func (d Descriptor) Addresses(s Settings) (all []string) {
	for _, setting := range d.Settings {
		value := s.Get(setting.Name)
		if strings.HasSuffix(setting.Name, "URL") && !setting.Secret && CheckURL(value) == nil && !slices.Contains(all, value) {
			all = append(all, value)
		}
	}
	return all
}

// Setting is one value from the environment: <SLUG>_<Name>, a secret one also as <SLUG>_<Name>_FILE.
type Setting struct {
	Name     string // for example "CLIENT_ID"
	Help     Text
	Required bool
	Secret   bool
	Default  string
	Check    func(value string) error // nil: anything goes; the error never repeats a secret's value
}

// Settings are the loaded values by Setting.Name, defaults filled in.
type Settings map[string]secret.String

// Get gives a value; a setting that was not declared is empty.
func (s Settings) Get(name string) string { return s[name].Reveal() }

// Block is one kind of data that a provider can hold about a merchant.
type Block string

// The five kinds, in providers' own order of telling.
const (
	BlockMerchant   Block = "merchant"
	BlockCompany    Block = "company"
	BlockUser       Block = "user"
	BlockWallet     Block = "wallet"
	BlockWalletFlow Block = "wallet_flow"
)

// Factory makes a provider from its settings. cmd/web/providers.go lists one per provider.
type Factory struct {
	// Describe gives the descriptor before any setting is known: titles, texts, and the settings themselves.
	Describe func() Descriptor
	// New makes the provider; it is called only when every required setting is present and passes its check.
	New func(Config) (Provider, error)
}

// Config is all a provider may know of the world.
type Config struct {
	Settings    Settings
	Environment Environment
	Caller      Caller           // the only way out
	Now         func() time.Time // the clock that request times and expiries are made from
	Log         *slog.Logger     // what an operator should know of; nil: nobody listens. Never a secret
}

// Complete fills in what was left out: the test environment, the real clock, and a log that nobody reads.
func (c Config) Complete() Config {
	c.Environment = cmp.Or(c.Environment, Test)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}
