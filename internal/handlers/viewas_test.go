package handlers

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/oauth/oauthtest"
)

// watched is a merchant with a fetched connection, and one of the staff who looks at their pages as a viewer would.
func watched(t *testing.T) (h *harbour, merchant, staff *visitor, connection, file string) {
	t.Helper()
	h, merchant, connection = moored(t, &oauthtest.Fake{})
	staff = h.staff(t)
	var tenant string
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT tenant_id FROM connections`).Scan(&tenant))
	file = "/admin/tenants/" + tenant
	staff.post(t, file+"/view", "reason", "other", "note", "they <asked>").want(t, "beginning", 303, "/overview")
	return h, merchant, staff, connection, file
}

// notOfMerchants are the addresses of everybody, of oneself and of the staff. Every other one is taken for a merchant's.
func notOfMerchants(path string) bool {
	for _, prefix := range []string{
		"/admin", "/healthz", "/readyz", "/static/", "/webhooks/", "/receipts", "/login", "/logout", "/signup", "/forgot", "/reset/",
		"/invitations/", "/prove", "/tenants", "/settings/filters", "/settings/language", "/settings/zone", "/settings/password", "/settings/sessions", "/settings/factors", "/settings/digest",
	} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return path == "/" || path == "/settings"
}

// The routes are the router's own, so that a new one cannot be forgotten.
func TestViewAs_NothingCanBeDoneAndOnlyWhatIsNamedIsSeen(t *testing.T) {
	t.Parallel()
	h, merchant, staff, connection, _ := watched(t)
	member := regexp.MustCompile(`/team/[0-9a-f-]{36}`).FindString(merchant.get(t, "/team").body)
	fill := strings.NewReplacer("/connections/:id", connection, "/team/:id", member, ":id", strings.TrimPrefix(connection, "/connections/"),
		":provider", "fake", ":block", "company")
	left := viewable()
	for _, route := range h.server.engine.Routes() {
		if notOfMerchants(route.Path) || strings.HasSuffix(route.Path, "/events") {
			continue
		}
		address := fill.Replace(route.Path)
		r, err := http.NewRequestWithContext(t.Context(), route.Method, h.URL+address, nil)
		must(t, err)
		got := staff.do(t, r)
		named := route.Method != http.MethodPost && slices.Contains(viewable(), route.Path)
		switch {
		case named && got.status != http.StatusOK:
			t.Errorf("%s %s: %d, it is named as what can be seen", route.Method, route.Path, got.status)
		case !named && got.status != http.StatusForbidden:
			t.Errorf("%s %s: %d, want it refused", route.Method, route.Path, got.status)
		case route.Method == http.MethodHead:
		case !named && !strings.Contains(got.body, "nothing can be done here"):
			t.Errorf("%s %s does not say why it is refused", route.Method, route.Path)
		case named:
			left = slices.DeleteFunc(left, func(path string) bool { return path == route.Path })
			forms := regexp.MustCompile(`<form[^>]*method="post"[^>]*>`).FindAllString(got.body, -1)
			for _, form := range forms {
				if !strings.Contains(form, `"/logout"`) && !strings.Contains(form, `"/admin/view/end"`) {
					t.Errorf("%s offers an act: %s", route.Path, form)
				}
			}
			without(t, route.Path, got, "91330100MA2canary", "13300000170", "/reveal/", "/answer/")
			got.want(t, route.Path, 200, "", "You see Harbour Ltd through a viewer", "End now")
		}
	}
	if !slices.Equal(left, []string{"/connections/:id/events"}) {
		t.Errorf("no route for %v", left)
	}
	ctx, hangUp := context.WithTimeout(t.Context(), 5*time.Second)
	defer hangUp()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+connection+"/events", nil)
	must(t, err)
	stream, err := staff.Do(r)
	must(t, err)
	must(t, stream.Body.Close())
	if stream.StatusCode != http.StatusOK {
		t.Errorf("following a connection: %d", stream.StatusCode)
	}
	if foreign := h.connected(t, h.owner(t, "c@example.com"), "30001"); staff.get(t, foreign).status != http.StatusNotFound {
		t.Error("another merchant's connection is seen as well")
	}
}

func TestViewAs_IsAskedForAndTold(t *testing.T) {
	t.Parallel()
	h, merchant, staff, connection, file := watched(t)
	before := staff.session(t, h.lobby)
	n, detail := h.told(t, "tenant.view_begun")
	if n != 1 || !strings.Contains(detail, `"by": "admin@example.com"`) || !strings.Contains(detail, `"note": "they <asked>"`) {
		t.Errorf("%d beginnings told, the newest %s", n, detail)
	}
	merchant.get(t, "/activity").want(t, "the merchant's history", 200, "",
		"admin@example.com of the platform&#39;s staff looks at your pages as a viewer would", "(“they &lt;asked&gt;”)")
	merchant.get(t, "/activity?lang=zh-CN").want(t, "the merchant's history", 200, "", "平台工作人员 admin@example.com 开始以查看者身份浏览你们的页面")

	staff.get(t, file).want(t, "a page of the staff's own", 200, "", "Back to their pages", "End now")
	staff.get(t, "/settings").want(t, "their own settings", 200, "", "End now", "admin@example.com")
	staff.get(t, connection).want(t, "a merchant's page", 200, "", "To the merchant&#39;s file")

	staff.get(t, file+"/view").want(t, "the question", 200, "", "Why do you want to look?")
	staff.post(t, file+"/view").want(t, "without a reason", 422, "", "Please choose a reason.")
	staff.post(t, file+"/view", "reason", "law").want(t, "a reason that is not offered", 422, "", "Please choose a reason.")
	staff.post(t, file+"/view", "reason", "review").want(t, "once more", 303, "/overview")
	if n, _ := h.told(t, "tenant.view_ended"); n != 1 {
		t.Errorf("%d ends told when another view began, want 1", n)
	}
	if after := staff.session(t, h.lobby); after == before {
		t.Error("the session kept its token")
	}
	merchant.get(t, "/overview").want(t, "the merchant's own work", 200, "")

	staff.post(t, "/admin/view/end").want(t, "the button", 303, file)
	staff.get(t, file).want(t, "after the end", 200, "", "You no longer look")
	staff.get(t, "/overview").want(t, "after the end", 403, "", "belongs to merchants")
	if n, _ := h.told(t, "tenant.view_ended"); n != 2 {
		t.Errorf("%d ends told, want 2", n)
	}
	h.stale(t)
	staff.get(t, file+"/view").want(t, "a stale session", 303, "/prove?next="+strings.ReplaceAll(file+"/view", "/", "%2F"))
	if got := staff.post(t, file+"/view", "reason", "review"); !strings.HasPrefix(got.location, "/prove") {
		t.Errorf("a stale session began: %d to %q", got.status, got.location)
	}
}

func TestViewAs_Ends(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, h *harbour, staff *visitor){
		"by time": func(t *testing.T, h *harbour, _ *visitor) {
			t.Helper()
			_, err := h.db.Owner.Exec(t.Context(), `UPDATE sessions SET viewing_until = now() WHERE viewing IS NOT NULL`)
			must(t, err)
		},
		"by the loss of the role": func(t *testing.T, h *harbour, _ *visitor) {
			t.Helper()
			_, err := h.db.Owner.Exec(t.Context(), `UPDATE platform_admins SET roles = '{auditor,security}'`)
			must(t, err)
		},
		"by the closing of the business": func(t *testing.T, h *harbour, _ *visitor) {
			t.Helper()
			_, err := h.db.Owner.Exec(t.Context(), `
				INSERT INTO closings (tenant_id, closed_at, closed_by, destroy_at, connections, master_version, audit_seq, audit_hash)
				SELECT tenant_id, now(), user_id, now() + interval '1 day', 1, 1, 1, '\x01' FROM memberships`)
			must(t, err)
		},
		"by signing out": func(t *testing.T, _ *harbour, staff *visitor) {
			t.Helper()
			staff.post(t, "/logout")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _, staff, connection, _ := watched(t)
			end(t, h, staff)
			for _, path := range []string{"/overview", connection} {
				if got := staff.get(t, path); got.status == http.StatusOK {
					t.Errorf("%s is still seen", path)
				}
			}
			if n, detail := h.told(t, "tenant.view_ended"); n != 1 || !strings.Contains(detail, "admin@example.com") {
				t.Errorf("%d ends told: %s", n, detail)
			}
		})
	}
}

func TestViewAs_AnOpenPageIsToldOfTheEnd(t *testing.T) {
	t.Parallel()
	h, _, staff, connection, _ := watched(t)
	_, err := h.db.Owner.Exec(t.Context(), `UPDATE sessions SET viewing_until = now() + interval '1 second' WHERE viewing IS NOT NULL`)
	must(t, err)
	lines := staff.listen(t, h.URL+connection+"/events")
	expect(t, lines, "event: hello")
	expect(t, lines, "event: changed")
	staff.get(t, connection).want(t, "what it asks for then", 403, "")
}

func TestViewAs_AnAbandonedOneEndsToo(t *testing.T) {
	t.Parallel()
	h, _, _, _, _ := watched(t)
	_, err := h.store.Sweep(t.Context())
	must(t, err)
	if n, _ := h.told(t, "tenant.view_ended"); n != 0 {
		t.Fatal("a view that goes on was ended")
	}
	_, err = h.db.Owner.Exec(t.Context(), `UPDATE sessions SET viewing_until = now() WHERE viewing IS NOT NULL`)
	must(t, err)
	_, err = h.store.Sweep(t.Context())
	must(t, err)
	if n, _ := h.told(t, "tenant.view_ended"); n != 1 {
		t.Errorf("%d ends told, want 1", n)
	}
}

// A view that nobody came back to ends in the past: its line stands between younger ones, and takes none of their places.
func TestViewAs_ALateEndHidesNoLineOfTheHistory(t *testing.T) {
	t.Parallel()
	h, _, _, _, _ := watched(t)
	var tenant uuid.UUID
	var all int
	must(t, h.db.Owner.QueryRow(t.Context(), `UPDATE sessions SET viewing_until = now() - interval '1 day' WHERE viewing IS NOT NULL RETURNING viewing`).Scan(&tenant))
	_, err := h.store.Sweep(t.Context())
	must(t, err)
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM events WHERE tenant_id = $1`, tenant).Scan(&all))
	seen, before := map[uuid.UUID]bool{}, uuid.Nil
	for range all {
		page, err := h.store.ForTenant(tenant, models.Actor{}).Events(t.Context(), before, 3)
		must(t, err)
		for _, e := range page[:min(2, len(page))] {
			seen[e.ID], before = true, e.ID
		}
	}
	if len(seen) != all || all < 4 {
		t.Errorf("%d of %d events are found page by page", len(seen), all)
	}
}

