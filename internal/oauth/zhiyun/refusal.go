package zhiyun

import (
	"errors"
	"net/http"
	"time"

	"mooring/internal/oauth"
)

// The codes that are looked at one by one.
const (
	codeOK           = "200"
	codeUnauthorized = "401"
	codeMissing      = "100019"
	codeExpired      = "100020"
	codeNoCompany    = "905"
	codeNoCompanies  = "904"
)

// clockWindow is how far t_ may be from the provider's clock.
const clockWindow = time.Hour

// kinds are the documented codes, and those of the source that no document lists. 401 depends, see unauthorized.
func kinds() map[string]oauth.Kind {
	return map[string]oauth.Kind{
		"304": oauth.Upstream, "400": oauth.BadRequest, "500": oauth.Upstream, "501": oauth.BadRequest,
		"601": oauth.BadRequest, "602": oauth.NotFound,
		"100002": oauth.AuthConfig, "100008": oauth.AuthConfig, "100009": oauth.AuthConfig, "100013": oauth.AuthConfig,
		"100014": oauth.NeedsReauth, "714": oauth.NeedsReauth,
		"100018": oauth.Permission, "100021": oauth.Permission, "100023": oauth.Permission,
		codeMissing: oauth.Upstream, codeExpired: oauth.Upstream, // once more is left to read; what remains is theirs
		"704": oauth.NotFound, "705": oauth.NotFound, codeNoCompanies: oauth.NotFound, codeNoCompany: oauth.NotFound,
		"1045": oauth.Upstream,
	}
}

// refused sorts an answer that is no success: the code first, then the status. stamp is the t_ that was sent.
func (p *Provider) refused(answer oauth.Answer, r reply, understood bool, stamp string) *oauth.Error {
	e := p.refusal(oauth.BadResponse, r.code, nil)
	e.RetryAfter = answer.RetryAfter
	kind, known := kinds()[r.code]
	switch {
	case known:
		e.Kind = kind
	case r.code == codeUnauthorized, r.code == "" && answer.Status == http.StatusUnauthorized:
		unauthorized(e, answer, stamp)
	case answer.Status == http.StatusTooManyRequests:
		e.Kind = oauth.RateLimited
	case answer.Status >= http.StatusInternalServerError:
		e.Kind = oauth.Upstream // two of the codes end in HTML, for a class that the source does not find
	case r.code != "":
		e.Kind = oauth.Upstream
	case answer.Status == http.StatusForbidden:
		e.Kind = oauth.Upstream // a wall in front of the provider
	case !understood:
		e.Cause = errAnswer
	}
	return e
}

// unauthorized tells the two meanings of 401 apart: a clock that is off, which the provider's Date header shows, and
// anything about our client.
func unauthorized(e *oauth.Error, answer oauth.Answer, stamp string) {
	e.Kind = oauth.AuthConfig
	if answer.Dated && answer.Skew.Abs() >= clockWindow {
		e.Kind = oauth.ClockSkew
	}
	e.Facts = []oauth.Fact{{Name: oauth.SentTime, Value: stamp}, {Name: oauth.SentZone, Value: "ms, UTC"}, oauth.SkewFact(answer)}
}

// noCompany says whether a refusal means that the account has no company.
func noCompany(err error) bool {
	e, ok := errors.AsType[*oauth.Error](err)
	return ok && (e.Code == codeNoCompany || e.Code == codeNoCompanies)
}
