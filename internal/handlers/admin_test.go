package handlers

import (
	"regexp"
	"strings"
	"testing"

	"mooring/internal/oauth/oauthtest"
)

func TestAdmin_FindsTheTenant(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.visitor(t)
	v.post(t, "/signup", "business_name", `<b>Blue "Whale"</b> 蓝鲸`, "email", "whale@example.com", "password", lobbyPassword).want(t, "signing up", 303, "/overview")
	h.connected(t, v, "12345")
	h.work(t)
	h.owner(t, "other@example.com")

	staff := h.staff(t)
	staff.get(t, "/admin").want(t, "the start", 200, "", "Reviews to start or decide")
	staff.get(t, "/admin/tenants").want(t, "the list", 200, "", "whale@example.com", "other@example.com", "All well", "Nothing connected")
	for _, search := range []string{"whale", "%E8%93%9D%E9%B2%B8", "WHALE%40example.com"} {
		got := staff.get(t, "/admin/tenants?q="+search)
		got.want(t, search, 200, "", "whale@example.com", "&lt;b&gt;Blue")
		if strings.Contains(got.body, "other@example.com") {
			t.Errorf("searching %q finds everybody", search)
		}
	}
	staff.get(t, "/admin/tenants?q=%3Cscript%3E").want(t, "nothing found", 200, "", "Nothing found for “&lt;script&gt;”")
	staff.get(t, "/admin/tenants?before=x").want(t, "no place of the list", 422, "")
	link := regexp.MustCompile(`/admin/tenants/[0-9a-f-]{36}`).FindString(staff.get(t, "/admin/tenants?q=whale").body)
	page := staff.get(t, link)
	page.want(t, "the tenant", 200, "", "whale@example.com", "Fake Trading 12345", "19.99\u00a0USD", "91•••ry", "Connected Fake")
	if strings.Contains(page.body, "91330100MA2canary") {
		t.Error("a tax number is shown in full")
	}
	staff.get(t, "/admin/tenants/0190b2c3-0000-7000-8000-000000000000").want(t, "an invented one", 404, "")
	staff.get(t, "/admin/mail").want(t, "captured mail", 200, "", `href="https://mooring.example/reset/x"`)
}

func TestAdmin_RolesStayApart(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	path := h.connected(t, v, "12345")
	for _, page := range []string{"/admin", "/admin/tenants", "/admin/tenants/0190b2c3-0000-7000-8000-000000000000", "/admin/mail"} {
		v.get(t, page).want(t, "a merchant at "+page, 403, "", "for the platform&#39;s staff")
		h.visitor(t).get(t, page).want(t, "nobody at "+page, 303, "/login?next="+strings.ReplaceAll(page, "/", "%2F"))
	}
	staff := h.staff(t)
	for _, page := range []string{"/overview", "/connections", path, "/connect/fake", "/activity"} {
		staff.get(t, page).want(t, "staff at "+page, 403, "", "belongs to merchants")
	}
	staff.post(t, "/connect/fake").want(t, "staff connecting", 403, "")
	staff.get(t, "/").want(t, "the start page", 303, "/admin")
}

func TestAdmin_PagesOfTheList(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	staff := h.staff(t)
	_, err := h.db.Owner.Exec(t.Context(), `INSERT INTO tenants (id, name, created_at)
		SELECT gen_random_uuid(), 'Pier ' || n, now() - n * interval '1 minute' FROM generate_series(1, 60) n`)
	must(t, err)
	seen, path := map[string]bool{}, "/admin/tenants?q=pier"
	for range 3 {
		got := staff.get(t, path)
		got.want(t, path, 200, "")
		for _, name := range regexp.MustCompile(`>(Pier \d+)</a>`).FindAllStringSubmatch(got.body, -1) {
			if seen[name[1]] {
				t.Errorf("%s stands on two pages", name[1])
			}
			seen[name[1]] = true
		}
		next := regexp.MustCompile(`href="(/admin/tenants\?before=[^"]+)" rel="next"`).FindStringSubmatch(got.body)
		if next == nil {
			break
		}
		path = strings.ReplaceAll(next[1], "&amp;", "&")
	}
	if len(seen) != 60 {
		t.Errorf("%d tenants on all pages, want 60", len(seen))
	}
}

func TestAudit_ShowsEverythingAndProvesIt(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	h.connected(t, v, "12345")
	h.owner(t, "other@example.com")
	staff := h.staff(t)

	v.get(t, "/admin/audit").want(t, "a merchant", 403, "")
	v.post(t, "/admin/audit/verify").want(t, "a merchant who checks", 403, "")
	page := staff.get(t, "/admin/audit")
	page.want(t, "everything", 200, "", "Connected Fake", "a@example.com", "other@example.com", "The account was created")
	staff.post(t, "/admin/audit/verify").want(t, "checking", 200, "", "as they were written", "no checkpoint")
	tenant := regexp.MustCompile(`/admin/tenants/([0-9a-f-]{36})`).FindStringSubmatch(page.body)[1]
	only := staff.get(t, "/admin/audit?person=other@example.com")
	if only.want(t, "one person", 200, "", "other@example.com"); strings.Contains(only.body, "Connected Fake") {
		t.Error("another person's acts are shown")
	}
	staff.get(t, "/admin/audit?person=nobody@example.com").want(t, "nobody", 200, "", "Nothing found")
	staff.get(t, "/admin/audit?tenant=x").want(t, "no tenant", 422, "")
	staff.get(t, "/admin/audit?tenant="+tenant).want(t, "one chain", 200, "", `href="/admin/approvals/export?tenant=`+tenant)

	sql := `UPDATE events SET detail = '{"account": "9•••9"}' WHERE kind = 'connection.connected'`
	if _, err := h.db.Owner.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
	staff.post(t, "/admin/audit/verify").want(t, "checking what was edited", 200, "", "is not what was written", "Keep the database as it is")
}
