package oauth_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"mooring/internal/oauth"
)

func TestLand(t *testing.T) {
	many := url.Values{"code": {"c"}}
	for i := range 40 {
		many.Set(fmt.Sprint("p", i), "x")
	}
	for name, tc := range map[string]struct {
		query   url.Values
		want    oauth.Outcome
		state   string
		code    string
		problem string
	}{
		"code and state":            {query("code=c&state=s&merNo=12345"), oauth.CameBack, "s", "c", ""},
		"no state":                  {query("code=c&merNo=12345"), oauth.CameBack, "", "c", ""},
		"empty state":               {query("code=c&state="), oauth.Malformed, "", "", ""},
		"denied":                    {query("error=access_denied&state=s"), oauth.SaidNo, "s", "", ""},
		"denied, with a code":       {query("error=access_denied&state=s&code=c"), oauth.SaidNo, "s", "c", ""},
		"failed":                    {query("error=server_error&error_description=canary&state=s"), oauth.WentWrong, "s", "", "server_error"},
		"failed with anything":      {query("error=" + strings.Repeat("%0a", 99)), oauth.WentWrong, "", "", strings.Repeat("?", 40)},
		"no code":                   {query("state=s"), oauth.WentWrong, "s", "", ""},
		"empty code":                {query("state=s&code="), oauth.WentWrong, "s", "", ""},
		"nothing":                   {nil, oauth.WentWrong, "", "", ""},
		"two states":                {query("code=c&state=a&state=b"), oauth.Malformed, "", "", ""},
		"two codes":                 {query("code=a&code=b&state=s"), oauth.Malformed, "", "", ""},
		"two merchants":             {query("code=c&state=s&merNo=1&merNo=2"), oauth.Malformed, "", "", ""},
		"the same parameter twice":  {query("code=c&state=s&state=s"), oauth.Malformed, "", "", ""},
		"a code without end":        {query("state=s&code=" + strings.Repeat("c", 2049)), oauth.Malformed, "", "", ""},
		"a name without end":        {query("code=c&" + strings.Repeat("n", 2049) + "=1"), oauth.Malformed, "", "", ""},
		"parameters without number": {many, oauth.Malformed, "", "", ""},
	} {
		got := oauth.Land(tc.query)
		if got.Outcome != tc.want || got.State != tc.state || got.Arrival.Code.Reveal() != tc.code || got.Code != tc.problem {
			t.Errorf("%s: %+v with code %q", name, got, got.Arrival.Code.Reveal())
		}
		if got.Arrival.Params.Has("code") || got.Arrival.Params.Has("state") {
			t.Errorf("%s: code or state are left among the parameters", name)
		}
	}
}

func query(raw string) url.Values {
	values, err := url.ParseQuery(raw)
	if err != nil {
		panic(err)
	}
	return values
}
