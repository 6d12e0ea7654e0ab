package handlers

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"mooring/internal/models"
	"mooring/internal/oauth/oauthtest"
)

func TestFilters_AreKeptAboveTheirListAndRemoved(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	staff := h.staff(t)
	staff.get(t, "/settings/filters").want(t, "none yet", 200, "", "not saved a filter yet")
	if strings.Contains(staff.get(t, "/admin").body, "Save this filter") {
		t.Error("a list that nothing narrows offers to save that")
	}
	staff.get(t, "/admin?who=me&queue=in_review&before=").want(t, "a narrowed list", 200, "", "Save this filter",
		"/settings/filters?list=work&amp;queue=in_review&amp;who=me")
	staff.get(t, "/settings/filters?list=work&queue=in_review&who=me").want(t, "the form", 200, "", "Work · In review · Mine", `value="In review · Mine"`)
	staff.post(t, "/settings/filters", "list", "work", "query", "who=me&queue=in_review&before=x", "name", "  My  reviews ").
		want(t, "saving", 303, "/admin?queue=in_review&who=me")
	kept := staff.get(t, "/admin?queue=in_review&who=me")
	kept.want(t, "the list afterwards", 200, "", "The filter is saved", ">My reviews</a>", `aria-current="true">My reviews`)
	if strings.Contains(kept.body, "Save this filter") {
		t.Error("what is saved is offered for saving again")
	}
	staff.post(t, "/settings/filters", "list", "tenants", "query", "q=%E8%93%9D%E9%B2%B8", "name", "My reviews").
		want(t, "the same name at another list", 303, "/admin/tenants?q=%E8%93%9D%E9%B2%B8")
	staff.post(t, "/settings/filters", "list", "connections", "query", "state=needs_you&provider=fake", "name", "<b>broken</b>").
		want(t, "a filter of connections", 303, "/admin/connections?provider=fake&state=needs_you")
	staff.get(t, "/admin/connections").want(t, "its list", 200, "", "&lt;b&gt;broken&lt;/b&gt;")
	all := staff.get(t, "/settings/filters")
	all.want(t, "all of them", 200, "", "In review · Mine", "蓝鲸", "Needs the merchant · Fake")
	staff.post(t, regexp.MustCompile(`action="(/settings/filters/[0-9a-f-]{36}/remove)"`).FindStringSubmatch(all.body)[1]).
		want(t, "removing", 303, "/settings/filters")
	if n := strings.Count(staff.get(t, "/settings/filters").body, "/remove"); n != 2 {
		t.Errorf("%d filters are left, want 2", n)
	}
}

func TestFilters_SayWhatCannotBeSaved(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	staff := h.staff(t)
	save := func(name string) answer {
		return staff.post(t, "/settings/filters", "list", "work", "query", "queue=linked", "name", name)
	}
	save(" ").want(t, "no name", 422, "", "Give the filter a name of 40 characters", "Work · To start")
	save(strings.Repeat("长", models.MaxFilterName+1)).want(t, "too long a name", 422, "", "40 characters at most")
	save(strings.Repeat("长", models.MaxFilterName)).want(t, "the longest name", 303, "/admin?queue=linked")
	save("Mine").want(t, "a name", 303, "/admin?queue=linked")
	save("mine").want(t, "the name again", 409, "", "a filter of this name", `value="mine"`)
	for n := range models.MaxFilters - 2 {
		save(fmt.Sprint("filter ", n)).want(t, "one more", 303, "/admin?queue=linked")
	}
	save("one too many").want(t, "one too many", 409, "", "You have 20 filters")
	for _, bad := range [][2]string{{"nothing", "queue=linked"}, {"work", ""}, {"work", "before=x"}, {"work", "%zz"}, {"tenants", "q=" + strings.Repeat("x", longestFilter)}} {
		staff.post(t, "/settings/filters", "list", bad[0], "query", bad[1], "name", "x").want(t, bad[0]+" "+bad[1], 422, "")
	}
	staff.get(t, "/settings/filters?list=nothing&q=x").want(t, "a list that is none", 200, "", "Saved filters")
}

func TestFilters_AreOnesOwn(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	staff, merchant := h.staff(t), h.owner(t, "a@example.com")
	staff.post(t, "/settings/filters", "list", "work", "query", "queue=linked", "name", "Theirs").want(t, "saving", 303, "/admin?queue=linked")
	remove := regexp.MustCompile(`action="(/settings/filters/[0-9a-f-]{36}/remove)"`).FindStringSubmatch(staff.get(t, "/settings/filters").body)[1]
	merchant.get(t, "/settings/filters").want(t, "a merchant's", 403, "")
	merchant.post(t, "/settings/filters", "list", "work", "query", "queue=linked", "name", "x").want(t, "a merchant saving", 403, "")
	merchant.post(t, remove).want(t, "a merchant removing", 403, "")
	_, err := h.db.Owner.Exec(t.Context(), `
		WITH u AS (INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at)
		           VALUES (gen_random_uuid(), 'staff', 'colleague@example.com', '', now(), now()) RETURNING id),
		     a AS (INSERT INTO platform_admins (user_id, created_at) SELECT id, now() FROM u RETURNING user_id)
		UPDATE sessions SET user_id = (SELECT user_id FROM a) WHERE user_id = (SELECT id FROM users WHERE email = 'admin@example.com')`)
	must(t, err)
	staff.get(t, "/settings/filters").want(t, "a colleague's own", 200, "", "not saved a filter yet")
	staff.post(t, remove).want(t, "a colleague removing", 303, "/settings/filters")
	var left int
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM saved_filters`).Scan(&left))
	if left != 1 {
		t.Errorf("%d filters are left after a colleague removed one by its id", left)
	}
}
