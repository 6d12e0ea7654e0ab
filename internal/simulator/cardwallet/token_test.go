package cardwallet

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"mooring/internal/simulator/bench"
)

func TestToken_AsDocumented(t *testing.T) {
	w := newWorld(t)
	c := w.client(0)
	w.want(len(c.ClientID), 19, "digits of client_id")
	w.want(len(c.ClientSecret), 43, "letters of client_secret")
	a := w.ask(params(c))
	if !strings.HasPrefix(a.Text, `{"success":true,"code":"200","message":"操作成功","data":{"access_token":"`) ||
		!strings.HasSuffix(strings.TrimSpace(a.Text), `","token_type":"bearer","expires_in":60,"scope":"default"}}`) {
		t.Error(a.Text)
	}
	access := w.access(0)
	b, err := base64.StdEncoding.DecodeString(access)
	if err != nil || len(b) != 96 || len(access) != 128 || !strings.Contains(access, "+") || !strings.Contains(access, "/") {
		t.Errorf("access_token %q, %v", access, err)
	}
	line := w.last()
	w.want(line.Outcome, bench.OutcomeIssued, "outcome")
	w.want(line.Client, c.ClientID, "client of the line")
	w.want(line.Path, tokenPath, "path of the line, without its query")
}

func TestToken_Refusals(t *testing.T) {
	w := newWorld(t)
	c := w.client(0)
	with := func(name, value string) url.Values {
		v := params(c)
		v.Set(name, value)
		return v
	}
	without := func(name string) url.Values {
		v := params(c)
		v.Del(name)
		return v
	}
	twice := params(c)
	twice.Add("client_id", c.ClientID)
	for name, tc := range map[string]struct {
		values        url.Values
		code, outcome string
	}{
		"no grant_type":            {without("grant_type"), "400", "missing_grant_type"},
		"no client_id":             {without("client_id"), "400", "missing_client_id"},
		"no client_secret":         {without("client_secret"), "400", "missing_client_secret"},
		"another grant":            {with("grant_type", "password"), "400", "wrong_grant_type"},
		"one parameter more":       {with("scope", "all"), "400", "unknown_parameter"},
		"one twice":                {twice, "400", "malformed_parameters"},
		"wrong secret":             {with("client_secret", "x"), "401", "wrong_client"},
		"another's secret":         {with("client_secret", w.client(1).ClientSecret), "401", "wrong_client"},
		"unknown client":           {with("client_id", "1987654321098765400"), "401", "wrong_client"},
		"an id that lost a digit":  {with("client_id", "1987654321098765430"), "401", "wrong_client"},
		"a plus that became blank": {with("client_secret", strings.ReplaceAll(c.ClientSecret, "_", " ")+" "), "401", "wrong_client"},
	} {
		a := w.ask(tc.values)
		if a.Status != 200 || a.Success || a.Code != tc.code || string(a.Data) != "null" || w.last().Outcome != tc.outcome {
			t.Errorf("%s: %d %s (%s)", name, a.Status, a.Text, w.last().Outcome)
		}
	}
	a := w.do("GET", tokenPath+"?"+params(c).Encode(), "")
	w.want(a.Status, 405, "GET")
	a = w.do("POST", tokenPath, params(c).Encode(), "Content-Type", "application/x-www-form-urlencoded")
	w.want(a.Code, "400", "in a form")
	a = w.do("POST", tokenPath+"?"+params(c).Encode(), "{}", "Content-Type", "application/json")
	w.want(a.Code, "400", "with a body")
	a = w.do("POST", tokenPath+"?client_id=%zz", "")
	w.want(a.Code, "400", "a query that cannot be read")
}

func TestToken_LivesForSixtySeconds(t *testing.T) {
	w := newWorld(t)
	access := w.access(0)
	w.sim.Clock.Shift(59 * time.Second)
	w.want(w.read(DefaultPaths().Merchant, access, "{}").Code, "200", "after 59 seconds")
	w.sim.Clock.Shift(60 * time.Second)
	w.want(w.read(DefaultPaths().Merchant, access, "{}").Code, "401", "after 60 seconds")
	w.sim.Clock.Shift(0)
	first := w.access(0)
	w.access(0)
	w.want(w.read(DefaultPaths().Merchant, first, "{}").Code, "200", "beside a second one")
}

func TestRestart_KeepsWhatWasHandedOut(t *testing.T) {
	dir := t.TempDir()
	first := newWorldIn(t, dir)
	paths := Paths{"/a", "/b", "/c"}
	if err := first.sim.SetPaths(paths); err != nil {
		t.Fatal(err)
	}
	if err := first.sim.SetCallback(first.client(0).ClientID, "http://localhost:1/x"); err != nil {
		t.Fatal(err)
	}
	second := newWorldIn(t, dir)
	for i, c := range first.sim.Clients() {
		second.want(second.client(i), c, "client")
	}
	second.want(second.sim.Paths(), paths, "paths")
}
