package chainup

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/secret"
)

// A lifetime beyond this is none that anybody will see the end of.
const longestLife = 10 * 365 * 24 * time.Hour

var (
	errNoCode    = errors.New("no code to exchange")
	errForeign   = errors.New("the return is meant for another app")
	errNoToken   = errors.New("the answer holds no usable token")
	errNoRefresh = errors.New("no refresh token to use")
	errNoAccount = errors.New("the credential names no account")
)

// Exchange implements oauth.RedirectFlow. The in-app variant of the login page returns the appKey as well.
func (p *Provider) Exchange(ctx context.Context, a oauth.Arrival) (oauth.Credential, error) {
	if a.Code.IsEmpty() {
		return oauth.Credential{}, p.refusal(oauth.BadRequest, "", errNoCode)
	}
	if app := a.Params.Get("appKey"); app != "" && app != p.appID {
		return oauth.Credential{}, p.refusal(oauth.BadResponse, "", errForeign)
	}
	plain, err := p.ask(ctx, call{path: exchangePath, once: true}, struct {
		Code string `json:"code"`
	}{a.Code.Reveal()})
	if err != nil {
		return oauth.Credential{}, err
	}
	return p.credential(plain)
}

// Refresh implements oauth.Refresher. Both tokens are replaced; the account must stay the same.
func (p *Provider) Refresh(ctx context.Context, cred oauth.Credential) (oauth.Credential, error) {
	openID := cred.Extra[openIDKey].Reveal()
	switch {
	case cred.RefreshToken.IsEmpty():
		return oauth.Credential{}, p.refusal(oauth.AuthExpired, "", errNoRefresh) // the reads may go on without
	case openID == "":
		return oauth.Credential{}, p.refusal(oauth.BadRequest, "", errNoAccount)
	}
	plain, err := p.ask(ctx, call{path: refreshPath, once: true}, struct {
		OpenID       string `json:"openId"`
		RefreshToken string `json:"refreshToken"`
		Token        string `json:"token"`
	}{openID, cred.RefreshToken.Reveal(), cred.AccessToken.Reveal()})
	if e, ok := errors.AsType[*oauth.Error](err); ok && e.Kind == oauth.AuthExpired {
		e.Kind = oauth.NeedsReauth // refreshing is what was just tried
	}
	if err != nil {
		return oauth.Credential{}, err
	}
	fresh, err := p.credential(plain)
	if err != nil {
		return oauth.Credential{}, err
	}
	if fresh.Extra[openIDKey].Reveal() != openID {
		return oauth.Credential{}, p.refusal(oauth.AccountMismatch, "", nil)
	}
	if fresh.RefreshToken.IsEmpty() {
		fresh.RefreshToken, fresh.RefreshExpires = cred.RefreshToken, cred.RefreshExpires
	}
	return fresh, nil
}

// tokenWire is the opened answer of both calls. Older documents misspell the refresh token in two ways.
type tokenWire struct {
	OpenID   outbound.Text `json:"openId"`
	Token    outbound.Text `json:"token"`
	ExpireIn outbound.Text `json:"expireIn"`

	RefreshToken outbound.Text `json:"refreshToken"`
	Misspelt     outbound.Text `json:"refersh_token"`
	Snake        outbound.Text `json:"refresh_token"`
}

func (p *Provider) credential(plain []byte) (oauth.Credential, error) {
	var w tokenWire
	if outbound.DecodeJSON(plain, &w) != nil || !visible(w.Token) || !visible(w.OpenID) {
		return oauth.Credential{}, p.refusal(oauth.BadResponse, "", errNoToken)
	}
	now := p.now()
	cred := oauth.Credential{
		AccessToken: secret.New(string(w.Token)), ExpiresAt: expiry(string(w.ExpireIn), now), ObtainedAt: now,
		Extra: sealed(string(w.OpenID)),
	}
	for _, refresh := range []outbound.Text{w.RefreshToken, w.Misspelt, w.Snake} {
		if visible(refresh) {
			cred.RefreshToken = secret.New(string(refresh))
			break
		}
	}
	return cred, nil
}

// expiry reads expireIn. The documents call it seconds and show a moment, so that its size decides: a moment in
// milliseconds, a moment in seconds, or a duration in seconds. Nothing, nonsense, a moment that has passed already and
// one that nobody will see mean that there is no known end; the token is then renewed when it is refused (60002).
func expiry(value string, now time.Time) time.Time {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(n) || n <= 0 || n >= 1e15 {
		return time.Time{}
	}
	var end time.Time
	switch {
	case n >= 1e12:
		end = time.UnixMilli(int64(n)).UTC()
	case n >= 1e9:
		end = time.Unix(int64(n), 0).UTC()
	case n > longestLife.Seconds():
		return time.Time{}
	default:
		end = now.Add(time.Duration(n * float64(time.Second)))
	}
	if !end.After(now) || end.Sub(now) > longestLife {
		return time.Time{}
	}
	return end
}
