package handlers

import (
	"bytes"
	"flag"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/i18n"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/templates"
)

var updateStates = flag.Bool("update-states", false, "write the golden panels of states anew")

// TestState_EachHasItsPanel compares badge and panel of every state with what was looked at in both languages.
func TestState_EachHasItsPanel(t *testing.T) {
	at := time.Date(2026, 3, 14, 9, 26, 0, 0, time.UTC)
	later, tries := at.Add(30*24*time.Hour), at.Add(time.Hour)
	pier := oauth.Descriptor{Slug: "pier", Title: oauth.Text{ZH: "码头", EN: "Pier"}, EndThere: oauth.Text{ZH: "请联系客服。", EN: "Ask its support."}}
	conn := func(state models.State, reason string) models.Connection {
		return models.Connection{ID: uuid.UUID{1}, Provider: "pier", AccountMasked: "1•••5", State: state, Reason: reason, StateSince: at, SyncState: models.SyncIdle, SyncedAt: &at}
	}
	gone := func(r models.Revocation, erase, erased *time.Time) connect.ConnectionView {
		c := conn(models.Disconnected, "")
		c.EraseAt, c.ErasedAt = erase, erased
		r.NextAt, r.UntilAt, r.EndedAt = &tries, at.Add(72*time.Hour), &at
		return connect.ConnectionView{Connection: c, Provider: pier, Revocation: &r}
	}
	plain := func(c models.Connection) connect.ConnectionView {
		return connect.ConnectionView{Connection: c, Provider: pier}
	}
	syncing, failing := conn(models.Connected, ""), conn(models.Provider, "upstream")
	syncing.SyncState, failing.NextSyncAt = models.SyncRunning, &tries
	views := []struct {
		name string
		view connect.ConnectionView
	}{
		{"connected", plain(conn(models.Connected, ""))},
		{"syncing", plain(syncing)},
		{"needs_you", plain(conn(models.NeedsYou, "needs_reauth"))},
		{"provider", plain(failing)},
		{"ours", plain(conn(models.Ours, "signature"))},
		{"disconnected, being told", gone(models.Revocation{State: models.RevocationWaiting}, nil, nil)},
		{"disconnected, not confirmed yet", gone(models.Revocation{State: models.RevocationWaiting, Tries: 2}, nil, nil)},
		{"disconnected, confirmed", gone(models.Revocation{State: models.RevocationConfirmed}, &later, nil)},
		{"disconnected, given up", gone(models.Revocation{State: models.RevocationGivenUp}, nil, &later)},
		{"disconnected, no way", gone(models.Revocation{State: models.RevocationNoWay}, nil, nil)},
		{"disconnected, unreadable", gone(models.Revocation{State: models.RevocationUnreadable}, nil, nil)},
	}
	parts, err := template.New("").ParseFS(templates.Files, "partials/*.html")
	must(t, err)
	for _, lang := range i18n.Languages() {
		var out bytes.Buffer
		for _, v := range views {
			page := Page{Words: wordsIn(t, lang), Viewer: &Viewer{Operate: true}}
			out.WriteString("== " + v.name + "\n" + page.StateBadge(v.view.Connection).Text + " / " + page.TheirStateBadge(v.view.Connection).Text + "\n")
			must(t, parts.ExecuteTemplate(&out, "state", page.statePanel(v.view)))
		}
		golden := filepath.Join("testdata", "states."+lang+".html")
		if *updateStates {
			must(t, os.WriteFile(golden, out.Bytes(), 0o600))
		}
		want, err := os.ReadFile(golden)
		must(t, err)
		if out.String() != string(want) || strings.Contains(out.String(), "⟨") {
			t.Errorf("%s differs; look at it and run with -update-states\n%s", golden, out.String())
		}
	}
}

func TestFreshness_SaysWhatMayBeOutdated(t *testing.T) {
	now := time.Date(2026, 3, 14, 9, 26, 0, 0, time.UTC)
	next := now.Add(10 * time.Minute)
	w := wordsIn(t, i18n.English)
	for name, c := range map[string]struct {
		state           models.State
		reason          string
		fetched, asOf   time.Duration // ago; negative: never, or not told
		stale, parkedAt bool
	}{
		"just fetched":                    {models.Connected, "", time.Minute, -1, false, false},
		"fetched an interval ago":         {models.Connected, "", time.Hour, -1, false, false},
		"not fetched for long":            {models.Connected, "", 4 * time.Hour, -1, true, false},
		"a frozen balance, just fetched":  {models.Connected, "", time.Minute, 9 * 24 * time.Hour, true, false},
		"broken, though fetched just now": {models.NeedsYou, "needs_reauth", time.Minute, -1, true, false},
		"parked":                          {models.Provider, "rate_limited", time.Minute, -1, true, true},
		"parked before anything came":     {models.Provider, "rate_limited", -1, -1, false, true},
		"disconnected":                    {models.Disconnected, "", time.Minute, -1, true, false},
	} {
		b := connect.BlockView{Block: oauth.BlockWallet}
		if c.fetched >= 0 {
			b.FetchedAt = now.Add(-c.fetched)
		}
		if c.asOf >= 0 {
			b.ProviderAsOf = now.Add(-c.asOf)
		}
		view := connect.ConnectionView{Blocks: []connect.BlockView{b}, Connection: models.Connection{State: c.state, Reason: c.reason, NextSyncAt: &next}}
		card := w.blockCards(view, now)[0]
		if (card.Stale != "") != c.stale || (card.Parked != "") != c.parkedAt {
			t.Errorf("%s: stale %q, parked %q", name, card.Stale, card.Parked)
		}
		if c.asOf > 0 && !strings.Contains(card.Stale, "5 Mar 2026") {
			t.Errorf("%s: %q does not tell the provider's date", name, card.Stale)
		}
	}
}
