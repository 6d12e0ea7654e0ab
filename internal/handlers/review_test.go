package handlers

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth/oauthtest"
)

// versionOf reads the version that a form of the staff's carries.
func versionOf(t *testing.T, got answer) string {
	t.Helper()
	found := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(got.body)
	if found == nil {
		t.Fatalf("no version on the page:\n%s", got.body)
	}
	return found[1]
}

// reviewing is a merchant with one account, and a member of the staff on the merchant's page.
func reviewing(t *testing.T) (h *harbour, merchant, staff *visitor, tenant, connection string) {
	t.Helper()
	h = newHarbour(t, "", &oauthtest.Fake{})
	merchant = h.owner(t, "a@example.com")
	connection = h.connected(t, merchant, "12345")
	h.work(t)
	staff = h.staff(t)
	tenant = regexp.MustCompile(`/admin/tenants/[0-9a-f-]{36}`).FindString(staff.get(t, "/admin/tenants").body)
	staff.post(t, tenant+"/review", "act", "start", "version", versionOf(t, staff.get(t, tenant))).want(t, "starting", 303, tenant)
	return h, merchant, staff, tenant, connection
}

func TestReview_MoreIsAskedAndDone(t *testing.T) {
	t.Parallel()
	h, merchant, staff, tenant, connection := reviewing(t)
	merchant.get(t, "/overview").want(t, "the merchant", 200, "", "We are looking at your accounts")
	form := staff.get(t, tenant+"/review?act=more")
	form.want(t, "the form", 200, "", "Connect an account at Fake", "Reconnect Fake", `type="date"`)
	id := strings.TrimPrefix(connection, "/connections/")
	fields := []string{
		"act", "more", "version", versionOf(t, form), "reason", "data_old", "message", "Please <b>hurry</b>",
		"deadline", time.Now().AddDate(0, 0, 10).Format(time.DateOnly), "items", "refresh:" + id, "items", "connect:fake",
	}
	preview := staff.post(t, tenant+"/review", fields...)
	preview.want(t, "the preview", 200, "", "exactly what the merchant will read", "In English", "We need something more from you", "Please &lt;b&gt;hurry", `id="sure"`)
	merchant.get(t, "/overview").want(t, "the merchant, before it is sent", 200, "", "We are looking at your accounts")
	staff.post(t, tenant+"/review", append(fields, "sure", "yes")...).want(t, "sending", 303, tenant)
	staff.post(t, tenant+"/review", append(fields, "sure", "yes")...).want(t, "sending again", 409, "", "somebody has taken another one")

	asked := merchant.get(t, "/overview")
	asked.want(t, "what the merchant reads", 200, "", "too old to decide on", "Please &lt;b&gt;hurry", `action="/connections/`+id+`/sync"`, `href="/connect/fake"`, `id="review-done"`)
	merchant.get(t, "/activity").want(t, "the merchant's history", 200, "", "asked for more, until")
	h.connected(t, merchant, "99999")
	merchant.get(t, "/overview").want(t, "one step done", 200, "", "We need something more from you", ">Done<")
	merchant.post(t, connection+"/sync").want(t, "fetching", 303, connection)
	h.work(t)
	merchant.get(t, "/overview").want(t, "both done", 200, "", "We are looking at your accounts")
	merchant.post(t, "/review/done").want(t, "saying so besides", 409, "")

	staff.get(t, tenant).want(t, "the staff", 200, "", "What the platform had asked for was done", `id="act-approve"`)
	version := versionOf(t, staff.get(t, tenant+"/review?act=approve"))
	staff.post(t, tenant+"/review", "act", "approve", "version", version, "sure", "yes").want(t, "approving", 303, tenant)
	merchant.get(t, "/overview?lang=zh-CN").want(t, "approved", 200, "", "您的商户已通过审核")
}

func TestReview_TheFormSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, merchant, staff, tenant, _ := reviewing(t)
	version := versionOf(t, staff.get(t, tenant+"/review?act=more"))
	staff.post(t, tenant+"/review", "act", "more", "version", version, "sure", "yes", "deadline", "2020-01-01", "items", "connect:nobody").
		want(t, "nothing chosen", 422, "", "Choose a reason", "Choose at least one step", "from tomorrow on")
	staff.post(t, tenant+"/review", "act", "reject", "version", version, "sure", "yes", "reason", "data_old").want(t, "a reason of another act", 422, "", "Choose a reason")
	staff.post(t, tenant+"/review", "act", "reject", "version", version, "reason", "not_served", "message", strings.Repeat("长", 1001)).want(t, "too long", 422, "", "At most 1000")
	staff.post(t, tenant+"/review", "act", "reopen", "version", version, "sure", "yes").want(t, "an illegal step", 409, "")
	staff.get(t, tenant+"/review?act=reopen").want(t, "its form", 409, "")
	staff.post(t, tenant+"/review", "act", "sink", "version", version).want(t, "no act", 422, "")
	staff.get(t, "/admin/tenants/0190b2c3-0000-7000-8000-000000000000/review?act=more").want(t, "nobody", 404, "")
	merchant.get(t, "/overview").want(t, "the merchant", 200, "", "We are looking at your accounts")

	staff.post(t, tenant+"/review", "act", "reject", "version", version, "sure", "yes", "reason", "duplicate").want(t, "rejecting", 303, tenant)
	merchant.get(t, "/overview").want(t, "rejected", 200, "", "was not accepted", "under another account already", "Sign in with that account")
}

