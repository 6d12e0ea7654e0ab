// Package cardwallet connects merchants of 卡钱包, a virtual-card service: client_id and client_secret, copied by the
// merchant, and OAuth 2.0 client credentials with them.
//
// Documents: https://falpay.apifox.cn. Only the page of the token call is public; a reader must know what follows.
//
//   - The token call is a POST with its parameters in the query, the secret among them: see token.go. So no error of
//     this package carries an address.
//   - A token lives for expires_in, 60 in the sample and without a unit, and is part of the credential: it is got when a
//     read is due and shared by all reads while it lasts. Whether a new token ends the one before is not said, so a read
//     answered 401 says that the token is over, whatever the clock thinks.
//   - The reads (merchant, wallet, wallet flow) are known by name only. Each is off until its path is configured, and a
//     provider without a path does not have the method: having it is the promise.
//   - The fields of the answers are not public either. They are mapped by lists of likely names (fields.go, map.go), and
//     what no name fits is kept and shown as it came.
//   - Six callbacks are known by name only. They can be signed by a rule that is not public, and none is guessed: they
//     are news that something may have changed, and never more (callback.go).
//
// The account is the client_id, 19 digits and more than a float holds: a string throughout. Requests can be signed there
// by the same rule; none is. Calls that write
// (cards, recharges, withdrawals) are out of scope.
package cardwallet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	_ "time/tzdata" // times come without a zone, also where the system has no zones

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

const (
	slug = "cardwallet"

	idField     = "client_id" // in the form, in the token call, in Credential.Extra
	secretField = "client_secret"
	scopeKey    = "scope" // in Credential.Extra

	tokenPath = "/api/open/auth/token" //nolint:gosec // an address
	homeZone  = "Asia/Shanghai"        // assumed: the documents name none
)

var (
	errAddress = errors.New("the address does not parse")
	errAnswer  = errors.New("the answer is not the documented one")
	errNoToken = errors.New("the answer holds no usable token")
	errNone    = errors.New("no token is at hand")
	errValues  = errors.New("client_id or client_secret is missing, or not in one piece")
	errNothing = errors.New("the answer holds nothing")
	errPath    = errors.New("nothing answers at the configured path")
)

// Factory is the line of cmd/web/providers.go.
func Factory() oauth.Factory {
	return oauth.Factory{Describe: describe, New: New}
}

var (
	_ oauth.KeyFlow = (*Provider)(nil)
	_ oauth.Checker = (*Provider)(nil)
)

// Provider is the service with its settings. What it can read is added by New.
type Provider struct {
	descriptor oauth.Descriptor
	baseURL    string
	tokenPath  string
	inForm     bool // TOKEN_PARAMS=form
	unit       time.Duration
	authHeader string
	authPrefix string
	paths      paths
	ack        []byte // what a callback is answered with
	zone       *time.Location
	caller     oauth.Caller
	now        func() time.Time
	log        *slog.Logger
}

// paths are those of the reads; empty is off.
type paths struct{ merchant, wallet, flow string }

// New makes the provider, with the reads whose paths are configured.
func New(c oauth.Config) (oauth.Provider, error) {
	c = c.Complete()
	s := c.Settings
	p := &Provider{
		baseURL: strings.TrimRight(s.Get("BASE_URL"), "/"), tokenPath: cmp.Or(s.Get("TOKEN_PATH"), tokenPath),
		authHeader: cmp.Or(s.Get("AUTH_HEADER"), "Authorization"), authPrefix: cmp.Or(s.Get("AUTH_PREFIX"), "Bearer"),
		paths:  paths{merchant: s.Get("MERCHANT_PATH"), wallet: s.Get("WALLET_PATH"), flow: s.Get("FLOW_PATH")},
		ack:    []byte(cmp.Or(s.Get("CALLBACK_ACK"), ack)),
		caller: c.Caller, now: c.Now, log: c.Log,
	}
	if p.authPrefix += " "; p.authPrefix == none+" " {
		p.authPrefix = ""
	}
	p.inForm = s.Get("TOKEN_PARAMS") == paramsForm
	if p.unit = time.Second; s.Get("EXPIRES_IN_UNIT") == unitMinutes {
		p.unit = time.Minute
	}
	for _, declared := range settings() {
		value := s.Get(declared.Name)
		if value == "" && !declared.Required {
			continue
		}
		if err := declared.Check(value); err != nil {
			return nil, fmt.Errorf("cardwallet: %s %w", declared.Name, err)
		}
	}
	var err error
	if p.zone, err = time.LoadLocation(homeZone); err != nil {
		return nil, fmt.Errorf("cardwallet: %w", err)
	}
	p.descriptor = described(p.paths)
	p.descriptor.Environment = c.Environment
	return p.able(), nil
}

// Descriptor implements oauth.Provider.
func (p *Provider) Descriptor() oauth.Descriptor { return p.descriptor }

// Fields implements oauth.KeyFlow.
func (p *Provider) Fields() []oauth.Field { return fields() }

// Check implements oauth.Checker: both values are there and in one piece.
func (p *Provider) Check(values oauth.Values) error {
	if field := typed(values).unusable(); field != "" {
		return p.refusal(oauth.BadRequest, field, errValues)
	}
	return nil
}

// typed reads a form.
func typed(values oauth.Values) client {
	return client{id: strings.TrimSpace(values[idField].Reveal()), secret: secret.New(strings.TrimSpace(values[secretField].Reveal()))}
}

// Verify implements oauth.KeyFlow: the values are right if a token is given for them, and it is the first to be used.
func (p *Provider) Verify(ctx context.Context, values oauth.Values) (oauth.Credential, error) {
	if err := p.Check(values); err != nil {
		return oauth.Credential{}, err
	}
	return p.fetchToken(ctx, typed(values))
}

// Identify implements oauth.Provider. The account is the client_id, which the token proves that Verify was given. Where
// the merchant can be read it also has a name; that read failing is for the sync to tell, not for the way in.
func (p *Provider) Identify(ctx context.Context, cred oauth.Credential) (oauth.Account, error) {
	c, err := p.client(cred)
	if err != nil {
		return oauth.Account{}, err
	}
	if cred.AccessToken.IsEmpty() {
		return oauth.Account{}, p.refusal(oauth.AuthExpired, "", errNone)
	}
	account := oauth.Account{ExternalID: c.id}
	if p.paths.merchant != "" {
		if m, err := (merchants{p}).FetchMerchant(ctx, cred); err == nil {
			account.Name = m.Data.Name
		}
	}
	return account, nil
}

func (p *Provider) client(cred oauth.Credential) (client, error) {
	c := client{id: cred.Extra[idField].Reveal(), secret: cred.Extra[secretField]}
	if field := c.unusable(); field != "" {
		return client{}, p.refusal(oauth.BadRequest, field, errValues)
	}
	return c, nil
}

func (p *Provider) refusal(kind oauth.Kind, code string, cause error) *oauth.Error {
	return &oauth.Error{Provider: slug, Kind: kind, Code: code, Cause: cause}
}
