package handlers

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"mooring/internal/accounts"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

// staff signs in as a member of the platform's staff.
func (d *dock) staff(t *testing.T) *visitor {
	t.Helper()
	must(t, accounts.CreateAdmin(t.Context(), d.db.Owner, "admin@example.com", secret.New(lobbyPassword), time.Now()))
	v := d.visitor(t)
	v.post(t, "/login", "email", "admin@example.com", "password", lobbyPassword).want(t, "signing in", 303, "/admin")
	return v
}

// poison brings about a callback that cannot be acted on, and lets its tries run out. It gives the attempt's path.
func (d *dock) poison(t *testing.T, v *visitor) (path string) {
	t.Helper()
	d.linked.Set(func(f *oauthtest.Fake) {
		f.OnIdentify = func(context.Context, oauth.Credential) (oauth.Account, error) {
			return oauth.Account{}, &oauth.Error{Provider: "linked", Kind: oauth.Upstream}
		}
	})
	path, link := d.askForLink(t, v)
	d.server(t, d.linked.Call(link, "12345")).want(t, "the callback", 200, "")
	var tenant, id [16]byte
	must(t, d.db.Owner.QueryRow(t.Context(), `SELECT tenant_id, id FROM inbox WHERE state = 'waiting'`).Scan(&tenant, &id))
	for try := range 3 {
		st := d.store.ForTenant(tenant, models.Actor{Kind: models.System})
		_, err := d.connect.Process(t.Context(), st, id)
		if err == nil {
			t.Fatal("it was acted on")
		}
		must(t, d.connect.Failed(t.Context(), st, id, err, try == 2))
	}
	d.linked.Set(func(f *oauthtest.Fake) { f.OnIdentify = nil })
	return path
}

func TestInbox_ADeadLetterIsReplayedOnce(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	attempt := d.poison(t, v)
	staff := d.staff(t)
	list := staff.get(t, "/admin/webhooks?state=dead")
	list.want(t, "the list", 200, "", "Dead letters (1)", "Fake", "The end of a link", "Harbour Ltd")
	staff.get(t, "/admin/webhooks?state=waiting").want(t, "none of these", 200, "", "Nothing here")
	one := regexp.MustCompile(`/admin/webhooks/[0-9a-f-]{36}`).FindString(list.body)
	staff.get(t, one).want(t, "one", 200, "", "Verified", `id="replay"`, `id="discard"`, "sealed with the merchant&#39;s key")
	staff.get(t, one+"?lang=zh-CN").want(t, "in Chinese", 200, "", "死信", "重新处理")
	staff.get(t, one+"?lang=en")
	v.get(t, "/activity").want(t, "the merchant's history", 200, "", "could not be acted on")

	for range 3 { // pressed thrice
		staff.post(t, one+"/replay").want(t, "replaying", 303, one)
	}
	if n := d.count(t, `SELECT count(*) FROM river.river_job WHERE kind = 'callback'`); n != 2 {
		t.Errorf("%d jobs, want the first one and the replay's", n)
	}
	d.work(t)
	staff.post(t, one+"/replay").want(t, "replaying what is done", 303, one)
	staff.post(t, one+"/discard").want(t, "discarding what is done", 303, one)
	page := staff.get(t, one)
	page.want(t, "afterwards", 200, "", "Acted on")
	if strings.Contains(page.body, `id="replay"`) || strings.Contains(page.body, `id="discard"`) {
		t.Error("what is done can be done again")
	}
	v.get(t, attempt).want(t, "the attempt", 200, "", "Is this your account?")
	for table, want := range map[string]int{"events": 1, "platform_events": 1} {
		if n := d.count(t, `SELECT count(*) FROM `+table+` WHERE kind = 'callback.replayed' AND actor_id IS NOT NULL`); n != want {
			t.Errorf("%d replays in %s, want %d", n, table, want)
		}
	}
}

func (d *dock) count(t *testing.T, sql string) (n int) {
	t.Helper()
	must(t, d.db.Owner.QueryRow(t.Context(), sql).Scan(&n))
	return n
}

