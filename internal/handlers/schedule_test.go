package handlers

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// mayAsk forgets how often connections were fetched by hand.
func (h *harbour) mayAsk(t *testing.T) {
	t.Helper()
	_, err := h.db.Owner.Exec(t.Context(), `UPDATE connections SET sync_asked_till = NULL`)
	must(t, err)
}

func TestSchedule_IsShownPausedAndResumed(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	path := h.connected(t, v, "12345")
	h.work(t)
	v.get(t, path).want(t, "after the first fetch", 200, "", "Next fetch", "in 1 hour", "about every hour", "Pause automatic fetching")

	for range 2 { // twice does no harm, and is told once
		v.post(t, path+"/pause").want(t, "pausing", 303, path)
	}
	v.get(t, path).want(t, "paused", 200, "", "Nothing is fetched by itself any more", "Paused since", "Resume automatic fetching",
		"Paused the automatic fetching of Fake, account 1•••5.", `id="sync"`)
	v.post(t, path+"/resume").want(t, "resuming", 303, path)
	v.get(t, path).want(t, "resumed", 200, "", "The data is fetched by itself again.", "in 1 hour", "Resumed the automatic fetching")
	v.get(t, path+"?lang=zh-CN").want(t, "in Chinese", 200, "", "下次获取", "1 小时后", "约每 1 小时自动获取一次", "暂停自动获取")
	if n := strings.Count(v.get(t, "/activity?lang=en").body, "Paused the automatic fetching"); n != 1 {
		t.Errorf("pausing was told %d times", n)
	}

	v.post(t, path+"/disconnect").want(t, "disconnecting", 303, path)
	v.post(t, path+"/pause").want(t, "pausing what is disconnected", 409, "", "This account is disconnected.")
	if page := v.get(t, path); strings.Contains(page.body, "Next fetch") {
		t.Error("a disconnected account has a next fetch")
	}
}

func TestSchedule_NothingIsPromisedThatNeedsThePerson(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	path := h.connected(t, v, "12345")
	h.fake.Set(func(f *oauthtest.Fake) { f.OnMerchant = failingMerchant(oauth.NeedsReauth) })
	h.work(t)
	v.get(t, path).want(t, "the page", 200, "", "Next fetch", "When you have reconnected")
}

func TestSchedule_ByHandThereIsALimitThatIsSaid(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	path := h.connected(t, v, "12345")
	h.work(t)
	v.get(t, path).want(t, "before", 200, "", "By hand at most 5 times in 15 minutes.")
	for range models.AskBurst {
		v.post(t, path+"/sync").want(t, "fetching by hand", 303, path)
		v.post(t, path+"/sync").want(t, "while it is on its way", 303, path) // counts as one
		h.work(t)
	}
	page := v.get(t, path)
	page.want(t, "at the limit", 200, "", "Fetched by hand 5 times just now. It is possible again in 2 minutes, at")
	if strings.Contains(page.body, `id="sync"`) {
		t.Error("the button is there although it would be refused")
	}
	v.post(t, path+"/sync").want(t, "once more", 429, "", "It is possible again in 2 minutes")
	if len(h.syncs) != 0 {
		t.Error("it was fetched all the same")
	}
}

// TestASyncsRoundTrips counts what one sync costs the database: its beginning with the credential, one for each block of
// data, and its end with the time of the next.
func TestASyncsRoundTrips(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	if got := v.get(t, d.begin(t, v, "10001")); got.status != http.StatusSeeOther {
		t.Fatalf("connecting: %d", got.status)
	}
	var tenant, connection uuid.UUID
	must(t, d.db.Owner.QueryRow(t.Context(), `SELECT tenant_id, id FROM connections`).Scan(&tenant, &connection))
	sync := func() {
		t.Helper()
		must(t, d.connect.Sync(t.Context(), d.store.ForTenant(tenant, models.Actor{Kind: models.System}), connection))
	}
	for range 3 { // every statement is prepared once now
		sync()
	}
	d.trips.take()
	sync()
	if n, of := d.trips.take(); n != 2+5 {
		t.Errorf("a sync of five blocks took %d trips, want 7:\n%s", n, strings.Join(of, "\n"))
	}
}
