package oauth

import (
	"net/url"

	"mooring/internal/secret"
)

// Outcome is what a browser came back with.
type Outcome string

// The outcomes of a redirect.
const (
	CameBack  Outcome = "came_back" // with a code
	SaidNo    Outcome = "said_no"   // the person refused (RFC 6749 §4.1.2.1, access_denied)
	WentWrong Outcome = "went_wrong"
	Malformed Outcome = "malformed" // a parameter twice, or one too long: nobody's honest answer
)

// longest and most are more than any provider's parameters need and less than a mischief.
const (
	longest = 2048
	most    = 32
)

// Landing is a browser's return, parsed.
type Landing struct {
	Outcome Outcome
	State   string // "" when the provider did not echo it
	Arrival Arrival
	Code    string // the provider's error code when it WentWrong, shortened
}

// Land parses the query of the callback. What the parameters mean to one provider stays in Arrival.Params; how the
// return is matched with an attempt is connect's affair.
func Land(query url.Values) Landing {
	if state, there := query["state"]; len(query) > most || (there && len(state) == 1 && state[0] == "") {
		return Landing{Outcome: Malformed} // an empty state is not an absent one: nobody echoes what was never sent
	}
	params := url.Values{}
	for name, values := range query {
		if len(values) != 1 || len(name) > longest || len(values[0]) > longest {
			return Landing{Outcome: Malformed}
		}
		params.Set(name, values[0])
	}
	l := Landing{State: params.Get("state"), Arrival: Arrival{Code: secret.New(params.Get("code")), Params: params}}
	params.Del("code")
	params.Del("state")
	switch refusal := params.Get("error"); {
	case refusal == "access_denied":
		l.Outcome = SaidNo
	case refusal != "":
		l.Outcome, l.Code = WentWrong, shorten(refusal)
	case l.Arrival.Code.IsEmpty():
		l.Outcome = WentWrong
	default:
		l.Outcome = CameBack
	}
	return l
}

// shorten keeps a code that somebody else wrote fit for a page and a log.
func shorten(code string) string {
	clean := make([]rune, 0, 40)
	for _, r := range code {
		if len(clean) == 40 {
			break
		}
		if r < ' ' || r == 0x7f {
			r = '?'
		}
		clean = append(clean, r)
	}
	return string(clean)
}
