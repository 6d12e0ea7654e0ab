// Package asiabill connects merchants of AsiaBill's OpenApi, the product for partners: OAuth 2.0 by browser redirect.
//
// Documents: https://asiabill.gitbook.io/openapi. Its neighbour "API Explorer" is another product, with signatures and
// webhooks, and is not this one. What a reader must know:
//
//   - The client is set up by AsiaBill's support, with one registered redirect_uri; only a merchant's super
//     administrator can sign in at the consent page.
//   - The return carries code and merNo, the five-digit merchant number. An echo of state is not promised, so the
//     state policy is cookie_fallback. merNo comes through the browser and is a claim: Identify compares it with
//     gatewayNo in what the token itself can read, whose first five digits are the merchant number.
//   - Two revisions of the documents disagree on POST or GET for the token call, and show no envelope: see token.go.
//   - Every read carries a request-id of at most 20 characters, never used twice within 30 minutes, and a request-time
//     within 30 minutes of theirs and without a zone: see api.go.
//   - There is no profile. The merchant is its number and the gateways that its lists show.
//
// Access tokens are "valid for long"; where expires_in comes, it is kept. Nothing is said of refreshing, so it is off
// unless REFRESH_ENABLED, and nothing of revoking. The test environment is auth-uat and api-uat. Calls that write
// (refunds, logistics, goods) are out of scope.
package asiabill

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // request-time needs its zone, also where the system has no zones

	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/secret"
)

const (
	slug = "asiabill"

	authorizePath    = "/oauth/authorize"
	exchangePath     = "/oauth/token"
	chargebacksPath  = "/openApi/chargebacks"
	transactionsPath = "/openApi/transactions"

	merNoKey  = "merNo" // in Credential.Extra
	probeOff  = "off"   // the value of PROBE_PATH that turns the proof off
	utc       = "UTC"
	homeZone  = "Asia/Shanghai"
	window    = 30 * 24 * time.Hour // of transactions and chargebacks that are read
	probeSpan = 24 * time.Hour
)

// Factory is the line of cmd/web/providers.go.
func Factory() oauth.Factory {
	return oauth.Factory{Describe: describe, New: New}
}

var (
	_ oauth.RedirectFlow      = (*Provider)(nil)
	_ oauth.MerchantFetcher   = (*Provider)(nil)
	_ oauth.WalletFlowFetcher = (*Provider)(nil)
	_ oauth.RedirectFlow      = renewing{}
	_ oauth.MerchantFetcher   = renewing{}
	_ oauth.WalletFlowFetcher = renewing{}
	_ oauth.Refresher         = renewing{}
)

// Provider is AsiaBill with its settings.
type Provider struct {
	descriptor   oauth.Descriptor
	oauthURL     string
	openAPIURL   string
	clientID     string
	clientSecret secret.String
	method       string
	sendRedirect bool
	probePath    string // "": no proof
	zone         *time.Location
	otherZone    *time.Location // tried once when the provider complains of the time
	caller       oauth.Caller
	now          func() time.Time
	log          *slog.Logger
	zoneTold     sync.Once // a wrong REQUEST_TIME_ZONE is told once, not with every read
}

// New makes the provider. It can refresh only where REFRESH_ENABLED says so: having the method is the promise.
func New(c oauth.Config) (oauth.Provider, error) {
	c = c.Complete()
	p := &Provider{
		descriptor: describe(), clientID: c.Settings.Get("CLIENT_ID"), clientSecret: c.Settings["CLIENT_SECRET"],
		method: cmp.Or(c.Settings.Get("TOKEN_METHOD"), postForm), caller: c.Caller, now: c.Now, log: c.Log,
	}
	d := &p.descriptor
	d.Environment = c.Environment
	d.StatePolicy = oauth.StatePolicy(cmp.Or(c.Settings.Get("STATE_POLICY"), string(oauth.StateCookieFallback)))
	if err := p.addresses(c.Settings); err != nil {
		return nil, err
	}
	if err := p.zones(c.Settings.Get("REQUEST_TIME_ZONE")); err != nil {
		return nil, err
	}
	if p.probePath = cmp.Or(c.Settings.Get("PROBE_PATH"), chargebacksPath); p.probePath == probeOff {
		p.probePath = ""
	}
	refresh, err := strconv.ParseBool(cmp.Or(c.Settings.Get("REFRESH_ENABLED"), "false"))
	if err != nil {
		return nil, fmt.Errorf("asiabill: REFRESH_ENABLED: %w", err)
	}
	if p.sendRedirect, err = strconv.ParseBool(cmp.Or(c.Settings.Get("SEND_REDIRECT_URI"), "true")); err != nil {
		return nil, fmt.Errorf("asiabill: SEND_REDIRECT_URI: %w", err)
	}
	if refresh {
		return renewing{p}, nil
	}
	return p, nil
}

