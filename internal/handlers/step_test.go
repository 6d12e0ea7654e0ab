package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestTeam_SwitchingAndFlowsBegunBefore(t *testing.T) {
	c := newCrew(t)
	v := c.visitor(t)
	v.signUpAs(t, "Lantern Ltd", "both@example.com")
	v.get(t, "/tenants").want(t, "one place", 200, "", "Lantern Ltd", "You are here")
	v.post(t, c.invited(t, "both@example.com", "operator")).want(t, "accepting as a member elsewhere", 303, "/overview")
	page := v.get(t, "/overview")
	page.want(t, "the other tenant", 200, "", "Harbour Ltd", "Lantern Ltd")
	lantern := c.tenant(t, "Lantern Ltd")

	site, _ := url.Parse(c.URL)
	before := v.Jar.Cookies(site)
	away := v.leave(t, "/connect/fake") // begun in Harbour
	v.post(t, "/tenants/"+lantern+"/switch").want(t, "switching", 303, "/overview")
	thief := c.visitor(t)
	thief.Jar.SetCookies(site, before)
	thief.get(t, "/overview").want(t, "the token of before", 303, "/login?next=%2Foverview")

	query := c.fake.Approve(away, "10001")
	v.comeBack(t, query).want(t, "coming back to another tenant", 403, "")
	if n := c.count(t, `SELECT count(*) FROM connections`); n != 0 {
		t.Fatalf("%d connections: a flow landed where it was not begun", n)
	}
	v.post(t, "/tenants/"+c.tenant(t, "Harbour Ltd")+"/switch").want(t, "switching back", 303, "/overview")
	if got := v.comeBack(t, query); !strings.HasPrefix(got.location, "/connections/") {
		t.Errorf("coming back to the tenant that it was begun in: %d to %q", got.status, got.location)
	}
	if n := c.count(t, `SELECT count(*) FROM connections c JOIN tenants t ON t.id = c.tenant_id WHERE t.name = 'Harbour Ltd'`); n != 1 {
		t.Errorf("%d connections in the tenant it was begun in, want 1", n)
	}

	v.post(t, "/tenants/"+lantern+"/switch").want(t, "switching", 303, "/overview")
	v.post(t, "/logout").want(t, "signing out", 303, "/login")
	v.post(t, "/login", "email", "both@example.com", "password", lobbyPassword).want(t, "signing in", 303, "/overview")
	if n := c.count(t, `SELECT count(*) FROM sessions WHERE tenant_id = $1::uuid`, lantern); n != 1 {
		t.Error("signing in did not lead to the tenant of before")
	}
}

func (c *crew) tenant(t *testing.T, name string) (id string) {
	t.Helper()
	must(t, c.db.Owner.QueryRow(t.Context(), `SELECT id::text FROM tenants WHERE name = $1`, name).Scan(&id))
	return id
}

// signUpAs is member for a business of another name.
func (v *visitor) signUpAs(t *testing.T, business, email string) {
	t.Helper()
	v.post(t, "/signup", "business_name", business, "email", email, "password", lobbyPassword)
	v.post(t, v.site.deliver(t)).want(t, "finishing the sign-up", http.StatusSeeOther, "/overview")
}

func TestStep_ByAColleagueAndBySomebodyNew(t *testing.T) {
	c := newCrew(t)
	operator := c.join(t, "operator@example.com", "operator")
	for i, tc := range []struct {
		email string
		who   *visitor
		form  []string
		mode  string
	}{
		{"operator@example.com", operator, nil, "accept"},
		{"new@example.com", c.visitor(t), []string{"password", lobbyPassword}, "password"},
	} {
		c.owner.post(t, "/connect/fake/send", "email", tc.email, "life", "24", "language", "en").want(t, "sending", 303, "/connect/fake/send")
		link := c.deliver(t)
		tc.who.get(t, link).want(t, "the step", 200, "", `data-mode="`+tc.mode+`"`, "Harbour Ltd", "Please connect")
		tc.who.post(t, link, tc.form...).want(t, "taking it up", 303, "/connect/fake")
		tc.who.get(t, link).want(t, "the link again", 200, "", `data-mode="used"`, `value="/connect/fake"`)
		c.owner.get(t, "/connect/fake/send").want(t, "its state", 200, "", "Taken up")
		got := tc.who.comeBack(t, c.fake.Approve(tc.who.leave(t, "/connect/fake"), fmt.Sprint(2000+i)))
		if !strings.HasPrefix(got.location, "/connections/") {
			t.Fatalf("%s came back to %d %q", tc.email, got.status, got.location)
		}
		if n := c.count(t, `SELECT count(*) FROM invitations WHERE done_at IS NOT NULL`); n != i+1 {
			t.Errorf("%d steps are done, want %d", n, i+1)
		}
	}
	c.owner.get(t, "/connect/fake/send").want(t, "their states", 200, "", "Done")
	c.owner.get(t, "/connect/fake").want(t, "the way there", 200, "", `href="/connect/fake/send"`)
}

func TestStep_OfAFormerMemberLetsNobodyIn(t *testing.T) {
	c := newCrew(t)
	operator := c.join(t, "operator@example.com", "operator")
	c.join(t, "a@example.com", "operator")
	operator.post(t, "/connect/fake/send", "email", "a@example.com", "life", "24", "language", "en").want(t, "sending", 303, "/connect/fake/send")
	link := c.deliver(t)
	c.owner.post(t, "/team/"+c.id(t, "a@example.com")+"/remove").want(t, "removing", 303, "/team")
	v := c.visitor(t)
	v.post(t, "/login", "email", "a@example.com", "password", lobbyPassword)
	v.post(t, link).want(t, "a step after the removal", 409, "", "no longer in the team")
	if n := c.count(t, `SELECT count(*) FROM memberships`); n != 2 {
		t.Errorf("%d members, want 2: an operator's step let somebody in", n)
	}
}
