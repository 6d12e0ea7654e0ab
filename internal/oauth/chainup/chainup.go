// Package chainup connects users of exchanges that run on ChainUp's white label, through its open platform: a browser
// redirect much like OAuth's, and calls inside an RSA envelope.
//
// Documents: https://platformv2docs.chainup.com (version 2, RSA). Version 1 signs with MD5 at the same paths and is not
// this one; ChainUp's custody product ("WaaS") has yet another envelope. What a reader must know:
//
//   - Every exchange is a host of its own, so BASE_URL has no default. The appKey of the login page is the app_id of
//     the calls.
//   - The redirect address must be the one registered at the exchange. The return carries a code; an echo of state is
//     not promised, so the state policy is cookie_fallback.
//   - Both sides encrypt and sign: see envelope.go. An answer that counts carries both; whatever is wrong with it, the
//     error is the same one.
//   - Data is authorised by the app's keys, not by the user's token: the openId alone says whose data comes. It is taken
//     from the signed token answer and from nowhere else, and a refresh that brings another one is refused.
//   - expireIn is documented as seconds and shown as a moment: see token.go. Refreshing replaces both tokens.
//
// A clock or signature refusal (50009, 50010, 50005) says in its cause what was sent and what was measured, for the
// operator who has to mend it. Calls that pay or register are out of scope.
package chainup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the exchange's day needs its zone, also where the system has no zones

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

const (
	slug = "chainup"

	loginPath    = "/platform/login.html"
	apiPath      = "/platformapi/chainup/open"
	exchangePath = apiPath + "/auth/token"
	refreshPath  = apiPath + "/auth/refreshToken"
	balancePath  = apiPath + "/user/accountBalance"
	uidPath      = apiPath + "/user/user_superior"
	userPath     = apiPath + "/user/inquire_user"

	openIDKey = "openId" // in Credential.Extra
	homeZone  = "Asia/Shanghai"
)

// Factory is the line of cmd/web/providers.go.
func Factory() oauth.Factory {
	return oauth.Factory{Describe: describe, New: New}
}

var (
	_ oauth.RedirectFlow  = (*Provider)(nil)
	_ oauth.Refresher     = (*Provider)(nil)
	_ oauth.WalletFetcher = (*Provider)(nil)
	_ oauth.UserFetcher   = (*Provider)(nil)
)

// Provider is one exchange with its settings.
type Provider struct {
	descriptor oauth.Descriptor
	baseURL    string
	loginURL   string
	appID      string
	timeFormat string
	keys       keys
	kinds      map[string]oauth.Kind // by documented code
	zone       *time.Location
	caller     oauth.Caller
	now        func() time.Time
	log        *slog.Logger
}

// New makes the provider.
func New(c oauth.Config) (oauth.Provider, error) {
	c = c.Complete()
	p := &Provider{
		descriptor: describe(), appID: c.Settings.Get("APP_ID"), kinds: kinds(), caller: c.Caller, now: c.Now, log: c.Log,
		timeFormat: cmp.Or(c.Settings.Get("TIME_FORMAT"), msNumber),
	}
	d := &p.descriptor
	d.Environment = c.Environment
	d.StatePolicy = oauth.StatePolicy(cmp.Or(c.Settings.Get("STATE_POLICY"), string(oauth.StateCookieFallback)))
	if err := p.addresses(c.Settings); err != nil {
		return nil, err
	}
	if err := oauth.CheckOneOf(msNumber, msString, sNumber)(p.timeFormat); err != nil {
		return nil, fmt.Errorf("chainup: TIME_FORMAT %w", err)
	}
	var err error
	if p.keys, err = parseKeys(c.Settings["PRIVATE_KEY"], c.Settings["PLATFORM_PUBLIC_KEY"]); err != nil {
		return nil, fmt.Errorf("chainup: %w", err)
	}
	if p.zone, err = time.LoadLocation(homeZone); err != nil {
		return nil, fmt.Errorf("chainup: %w", err)
	}
	return p, nil
}

// addresses settles where the exchange is. Its documents link a login page on another host than the calls', so that
// LOGIN_PATH may be a whole address as well.
func (p *Provider) addresses(s oauth.Settings) error {
	p.baseURL = strings.TrimRight(s.Get("BASE_URL"), "/")
	if err := oauth.CheckURL(p.baseURL); err != nil {
		return fmt.Errorf("chainup: BASE_URL %w", err)
	}
	login := cmp.Or(s.Get("LOGIN_PATH"), loginPath)
	if err := checkLogin(login); err != nil {
		return fmt.Errorf("chainup: LOGIN_PATH %w", err)
	}
	p.loginURL = login
	if strings.HasPrefix(login, "/") {
		p.loginURL = p.baseURL + login
	}
	u, err := url.Parse(p.loginURL)
	if err != nil {
		return errors.New("chainup: LOGIN_PATH does not make an address")
	}
	p.descriptor.FormOrigin = u.Scheme + "://" + u.Host
	return nil
}

// Descriptor implements oauth.Provider.
func (p *Provider) Descriptor() oauth.Descriptor { return p.descriptor }

// AuthURL implements oauth.RedirectFlow.
func (p *Provider) AuthURL(d oauth.Departure) (string, error) {
	q := url.Values{"appKey": {p.appID}, "redirectUrl": {d.RedirectURI}, "state": {d.State.Reveal()}}
	return p.loginURL + "?" + q.Encode(), nil
}

// Identify implements oauth.Provider. The openId came in a signed answer and is proof by itself; asking for its uid
// shows that the app's keys open the account, and gives the number that its owner knows. An exchange that does not let
// the app ask has answered for the openId already.
func (p *Provider) Identify(ctx context.Context, cred oauth.Credential) (oauth.Account, error) {
	openID := cred.Extra[openIDKey].Reveal()
	uid, _, err := p.uid(ctx, openID)
	if err != nil && !notForUs(err) {
		return oauth.Account{}, err
	}
	account := oauth.Account{ExternalID: openID}
	if uid != "" {
		account.Name = "UID " + uid
	}
	return account, nil
}

// notForUs says whether the exchange refused a read because it does not offer it to this app.
func notForUs(err error) bool {
	e, ok := errors.AsType[*oauth.Error](err)
	return ok && (e.Kind == oauth.NotFound || slices.Contains([]string{"50003", "50006", "50007", "50008", "50012"}, e.Code))
}

func (p *Provider) refusal(kind oauth.Kind, code string, cause error) *oauth.Error {
	return &oauth.Error{Provider: slug, Kind: kind, Code: code, Cause: cause}
}

// sealed wraps the openId for Credential.Extra.
func sealed(openID string) map[string]secret.String {
	return map[string]secret.String{openIDKey: secret.New(openID)}
}