func TestReview_NotesAndWhoHasIt(t *testing.T) {
	t.Parallel()
	h, merchant, staff, tenant, _ := reviewing(t)
	staff.post(t, tenant+"/notes", "note", "Called <them>").want(t, "a note", 303, tenant)
	staff.post(t, tenant+"/notes", "note", "  ").want(t, "an empty note", 422, "")
	staff.get(t, tenant).want(t, "the staff", 200, "", "Called &lt;them&gt;", "(you)")
	if strings.Contains(merchant.get(t, "/overview").body+merchant.get(t, "/activity").body, "Called") {
		t.Error("the merchant reads the staff's notes")
	}
	staff.post(t, tenant+"/assign", "to", "").want(t, "to nobody", 303, tenant)
	staff.post(t, tenant+"/assign", "to", strings.TrimPrefix(tenant, "/admin/tenants/")).want(t, "to somebody who is no staff", 404, "")
	var assigned, noted, assignee int
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE kind = 'review.assigned'), count(*) FILTER (WHERE kind = 'review.noted'),
		(SELECT count(assignee) FROM reviews) FROM platform_events`).Scan(&assigned, &noted, &assignee))
	if assigned != 1 || noted != 1 || assignee != 0 {
		t.Errorf("%d assignments and %d notes are recorded, %d reviews are assigned", assigned, noted, assignee)
	}
}

func TestReview_NobodyReviewsTheirOwn(t *testing.T) {
	t.Parallel()
	h, _, staff, tenant, _ := reviewing(t)
	_, err := h.db.Owner.Exec(t.Context(), `ALTER TABLE memberships DROP CONSTRAINT memberships_user_kind_check`) // the first wall
	must(t, err)
	_, err = h.db.Owner.Exec(t.Context(), `INSERT INTO memberships (tenant_id, user_id, user_kind, role, created_at)
		SELECT t.id, u.id, 'staff', 'viewer', now() FROM tenants t, users u WHERE u.kind = 'staff'`)
	must(t, err)
	staff.post(t, tenant+"/review", "act", "approve", "version", "2", "sure", "yes").want(t, "one's own", 403, "", "You belong to this merchant")
	staff.get(t, tenant+"/review?act=approve").want(t, "its form", 403, "")
}

// TestRoutes_EverybodyStaysWhereTheyBelong takes the routes from the router, so that a new one cannot be forgotten: what
// is below /admin refuses merchants, what is not for everybody refuses whoever is not signed in, and the merchants' pages
// refuse the staff. What neither is must stand in this list.
func TestRoutes_EverybodyStaysWhereTheyBelong(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	merchant, staff, nobody := h.owner(t, "a@example.com"), h.staff(t), h.visitor(t)
	open := regexp.MustCompile(`^(/|/healthz|/readyz|/static/.*|/webhooks/.*|/login(/.*)?|/logout|/signup(/.*)?|/forgot|/reset/.*|/receipts|/invitations/.*)$`)
	both := regexp.MustCompile(`^(/settings(/.*)?|/prove(/.*)?|/tenants(/.*)?)$`)
	fill := regexp.MustCompile(`:[a-z]+`)
	for _, route := range h.server.engine.Routes() {
		path := fill.ReplaceAllString(route.Path, "0190b2c3-0000-7000-8000-000000000000")
		if route.Method == http.MethodHead || open.MatchString(route.Path) {
			continue
		}
		ask := func(v *visitor) int { return v.get(t, path).status }
		if route.Method == http.MethodPost {
			ask = func(v *visitor) int { return v.post(t, path).status }
		}
		if got := ask(nobody); got != http.StatusSeeOther {
			t.Errorf("%s %s answers %d to nobody", route.Method, route.Path, got)
		}
		switch {
		case both.MatchString(route.Path):
		case strings.HasPrefix(route.Path, "/admin"):
			if got := ask(merchant); got != http.StatusForbidden {
				t.Errorf("%s %s answers %d to a merchant", route.Method, route.Path, got)
			}
		default:
			if got := ask(staff); got != http.StatusForbidden {
				t.Errorf("%s %s answers %d to the staff", route.Method, route.Path, got)
			}
		}
	}
	if where, err := url.Parse(nobody.get(t, "/admin").location); err != nil || where.Path != "/login" {
		t.Errorf("nobody is sent to %s, %v", where, err)
	}
}
