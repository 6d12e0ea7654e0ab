package connect_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// tells makes the fake tell this company from now on.
func (h *harness) tells(c oauth.Company) {
	h.fake.Set(func(f *oauthtest.Fake) {
		f.OnCompany = func(context.Context, oauth.Credential) (oauth.Reading[oauth.Company], error) {
			return oauth.Reading[oauth.Company]{Data: c, Raw: []byte(`{}`)}, nil
		}
	})
}

func (m *merchant) changedEvents() []models.Event {
	m.h.t.Helper()
	events, err := m.again().Events(m.h.t.Context(), uuid.Nil, 100)
	must(m.h.t, err)
	return slices.DeleteFunc(events, func(e models.Event) bool { return e.Kind != "connection.changed" })
}

func TestChangedCompanyIsToldByFieldsAndShownByValues(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	h.tells(oauth.Company{Name: "Pier Ltd", LegalPerson: "canary-first-person", City: "Xiamen"})
	c := m.connected("12345")
	must(t, m.sync(c.ID))
	h.clock.forward(time.Hour)
	must(t, m.sync(c.ID))
	if n := len(m.changedEvents()); n != 0 {
		t.Fatalf("%d events of a first version and an unchanged one, want none", n)
	}
	h.tells(oauth.Company{Name: "Pier & Sons Ltd", LegalPerson: "canary-second-person", City: "Xiamen"})
	h.clock.forward(time.Hour)
	must(t, m.sync(c.ID))

	events := m.changedEvents()
	if len(events) != 1 {
		t.Fatalf("%d events of one change", len(events))
	}
	detail, _ := json.Marshal(events[0].Detail)
	if want := `{"account":"1•••5","block":"company","fields":["name","legal_person"],"provider":"fake"}`; string(detail) != want {
		t.Errorf("the event tells %s, want %s", detail, want)
	}
	view, err := h.service.History(t.Context(), m.again(), connect.HistoryRequest{Connection: c.ID, Block: oauth.BlockCompany, Limit: 10})
	must(t, err)
	if len(view.Entries) != 2 || !view.Entries[1].First || len(view.Entries[0].Changes) != 2 {
		t.Fatalf("the history is %+v", view.Entries)
	}
	if got := view.Entries[0].Changes[0]; got.Old.Text != "Pier Ltd" || got.New.Text != "Pier & Sons Ltd" {
		t.Errorf("the change is %+v", got)
	}
	text, _ := json.Marshal(view.Entries)
	if strings.Contains(string(text), "canary") {
		t.Errorf("a personal value is not masked: %s", text)
	}
	shown, err := h.service.Show(t.Context(), m.again(), c.ID)
	must(t, err)
	for _, b := range shown.Blocks {
		if want := b.Block == oauth.BlockCompany; (len(b.Changed) == 2) != want {
			t.Errorf("%s points at %v", b.Block, b.Changed)
		}
	}
}

func TestAChangeAndItsEventAreOne(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")
	must(t, m.sync(c.ID))
	st := m.again()
	event := &models.NewEvent{Kind: "connection.changed", Connection: c.ID}
	err := st.SaveSnapshot(t.Context(), models.NewSnapshot{Connection: c.ID, Block: oauth.BlockCompany, Version: 1, Event: event})
	if err == nil || len(m.changedEvents()) != 0 {
		t.Errorf("a version that could not be saved was told of (%v)", err)
	}
}

func TestOtherBlocksChangeWithoutAnEvent(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")
	must(t, m.sync(c.ID))
	h.fake.Set(func(f *oauthtest.Fake) {
		f.OnUser = func(context.Context, oauth.Credential) (oauth.Reading[oauth.User], error) {
			return oauth.Reading[oauth.User]{Data: oauth.User{ID: "another"}, Raw: []byte(`{}`)}, nil
		}
	})
	must(t, m.sync(c.ID))
	if n := len(m.changedEvents()); n != 0 {
		t.Errorf("%d events of a changed person", n)
	}
	view, err := h.service.History(t.Context(), m.again(), connect.HistoryRequest{Connection: c.ID, Block: oauth.BlockUser, Limit: 10})
	if err != nil || len(view.Entries) != 2 {
		t.Errorf("%d entries, %v", len(view.Entries), err)
	}
}

func TestHistory_PagesMeetWithoutGapOrRepeat(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")
	for _, city := range strings.Split("a b c d e f g", " ") { // several blocks at the same moment, too
		h.tells(oauth.Company{City: city})
		must(t, m.sync(c.ID))
	}
	all, err := h.service.History(t.Context(), m.again(), connect.HistoryRequest{Connection: c.ID, Limit: 100})
	must(t, err)
	var paged []connect.HistoryEntry
	for before := ""; ; {
		page, err := h.service.History(t.Context(), m.again(), connect.HistoryRequest{Connection: c.ID, Limit: 3, Before: before})
		must(t, err)
		paged = append(paged, page.Entries...)
		if before = page.Next; before == "" {
			break
		}
	}
	if len(all.Entries) != 10 || len(paged) != 10 {
		t.Fatalf("%d in one page, %d in several; want 10", len(all.Entries), len(paged))
	}
	for i := range paged {
		if a, b := all.Entries[i], paged[i]; a.Block != b.Block || len(a.Changes) != len(b.Changes) {
			t.Errorf("entry %d differs", i)
		}
	}
	for _, bad := range []string{"x", "AAAA", "MjAyNi0wMS0wMVQwMDowMDowMFogY29tcGFueQA"} {
		if _, err := h.service.History(t.Context(), m.again(), connect.HistoryRequest{Connection: c.ID, Limit: 3, Before: bad}); err == nil {
			t.Errorf("the cursor %q was believed", bad)
		}
	}
}

func TestHistory_OfWhatWasTamperedWithSaysSo(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	h.tells(oauth.Company{City: "a"})
	c := m.connected("12345")
	must(t, m.sync(c.ID))
	h.exec(`UPDATE snapshots SET data_sealed = set_byte(data_sealed, 20, get_byte(data_sealed, 20) # 1) WHERE block = 'company'`)
	h.tells(oauth.Company{City: "b"})
	must(t, m.sync(c.ID))
	if n := len(m.changedEvents()); n != 0 {
		t.Errorf("%d events although nobody knows what it was", n)
	}
	view, err := h.service.History(t.Context(), m.again(), connect.HistoryRequest{Connection: c.ID, Block: oauth.BlockCompany, Limit: 10})
	must(t, err)
	if len(view.Entries) != 2 || !view.Entries[0].Broken || len(view.Entries[0].Changes) != 0 {
		t.Errorf("the history is %+v", view.Entries)
	}
}
