package handlers

import (
	"regexp"
	"strings"
	"testing"

	"mooring/internal/oauth/oauthtest"
)

func TestWork_SaysWhoWaitsForWhom(t *testing.T) {
	t.Parallel()
	h, _, staff, tenant, _ := reviewing(t)
	_, err := h.db.Owner.Exec(t.Context(), `
		WITH t AS (INSERT INTO tenants (id, name, created_at) SELECT gen_random_uuid(), 'Pier ' || n, now() FROM generate_series(1, 120) n RETURNING id)
		INSERT INTO reviews (tenant_id, state, since, linked_at) SELECT id, 'linked', now() - interval '1 hour', now() - interval '2 hours' FROM t`)
	must(t, err)
	staff.get(t, "/admin").want(t, "the start", 200, "", "For us (121)", "To start (120)", "Reviews to start or decide", "Pier 1")
	staff.get(t, "/admin?who=me").want(t, "one's own", 200, "", tenant, "Harbour Ltd")
	if strings.Contains(staff.get(t, "/admin?who=nobody").body, tenant) {
		t.Error("what has an assignee is among those without")
	}
	staff.get(t, "/admin?queue=rejected").want(t, "none", 200, "", "Nothing lies here")
	seen := map[string]bool{}
	for next := "/admin?queue=linked&who=nobody"; next != ""; {
		page := staff.get(t, next)
		for _, row := range regexp.MustCompile(`href="/admin/tenants/([0-9a-f-]{36})"`).FindAllStringSubmatch(page.body, -1) {
			seen[row[1]] = true
		}
		next = ""
		if more := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(page.body); more != nil {
			next = strings.ReplaceAll(more[1], "&amp;", "&")
		}
	}
	if len(seen) != 120 {
		t.Errorf("%d reviews on all pages, want 120", len(seen))
	}
	for _, bad := range []string{"queue=x", "who=x", "before=x"} {
		staff.get(t, "/admin?"+bad).want(t, bad, 422, "")
	}
}

func TestWork_ListsEverybodysConnections(t *testing.T) {
	t.Parallel()
	_, _, staff, tenant, _ := reviewing(t)
	staff.get(t, "/admin/connections").want(t, "all", 200, "", tenant, "1•••5", "Harbour Ltd")
	staff.get(t, "/admin/connections?state=connected&provider=fake").want(t, "narrowed", 200, "", tenant)
	staff.get(t, "/admin/connections?state=needs_you").want(t, "none", 200, "", "Nothing here")
	staff.get(t, "/admin/connections?state=x").want(t, "no state", 422, "")
}

func TestFind_WordsAddressesAndAccounts(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.visitor(t)
	v.post(t, "/signup", "business_name", "Little 100% Whale_Watch 蓝鲸贸易", "email", "whale@example.com", "password", lobbyPassword).want(t, "signing up", 303, "/overview")
	h.connected(t, v, "ACC-12345")
	h.owner(t, "other@example.com")
	staff := h.staff(t)
	for search, found := range map[string]bool{
		"whale": true, "WATCH": true, "little 100": true, "100%": true, "鲸贸": true, "ACC-12345": true, " whale@example.com ": true,
		"hale": false, "ACC-1234": false, "%": false, "_": false, "example.com": false, "12345": false,
	} {
		page := staff.get(t, "/admin/tenants?q="+strings.NewReplacer("%", "%25", " ", "+").Replace(search))
		if page.status != 200 || strings.Contains(page.body, "Whale_Watch") != found || strings.Contains(page.body, "Harbour Ltd") {
			t.Errorf("searching %q: %d, found %v", search, page.status, !found)
		}
	}
	staff.get(t, "/admin/tenants?q=whale&before=MDE").want(t, "a cursor that is none", 422, "")
}
