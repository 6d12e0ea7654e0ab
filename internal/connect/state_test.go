package connect_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// refusing makes every read of the merchant fail; the zero kind lets it be.
func refusing(kind oauth.Kind) func(f *oauthtest.Fake) {
	return func(f *oauthtest.Fake) {
		f.OnMerchant = nil
		if kind != "" {
			f.OnMerchant = func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
				return oauth.Reading[oauth.Merchant]{}, &oauth.Error{Provider: "fake", Kind: kind, Code: "E-7"}
			}
		}
	}
}

// turns gives the events that tell of a state that has turned, oldest first.
func (m *merchant) turns() (turns []models.Event) {
	m.h.t.Helper()
	events, err := m.again().Events(m.h.t.Context(), uuid.Nil, 100)
	must(m.h.t, err)
	for _, e := range slices.Backward(events) {
		if e.Kind == "connection.needs_you" || e.Kind == "connection.recovered" {
			turns = append(turns, e)
		}
	}
	return turns
}

func TestState_OnlyARealTurnIsNews(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")
	at := func(kind oauth.Kind) {
		h.clock.forward(time.Minute)
		h.fake.Set(refusing(kind))
		_ = m.sync(c.ID) // what is transient comes back as an error, to be tried again
	}
	var kinds []string
	for _, step := range []struct {
		refusal oauth.Kind
		state   models.State
		news    string
	}{
		{"", models.Connected, ""},
		{oauth.Upstream, models.Provider, ""},
		{oauth.RateLimited, models.Provider, ""},
		{"", models.Connected, "connection.recovered"},
		{oauth.NeedsReauth, models.NeedsYou, "connection.needs_you"},
		{oauth.Permission, models.NeedsYou, ""},
		{oauth.Upstream, models.NeedsYou, ""}, // an outage does not hide that the merchant must act
		{"", models.Connected, "connection.recovered"},
		{"", models.Connected, ""},
		{oauth.ClockSkew, models.Ours, ""},
		{"", models.Connected, "connection.recovered"},
	} {
		before := m.connection(c.ID)
		at(step.refusal)
		got := m.connection(c.ID)
		if got.State != step.state || got.State != models.NeedsYou && got.Reason != string(step.refusal) {
			t.Fatalf("%q led to %s (%s), want %s", step.refusal, got.State, got.Reason, step.state)
		}
		if same := got.State == before.State; same != got.StateSince.Equal(before.StateSince) {
			t.Errorf("%q: since %s, was %s since %s", step.refusal, got.StateSince, before.State, before.StateSince)
		}
		if step.news != "" {
			kinds = append(kinds, step.news)
		}
		var told []string
		for _, e := range m.turns() {
			told = append(told, e.Kind)
		}
		if !slices.Equal(told, kinds) {
			t.Fatalf("after %q the history tells %v, want %v", step.refusal, told, kinds)
		}
	}
	turns := m.turns()
	if d := turns[1].Detail; d["provider"] != "fake" || d["account"] != c.AccountMasked || d["reason"] != "needs_reauth" || d["code"] != "E-7" {
		t.Errorf("needs_you tells %v", d)
	}
	since, err := time.Parse(time.RFC3339, turns[0].Detail["since"].(string))
	if err != nil || !since.Before(turns[0].CreatedAt) {
		t.Errorf("recovered tells %v (%v)", turns[0].Detail, err)
	}
}

func TestState_ReconnectingRecovers(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")
	h.fake.Set(refusing(oauth.NeedsReauth))
	must(t, m.sync(c.ID))
	h.fake.Set(refusing(""))
	b := m.begin(&c.ID)
	_, err := m.finish(h.fake.Approve(b.Location, "12345"))
	must(t, err)
	if got := m.connection(c.ID); got.State != models.Connected || got.Reason != "" {
		t.Errorf("%s (%s)", got.State, got.Reason)
	}
	if turns := m.turns(); len(turns) != 2 || turns[1].Kind != "connection.recovered" {
		t.Errorf("the history tells %v", turns)
	}
	m.connected("12345") // once more, with nothing broken
	if turns := m.turns(); len(turns) != 2 {
		t.Errorf("nothing had to recover, yet the history tells %v", turns[2:])
	}
}

// TestState_WhoFilledInTheKeyMustMendIt: a link flow signs with the merchant's own key, and the rest of what can be
// refused there is the platform's.
func TestState_WhoFilledInTheKeyMustMendIt(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	a, link := p.begin(p.m)
	p.accepted(p.linked.Call(link, "12345"))
	p.work(p.m)
	end, err := p.service.Confirm(t.Context(), p.m.again(), a.ID, p.m.user, p.m.session)
	must(t, err)
	for kind, want := range map[oauth.Kind]models.State{oauth.Signature: models.NeedsYou, oauth.AuthConfig: models.Ours} {
		p.linked.Set(refusing(kind))
		must(t, p.m.sync(*end.ResultConnection))
		if c := p.m.connection(*end.ResultConnection); c.State != want || c.Reason != string(kind) {
			t.Errorf("%s leads to %s (%s), want %s", kind, c.State, c.Reason, want)
		}
	}
}

func TestPasted(t *testing.T) {
	t.Parallel()
	clients := []oauth.Setting{{Name: "BASE_URL"}, {Name: "CLIENT_SECRET", Secret: true}}
	for name, c := range map[string]struct {
		kind oauth.Kind
		d    oauth.Descriptor
		want bool
	}{
		"a key's own credentials":             {oauth.AuthConfig, oauth.Descriptor{Flow: oauth.FlowKey, Settings: clients[:1]}, true},
		"the platform's, beside a pasted key": {oauth.AuthConfig, oauth.Descriptor{Flow: oauth.FlowKey, Settings: clients}, false},
		"the platform's client":               {oauth.AuthConfig, oauth.Descriptor{Flow: oauth.FlowRedirect, Settings: clients}, false},
		"the merchant's signing key":          {oauth.Signature, oauth.Descriptor{Flow: oauth.FlowLink}, true},
		"the platform's signing key":          {oauth.Signature, oauth.Descriptor{Flow: oauth.FlowRedirect}, false},
		"the address of a link's provider":    {oauth.AuthConfig, oauth.Descriptor{Flow: oauth.FlowLink}, false},
	} {
		if got := connect.Pasted(c.kind, c.d); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
