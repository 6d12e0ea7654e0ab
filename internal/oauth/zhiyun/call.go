package zhiyun

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mooring/internal/oauth"
)

// codeLength is that of an auth_code: a SHA-1 in lower hex.
const codeLength = 40

var (
	errAddress = errors.New("the address does not parse")
	errAnswer  = errors.New("the answer is not the documented one")
)

// authorize asks for an auth_code: good for both reads, for 30 seconds.
func (p *Provider) authorize(ctx context.Context, cred oauth.Credential) (string, error) {
	r, err := p.call(ctx, cred, authorizePath, nil)
	if err != nil {
		return "", err
	}
	code := r.text("auth_code", "authorize_code") // the second is what a comment in the source calls it
	if len(code) != codeLength || !plausible(code) {
		return "", p.refusal(oauth.BadResponse, r.code, errAnswer)
	}
	return code, nil
}

// read asks for a code and reads with it. A code that has gone already is replaced once.
func (p *Provider) read(ctx context.Context, cred oauth.Credential, path string) (reply, error) {
	r, err := p.readOnce(ctx, cred, path)
	if e, ok := errors.AsType[*oauth.Error](err); ok && (e.Code == codeMissing || e.Code == codeExpired) {
		return p.readOnce(ctx, cred, path)
	}
	return r, err
}

func (p *Provider) readOnce(ctx context.Context, cred oauth.Credential, path string) (reply, error) {
	code, err := p.authorize(ctx, cred)
	if err != nil {
		return reply{}, err
	}
	return p.call(ctx, cred, path, url.Values{"auth_code": {code}})
}

// call makes one GET. Nothing that the provider offers has an effect that repeating would double.
func (p *Provider) call(ctx context.Context, cred oauth.Credential, path string, extra url.Values) (reply, error) {
	stamp, check := checksum(p.now())
	// client_id is not among the documented parameters, but the server answers 601 without it.
	query := url.Values{"access_token": {cred.AccessToken.Reveal()}, "client_id": {p.clientID}, "t_": {stamp}, "p_": {check}}
	for name, values := range extra {
		query[name] = values
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.baseURL+path+p.format+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return reply{}, p.refusal(oauth.AuthConfig, "", errAddress) // the original quotes the address, and the token is in it
	}
	req.SetBasicAuth(p.clientID, p.clientSecret.Reveal())
	req.Header.Set("Accept", "application/"+p.format)
	answer, err := p.caller.Call(ctx, req)
	if err != nil {
		return reply{}, oauth.UnansweredRead(slug, err)
	}
	r, understood := parse(answer.Body, p.format)
	if r.code == codeOK {
		return r, nil
	}
	return reply{}, p.refused(answer, r, understood, stamp)
}

// checksum makes t_, the milliseconds since 1970, and p_, which is made of its last four digits.
func checksum(now time.Time) (t, p string) {
	ms := now.UnixMilli()
	return strconv.FormatInt(ms, 10), strconv.FormatInt(ms%10000*3+2345, 10)
}

// instant reads a time that tells no zone. One that cannot be read is no time, and neither is MySQL's zero.
func (p *Provider) instant(value string) time.Time {
	at, err := time.ParseInLocation(time.DateTime, value, p.zone)
	if err != nil || strings.HasPrefix(value, "0000") {
		return time.Time{}
	}
	return at.UTC()
}

// asOf reads the provider's own time of an answer, in seconds; a comment in the source calls it newtime.
func (r reply) asOf() time.Time {
	n, err := strconv.ParseInt(r.text("nowtime", "newtime"), 10, 64)
	if err != nil || n <= 0 || n > 1<<36 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
