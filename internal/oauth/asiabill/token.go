package asiabill

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/secret"
)

// The ways of the token call. The documents show POST with "body parameters" and, in another revision, GET with query
// parameters; neither shows the encoding of the body.
const (
	postForm = "post_form"
	postJSON = "post_json"
	getQuery = "get_query"
)

// A lifetime beyond this is none that anybody will see the end of; it is also where an absolute time would fall that
// was meant for a duration.
const longestLife = 10 * 365 * 24 * time.Hour

const longestToken = 8 << 10 // that goes into a header

var (
	errNoCode     = errors.New("no code to exchange")
	errNoToken    = errors.New("the answer holds no usable token")
	errNoRefresh  = errors.New("no refresh token to use")
	errNoMerchant = errors.New("neither the return nor the data names the merchant")
	errMerchants  = errors.New("the return names two merchants")
)

// Exchange implements oauth.RedirectFlow.
func (p *Provider) Exchange(ctx context.Context, a oauth.Arrival) (oauth.Credential, error) {
	if a.Code.IsEmpty() {
		return oauth.Credential{}, p.refusal(oauth.BadRequest, "", errNoCode)
	}
	merNo, err := p.announced(a.Params)
	if err != nil {
		return oauth.Credential{}, err
	}
	cred, err := p.token(ctx, url.Values{
		"client_id": {p.clientID}, "client_secret": {p.clientSecret.Reveal()}, "code": {a.Code.Reveal()},
		"grant_type": {"authorization_code"}, "redirect_uri": {a.RedirectURI},
	})
	if err != nil {
		return oauth.Credential{}, err
	}
	if merNo != "" {
		cred.Extra = map[string]secret.String{merNoKey: secret.New(merNo)}
	}
	return cred, nil
}

// announced reads the merchant number of the return, under the names that it may have. Another form than five digits
// is worth a word in the log and no more: the documents are not that firm.
func (p *Provider) announced(params url.Values) (string, error) {
	merNo := ""
	for _, name := range []string{"merNo", "merchantNo", "merchantId", "merno"} {
		switch value := strings.TrimSpace(params.Get(name)); {
		case value == "" || value == merNo:
		case merNo != "" || len(value) > 32:
			return "", p.refusal(oauth.BadResponse, "", errMerchants)
		default:
			merNo = value
		}
	}
	if merNo != "" && !digits(merNo, 5) {
		p.log.Warn("the merchant number is not five digits", "provider", slug, "length", len(merNo))
	}
	return merNo, nil
}

// renewing is a Provider that may refresh.
type renewing struct{ *Provider }

// Refresh implements oauth.Refresher, by OAuth's own way at the same address: the documents show none. Because they
// show none, a refusal here is never a definite one: the old token goes on being used until a read is answered 401, and
// only both together mean that the access is over.
func (r renewing) Refresh(ctx context.Context, cred oauth.Credential) (oauth.Credential, error) {
	if cred.RefreshToken.IsEmpty() {
		return oauth.Credential{}, r.refusal(oauth.AuthExpired, "", errNoRefresh)
	}
	fresh, err := r.token(ctx, url.Values{
		"client_id": {r.clientID}, "client_secret": {r.clientSecret.Reveal()},
		"refresh_token": {cred.RefreshToken.Reveal()}, "grant_type": {"refresh_token"},
	})
	if e, ok := errors.AsType[*oauth.Error](err); ok && e.Definite() {
		e.Kind = oauth.AuthExpired
	}
	if err != nil {
		return oauth.Credential{}, err
	}
	if fresh.RefreshToken.IsEmpty() {
		fresh.RefreshToken, fresh.RefreshExpires = cred.RefreshToken, cred.RefreshExpires
	}
	fresh.Extra = maps.Clone(cred.Extra)
	return fresh, nil
}

// token makes the call once. Only where the address does not know the method, and so cannot have looked at the code,
// the other documented method is tried.
func (p *Provider) token(ctx context.Context, params url.Values) (oauth.Credential, error) {
	answer, err := p.tokenCall(ctx, p.method, params)
	if err == nil && p.method != getQuery && methodUnknown(answer.Status) {
		p.log.Warn("the token address does not take POST, trying GET; TOKEN_METHOD=get_query saves the detour",
			"provider", slug, "status", answer.Status)
		answer, err = p.tokenCall(ctx, getQuery, params)
	}
	if err != nil {
		return oauth.Credential{}, oauth.Unanswered(slug, err)
	}
	return p.credential(answer)
}