func TestInbox_DiscardDestroysTheContent(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	d.poison(t, v)
	staff := d.staff(t)
	one := regexp.MustCompile(`/admin/webhooks/[0-9a-f-]{36}`).FindString(staff.get(t, "/admin/webhooks").body)
	for range 2 {
		staff.post(t, one+"/discard").want(t, "discarding", 303, one)
	}
	staff.get(t, one).want(t, "afterwards", 200, "", "Discarded", "its content destroyed")
	staff.post(t, one+"/replay").want(t, "replaying it", 303, one)
	if n := d.count(t, `SELECT count(*) FROM inbox WHERE state = 'discarded' AND body_sealed = '' AND credential_sealed IS NULL`); n != 1 {
		t.Error("its content is still there, or it was replayed")
	}
	if n := d.count(t, `SELECT count(*) FROM platform_events WHERE kind = 'callback.discarded'`); n != 1 {
		t.Errorf("%d discards are recorded, want 1", n)
	}
	v.get(t, "/activity").want(t, "the merchant's history", 200, "", "was discarded")
	staff.get(t, "/admin/webhooks/0190b2c3-0000-7000-8000-000000000000").want(t, "an invented one", 404, "")
	staff.post(t, "/admin/webhooks/0190b2c3-0000-7000-8000-000000000000/replay").want(t, "replaying an invented one", 404, "")
}

func TestInbox_BelongsToTheStaff(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	d.poison(t, v)
	id := ""
	must(t, d.db.Owner.QueryRow(t.Context(), `SELECT id::text FROM inbox`).Scan(&id))
	v.get(t, "/admin/webhooks").want(t, "a merchant", 403, "")
	v.get(t, "/admin/webhooks/"+id).want(t, "a merchant", 403, "")
	for _, act := range []string{"/replay", "/discard"} {
		v.post(t, "/admin/webhooks/"+id+act).want(t, "a merchant", 403, "")
		d.visitor(t).post(t, "/admin/webhooks/"+id+act).want(t, "nobody", 303, "/login")
	}
	if n := d.count(t, `SELECT count(*) FROM inbox WHERE state = 'dead'`); n != 1 {
		t.Error("somebody else has done it")
	}
}

func TestInbox_TheListHasPagesAndFilters(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	path, _ := d.newsAddress(t, v, "42")
	_, err := d.db.Owner.Exec(t.Context(), `
		INSERT INTO inbox (tenant_id, id, connection_id, provider, serial, verified, content_hash, body_sealed, received_at, processed_at)
		SELECT tenant_id, gen_random_uuid(), id, CASE WHEN n % 2 = 0 THEN 'newsy' ELSE 'keyed' END, 's' || n, false, 'h', 'canary', now(), now()
		  FROM connections, generate_series(1, 120) n`)
	must(t, err)
	staff := d.staff(t)
	seen, next := map[string]bool{}, "/admin/webhooks?state=processed"
	for pages := 0; next != ""; pages++ {
		page := staff.get(t, next)
		for _, row := range regexp.MustCompile(`href="/admin/webhooks/([0-9a-f-]{36})"`).FindAllStringSubmatch(page.body, -1) {
			seen[row[1]] = true
		}
		next = ""
		if more := regexp.MustCompile(`href="(/admin/webhooks\?[^"]+)" rel="next"`).FindStringSubmatch(page.body); more != nil {
			next = strings.ReplaceAll(more[1], "&amp;", "&")
		}
		if pages > 5 || strings.Contains(page.body, "canary") {
			t.Fatal("the pages do not end, or show what was said")
		}
	}
	if len(seen) != 120 {
		t.Errorf("%d callbacks on all pages, want 120", len(seen))
	}
	narrow := staff.get(t, "/admin/webhooks?provider=keyed")
	if strings.Contains(narrow.body, "<td data-label=\"Provider\">Newsy") || !strings.Contains(narrow.body, `<option value="keyed" selected>`) {
		t.Error("the list is not narrowed to a provider")
	}
	for _, bad := range []string{"state=nonsense", "before=x", "tenant=x"} {
		staff.get(t, "/admin/webhooks?"+bad).want(t, bad, 422, "")
	}
	staff.get(t, "/admin/webhooks?tenant=0190b2c3-0000-7000-8000-000000000000").want(t, "nobody's", 200, "", "Nothing here", "Show everybody")
	v.get(t, path).want(t, "the merchant", 200, "")
}
