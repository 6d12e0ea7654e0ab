package asiabill

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

const (
	requestIDLength = 20 // of at most 20; a UUID's 36 would be refused
	timeLayout      = "2006-01-02T15:04:05"
	pageSize        = 100
	maxPages        = 5 // of one list in one sync; more is told as Partial
)

var (
	errAddress = errors.New("the address does not parse")
	errAnswer  = errors.New("the answer is not the documented one")
)

// page is one page of a list.
type page struct {
	rows  []outbound.Object
	total int
	raw   []byte
}

// page reads one page of the entries within the last span, counted in the provider's zone.
func (p *Provider) page(ctx context.Context, cred oauth.Credential, path string, span time.Duration, index, size int) (page, error) {
	now := p.now().In(p.zone)
	q := url.Values{
		"startTime": {now.Add(-span).Format(timeLayout)}, "endTime": {now.Format(timeLayout)},
		"pageIndex": {strconv.Itoa(index)}, "pageSize": {strconv.Itoa(size)},
	}
	answer, r, err := p.read(ctx, cred, p.openAPIURL+path+"?"+q.Encode())
	if err != nil {
		return page{}, err
	}
	rows, total, err := listOf(r.data)
	if err != nil {
		return page{}, p.refusal(oauth.BadResponse, r.code, err)
	}
	return page{rows: rows, total: total, raw: answer.Body}, nil
}

// read makes one authenticated GET. request-time carries no zone, so a wrong one is hours off: when the provider
// complains of the time, the other candidate is tried, once, and if that is refused as well the clock is to blame.
func (p *Provider) read(ctx context.Context, cred oauth.Credential, address string) (oauth.Answer, reply, error) {
	answer, r, err := p.readIn(ctx, cred, address, p.zone)
	if oauth.KindOf(err) != oauth.ClockSkew {
		return answer, r, err
	}
	answer, r, err = p.readIn(ctx, cred, address, p.otherZone)
	if err == nil {
		p.zoneTold.Do(func() {
			p.log.Warn("AsiaBill takes request-time in another zone than REQUEST_TIME_ZONE says; every read is made twice",
				"provider", slug, "configured", p.zone.String(), "accepted", p.otherZone.String())
		})
	}
	return answer, r, err
}

func (p *Provider) readIn(ctx context.Context, cred oauth.Credential, address string, zone *time.Location) (oauth.Answer, reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return oauth.Answer{}, reply{}, p.refusal(oauth.AuthConfig, "", errAddress)
	}
	req.Header.Set("Authorization", "Bearer "+cred.AccessToken.Reveal())
	req.Header.Set("Request-Id", rand.Text()[:requestIDLength]) // 100 bits of base32
	at := p.now().In(zone)
	req.Header.Set("Request-Time", at.Format(timeLayout))
	req.Header.Set("Accept", "application/json")
	answer, err := p.caller.Call(ctx, req)
	if err != nil {
		return oauth.Answer{}, reply{}, oauth.UnansweredRead(slug, err)
	}
	r, understood := parse(answer.Body)
	if r.accepted() {
		return answer, r, nil
	}
	return oauth.Answer{}, reply{}, p.readRefused(answer, r, understood, at)
}

// readRefused sorts a refusal of a read: the body first, then the status. No codes are documented, so what the message
// names must do; the message itself goes nowhere. at is the time that was sent, in the zone that it was written in.
func (p *Provider) readRefused(answer oauth.Answer, r reply, understood bool, at time.Time) *oauth.Error {
	e := p.refusal(oauth.Upstream, r.name(), nil)
	e.RetryAfter = answer.RetryAfter
	switch {
	case r.namesTime():
		e.Kind = oauth.ClockSkew
		e.Facts = []oauth.Fact{
			{Name: oauth.SentTime, Value: at.Format(timeLayout)}, {Name: oauth.SentZone, Value: at.Location().String()}, oauth.SkewFact(answer),
		}
	case answer.Status == http.StatusTooManyRequests || r.names("频繁", "too many", "too frequent"):
		e.Kind = oauth.RateLimited
	case answer.Status >= http.StatusInternalServerError:
		e.Kind = oauth.Upstream
	case answer.Status == http.StatusUnauthorized,
		answer.Status == http.StatusForbidden && understood, // a wall in front of the provider says 403 in HTML
		r.names("token", "授权", "过期", "unauthorized"):
		e.Kind = oauth.NeedsReauth
	case r.names("request-id", "requestid", "request_id"):
		e.Kind = oauth.Replay
	case answer.Status == http.StatusNotFound:
		e.Kind = oauth.NotFound
	case answer.Status == http.StatusForbidden:
		e.Kind = oauth.Upstream
	case answer.Status >= http.StatusBadRequest:
		e.Kind = oauth.BadRequest
	case !understood || !r.refused():
		e.Kind, e.Cause = oauth.BadResponse, errAnswer
	}
	return e
}