func methodUnknown(status int) bool {
	return status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusUnsupportedMediaType
}

func (p *Provider) tokenCall(ctx context.Context, method string, params url.Values) (oauth.Answer, error) {
	verb, address, body, kind := http.MethodPost, p.oauthURL+exchangePath, []byte(nil), ""
	switch method {
	case getQuery:
		verb, address = http.MethodGet, address+"?"+params.Encode()
	case postJSON:
		kind, body = "application/json", asJSON(params)
	default:
		kind, body = "application/x-www-form-urlencoded", []byte(params.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, verb, address, bytes.NewReader(body))
	if err != nil {
		return oauth.Answer{}, errAddress // the original quotes the address, and the secret may be in it
	}
	req.Header.Set("Accept", "application/json")
	if verb == http.MethodGet {
		return p.caller.Call(ctx, outbound.Once(req))
	}
	req.Header.Set("Content-Type", kind)
	return p.caller.Call(ctx, req)
}

// asJSON writes the parameters as one flat object, with & and < as they are.
func asJSON(params url.Values) []byte {
	flat := map[string]string{}
	for name := range params {
		flat[name] = params.Get(name)
	}
	body, err := outbound.EncodeJSON(flat)
	if err != nil {
		return nil // strings always encode
	}
	return body
}

// credential reads the answer to a token call: the token at the top, under data, or under result.data.
func (p *Provider) credential(answer oauth.Answer) (oauth.Credential, error) {
	reply, understood := parse(answer.Body)
	if reply.refused() || (!success(answer.Status) && !reply.accepted()) {
		return oauth.Credential{}, p.tokenRefused(answer, reply, understood)
	}
	for _, place := range []json.RawMessage{answer.Body, reply.data} {
		var t tokenWire
		if outbound.DecodeJSON(place, &t) != nil || !outbound.Visible(t.AccessToken, longestToken) {
			continue
		}
		now := p.now()
		cred := oauth.Credential{AccessToken: secret.New(t.AccessToken), ExpiresAt: t.ExpiresIn.after(now), ObtainedAt: now}
		if outbound.Visible(t.RefreshToken, longestToken) {
			cred.RefreshToken, cred.RefreshExpires = secret.New(t.RefreshToken), t.RefreshExpiresIn.after(now)
		}
		return cred, nil
	}
	return oauth.Credential{}, p.refusal(oauth.BadResponse, reply.code, errNoToken)
}

// tokenRefused sorts a refusal of the token call. The documents list no codes; OAuth's own words come first, then the
// status, then what the message names. A bare 401 is about our client here, not about the merchant (RFC 6749 §5.2).
func (p *Provider) tokenRefused(answer oauth.Answer, r reply, understood bool) *oauth.Error {
	e := p.refusal(oauth.Upstream, r.name(), nil)
	e.RetryAfter = answer.RetryAfter
	switch {
	case answer.Status == http.StatusTooManyRequests:
		e.Kind = oauth.RateLimited
	case answer.Status >= http.StatusInternalServerError:
		e.Kind = oauth.Upstream
	case r.problem == "invalid_client" || r.problem == "unauthorized_client" || r.names("redirect_uri", "redirect uri", "回调地址"):
		e.Kind = oauth.AuthConfig
	case r.problem == "invalid_grant":
		e.Kind = oauth.NeedsReauth
	case r.problem != "" && r.problem != "server_error" && r.problem != "temporarily_unavailable":
		e.Kind = oauth.BadRequest
	case r.names("client_id", "client_secret", "client id", "client secret", "客户端", "密钥"):
		e.Kind = oauth.AuthConfig
	case r.names("token", "授权", "过期", "expired", "invalid code", "authorization code"):
		e.Kind = oauth.NeedsReauth
	case answer.Status == http.StatusUnauthorized, answer.Status == http.StatusForbidden, methodUnknown(answer.Status):
		e.Kind = oauth.AuthConfig
	case !understood:
		e.Kind = oauth.BadResponse
	case answer.Status >= http.StatusBadRequest:
		e.Kind = oauth.BadRequest
	}
	return e
}