// addresses fills in the environment's documented addresses where none are set.
func (p *Provider) addresses(s oauth.Settings) error {
	auth, api := "https://auth-uat.asiabill.com", "https://api-uat.asiabill.com"
	if p.descriptor.Environment == oauth.Live {
		// The document's text; its links lead to a sandbox and count as stale.
		auth, api = "https://oauth.asiabill.com", "https://openapi.asiabill.com"
	}
	p.oauthURL = strings.TrimRight(cmp.Or(s.Get("OAUTH_URL"), auth), "/")
	p.openAPIURL = strings.TrimRight(cmp.Or(s.Get("OPENAPI_URL"), api), "/")
	for name, address := range map[string]string{"OAUTH_URL": p.oauthURL, "OPENAPI_URL": p.openAPIURL} {
		if err := oauth.CheckURL(address); err != nil {
			return fmt.Errorf("asiabill: %s %w", name, err)
		}
	}
	u, err := url.Parse(p.oauthURL)
	if err != nil {
		return fmt.Errorf("asiabill: OAUTH_URL: %w", err)
	}
	p.descriptor.FormOrigin = u.Scheme + "://" + u.Host
	return nil
}

func (p *Provider) zones(name string) error {
	other := utc
	if name = cmp.Or(name, homeZone); name == utc {
		other = homeZone
	}
	var err error
	if p.zone, err = time.LoadLocation(name); err != nil {
		return fmt.Errorf("asiabill: REQUEST_TIME_ZONE: %w", err)
	}
	p.otherZone, err = time.LoadLocation(other)
	return err
}

// Descriptor implements oauth.Provider.
func (p *Provider) Descriptor() oauth.Descriptor { return p.descriptor }

// AuthURL implements oauth.RedirectFlow. redirect_uri and state are not among the documented parameters; both are OAuth's
// and do no harm.
func (p *Provider) AuthURL(d oauth.Departure) (string, error) {
	q := url.Values{"client_id": {p.clientID}, "response_type": {"code"}, "state": {d.State.Reveal()}}
	if p.sendRedirect {
		q.Set("redirect_uri", d.RedirectURI)
	}
	return p.oauthURL + authorizePath + "?" + q.Encode(), nil
}

// Identify implements oauth.Provider. A read that works proves the token; a row in it proves the account, since its
// gatewayNo begins with the merchant number. The documented probe covers one day and is often empty, and then one
// transaction of the last 30 days is asked for as well. An account that has neither is taken at its word.
func (p *Provider) Identify(ctx context.Context, cred oauth.Credential) (oauth.Account, error) {
	claimed := cred.Extra[merNoKey].Reveal()
	if p.probePath != "" {
		rows, err := p.evidence(ctx, cred)
		if err != nil {
			return oauth.Account{}, err
		}
		for _, r := range rows {
			owner := ownerOf(r)
			switch {
			case owner == "":
			case claimed == "":
				claimed = owner
			case owner != claimed:
				return oauth.Account{}, p.refusal(oauth.AccountMismatch, "", nil)
			}
		}
	}
	if claimed == "" {
		return oauth.Account{}, p.refusal(oauth.BadResponse, "", errNoMerchant)
	}
	return oauth.Account{ExternalID: claimed}, nil
}

// evidence gives rows that the token can read. The path of the transactions is not documented for this product, so
// its absence is no answer.
func (p *Provider) evidence(ctx context.Context, cred oauth.Credential) ([]outbound.Object, error) {
	probe, err := p.page(ctx, cred, p.probePath, probeSpan, 1, 1)
	if err != nil || len(probe.rows) > 0 || p.probePath == transactionsPath {
		return probe.rows, err
	}
	more, err := p.page(ctx, cred, transactionsPath, window, 1, 1)
	if kind := oauth.KindOf(err); kind == oauth.NotFound || kind == oauth.BadRequest || kind == oauth.Permission {
		return nil, nil
	}
	return more.rows, err
}

func (p *Provider) refusal(kind oauth.Kind, code string, cause error) *oauth.Error {
	return &oauth.Error{Provider: slug, Kind: kind, Code: code, Cause: cause}
}