func TestViewAs_IsNotEverybodys(t *testing.T) {
	t.Parallel()
	h, _, _ := moored(t, &oauthtest.Fake{})
	staff := h.staff(t)
	var tenant string
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT tenant_id FROM connections`).Scan(&tenant))
	address := "/admin/tenants/" + tenant + "/view"
	_, err := h.db.Owner.Exec(t.Context(), `UPDATE platform_admins SET roles = '{auditor,security}'`)
	must(t, err)
	staff.get(t, address).want(t, "an auditor", 403, "", "not part of your role")
	staff.post(t, address, "reason", "review").want(t, "an auditor", 403, "", "not part of your role")
	without(t, "an auditor's page", staff.get(t, strings.TrimSuffix(address, "/view")), address)
	_, err = h.db.Owner.Exec(t.Context(), `UPDATE platform_admins SET roles = '{reviewer}'`)
	must(t, err)
	_, err = h.db.Owner.Exec(t.Context(), `
		INSERT INTO memberships (tenant_id, user_id, role, created_at) SELECT $1, user_id, 'viewer', now() FROM platform_admins`, tenant)
	if err == nil { // the schema lets nobody be both; should that change, they still do not look at their own
		staff.post(t, address, "reason", "review").want(t, "their own business", 403, "")
	}
	staff.get(t, "/overview").want(t, "without a view", 403, "", "belongs to merchants")
	if n, _ := h.told(t, "tenant.view_begun"); n != 0 {
		t.Errorf("%d views began", n)
	}
}
