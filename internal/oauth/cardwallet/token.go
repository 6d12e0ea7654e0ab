package cardwallet

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/secret"
)

const (
	documentedLife = 60 * time.Second // the sample's; where the answer names none, or none that can be
	longestUse     = time.Hour        // of one token, whatever it says of itself
	spareLife      = 10 * time.Second // before the end of a token that it is used no more
)

// client is a merchant's pair of values.
type client struct {
	id     string
	secret secret.String
}

// unusable names the field whose value cannot be sent at all, "" if both can.
func (c client) unusable() string {
	switch {
	case !outbound.Visible(c.id, 128):
		return idField
	case !outbound.Visible(c.secret.Reveal(), 512):
		return secretField
	}
	return ""
}

// Refresh implements oauth.Refresher: a new token for the same values. Nothing is used up by it, and whoever keeps the
// credential sees to it that one is got for all who read.
func (p *Provider) Refresh(ctx context.Context, cred oauth.Credential) (oauth.Credential, error) {
	c, err := p.client(cred)
	if err != nil {
		return oauth.Credential{}, err
	}
	return p.fetchToken(ctx, c)
}

// fetchToken makes the token call. It changes nothing at the provider, so an answer that is missing is no riddle.
func (p *Provider) fetchToken(ctx context.Context, c client) (oauth.Credential, error) {
	params := url.Values{"grant_type": {"client_credentials"}, idField: {c.id}, secretField: {c.secret.Reveal()}}
	address, body := p.baseURL+p.tokenPath, ""
	if p.inForm {
		body = params.Encode()
	} else {
		address += "?" + params.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return oauth.Credential{}, p.refusal(oauth.AuthConfig, "", errAddress) // the original quotes the address, and the secret in it
	}
	req.Header.Set("Accept", "application/json")
	if p.inForm {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	asked := p.now()
	answer, err := p.caller.Call(ctx, req)
	if err != nil {
		return oauth.Credential{}, oauth.UnansweredRead(slug, err)
	}
	r, understood := parse(answer.Body)
	if !r.accepted() {
		return oauth.Credential{}, p.tokenRefused(answer, r, understood)
	}
	w, err := r.token()
	if err != nil || !outbound.Visible(w.AccessToken, 8<<10) {
		return oauth.Credential{}, p.refusal(oauth.BadResponse, "", errNoToken)
	}
	cred := oauth.Credential{
		AccessToken: secret.New(w.AccessToken), ObtainedAt: asked, ExpiresAt: asked.Add(p.use(string(w.ExpiresIn))),
		Extra: map[string]secret.String{idField: secret.New(c.id), secretField: c.secret},
	}
	if w.Scope != "" {
		cred.Extra[scopeKey] = secret.New(string(w.Scope))
	}
	return cred, nil
}

// use says for how long a token of a given life is used: four fifths, and no nearer to its end than ten seconds. Of a
// life too short for that, half: every read would get a token of its own otherwise. Too early does no harm.
func (p *Provider) use(expiresIn string) time.Duration {
	n, err := strconv.ParseFloat(expiresIn, 64)
	life := documentedLife
	if err == nil && n > 0 {
		life = time.Duration(min(n*p.unit.Seconds(), (2*longestUse).Seconds()) * float64(time.Second))
	}
	return min(max(min(life*4/5, life-spareLife), life/2), longestUse)
}
