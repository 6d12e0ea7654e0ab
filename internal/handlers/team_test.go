package handlers

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"mooring/internal/oauth/oauthtest"
)

// crew is a dock with an owner, and whoever joins them.
type crew struct {
	*dock
	owner *visitor
}

func newCrew(t *testing.T) *crew {
	t.Helper()
	c := &crew{dock: newDock(t)}
	c.owner = c.visitor(t)
	c.owner.member(t, "owner@example.com")
	return c
}

// invited gives the path of the link in the mail to somebody who is invited.
func (c *crew) invited(t *testing.T, email, role string) string {
	t.Helper()
	c.owner.post(t, "/team/invite", "email", email, "role", role, "language", "en").want(t, "inviting", http.StatusSeeOther, "/team")
	return c.deliver(t)
}

// join brings somebody new in.
func (c *crew) join(t *testing.T, email, role string) *visitor {
	t.Helper()
	link, v := c.invited(t, email, role), c.visitor(t)
	v.post(t, link, "password", lobbyPassword).want(t, "joining", http.StatusSeeOther, "/overview")
	return v
}

func (c *crew) id(t *testing.T, email string) (id string) {
	t.Helper()
	must(t, c.db.Owner.QueryRow(t.Context(), `SELECT id::text FROM users WHERE email = $1`, email).Scan(&id))
	return id
}

func (c *crew) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := c.db.Owner.Exec(t.Context(), sql, args...)
	must(t, err)
}

func (c *crew) count(t *testing.T, sql string, args ...any) (n int) {
	t.Helper()
	must(t, c.db.Owner.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

func TestTeam_AnInvitationIsUsedOnceAndByItsAddressOnly(t *testing.T) {
	c := newCrew(t)
	c.owner.get(t, "/team").want(t, "the team", 200, "", "owner@example.com", "Nobody is invited", "/team/invite")
	link := c.invited(t, "  New@Example.com", "viewer")
	c.owner.get(t, "/team").want(t, "the team", 200, "", "new@example.com", "Waiting", "Send a new link")

	other := c.visitor(t)
	other.member(t, "other@example.com")
	other.get(t, link).want(t, "as somebody else", 200, "", `data-mode="other"`, "other@example.com", `name="next" value="`+link+`"`)
	other.post(t, link).want(t, "accepting as somebody else", 409, "", `data-mode="other"`)
	other.post(t, "/logout", "next", link).want(t, "switching", 303, link)
	other.get(t, link).want(t, "after it", 200, "", `data-mode="password"`, "Harbour Ltd", "owner@example.com", "Viewer")

	v := c.visitor(t)
	v.post(t, link, "password", "short").want(t, "a short password", 422, "", `id="password-fault"`)
	v.post(t, link, "password", lobbyPassword).want(t, "joining", 303, "/overview")
	v.get(t, "/team").want(t, "the team as a viewer", 200, "", "new@example.com", "Accepted", "Owners invite people")
	v.get(t, link).want(t, "the link again", 200, "", `data-mode="used"`)
	c.visitor(t).get(t, link).want(t, "the link for anybody else", 404, "", "no longer works")
	c.visitor(t).post(t, link, "password", lobbyPassword).want(t, "the second use", 404, "", "no longer works")
	if n := c.count(t, `SELECT count(*) FROM events WHERE kind IN ('team.invited', 'team.joined')`); n != 2 {
		t.Errorf("%d events, want team.invited and team.joined", n)
	}
	v.get(t, "/activity").want(t, "the history", 200, "", "Invited n•••@example.com as Viewer.", "n•••@example.com joined the team as Viewer.")
}

func TestTeam_TwinsOfAnAddressAreOnePerson(t *testing.T) {
	c := newCrew(t)
	c.join(t, "new@example.com", "viewer")
	for _, twin := range []string{"NEW@example.com", "ｎｅｗ@example.com", " new@EXAMPLE.com "} {
		c.owner.post(t, "/team/invite", "email", twin, "role", "viewer", "language", "en").want(t, "inviting "+twin, 409, "", "in the team already")
	}
	for address, why := range map[string]string{"a@x@y": "not a mail address", "OWNER@example.com": "your own address", "": "mail address"} {
		c.owner.post(t, "/team/invite", "email", address, "role", "viewer", "language", "en").want(t, "inviting "+address, 422, "", why, `id="email-fault"`)
	}
	c.owner.post(t, "/team/invite", "email", "b@example.com", "role", "admin", "language", "xx").want(t, "an invented role", 422, "")
}

func TestTeam_RevokedExpiredAndReplacedLinks(t *testing.T) {
	c := newCrew(t)
	first := c.invited(t, "a@example.com", "viewer")
	again := regexp.MustCompile(`/team/invitations/[0-9a-f-]{36}/send`).FindString(c.owner.get(t, "/team").body)
	c.owner.post(t, again).want(t, "sending again", 303, "/team")
	c.visitor(t).get(t, first).want(t, "the first link", 404, "", "no longer works") // before the new mail has left
	second := c.deliver(t)
	c.visitor(t).get(t, second).want(t, "the second link", 200, "", `data-mode="password"`)

	c.exec(t, `UPDATE invitations SET expires_at = now() - interval '1 hour'`)
	late := c.visitor(t)
	late.get(t, second).want(t, "an expired link", 200, "", `data-mode="expired"`, `action="`+second+`/ask"`)
	late.post(t, second, "password", lobbyPassword).want(t, "accepting it", 409, "", `data-mode="expired"`)
	late.post(t, second+"/ask").want(t, "asking", 303, second)
	late.post(t, second+"/ask").want(t, "asking again", 303, second)
	late.get(t, second).want(t, "after asking", 200, "", "has been told")
	c.owner.get(t, "/team").want(t, "the team", 200, "", "Expired", "asks for a new link")
	if n := c.count(t, `SELECT count(*) FROM events WHERE kind = 'team.link_asked'`); n != 1 {
		t.Errorf("asked %d times, want once an hour", n)
	}

	c.owner.post(t, again).want(t, "sending again", 303, "/team")
	third := c.deliver(t)
	c.owner.post(t, strings.Replace(again, "/send", "/revoke", 1)).want(t, "revoking", 303, "/team")
	c.visitor(t).get(t, third).want(t, "a revoked link", 404, "", "no longer works")
	c.visitor(t).post(t, third, "password", lobbyPassword).want(t, "accepting it", 404, "")
	c.owner.post(t, again).want(t, "sending a revoked one", 404, "")
	c.visitor(t).post(t, third+"/ask").want(t, "asking for a revoked one", 404, "")
}

func TestTeam_ParallelAcceptanceMakesOneMembership(t *testing.T) {
	c := newCrew(t)
	link := c.invited(t, "a@example.com", "operator")
	statuses, wait := make([]int, 6), sync.WaitGroup{}
	for i := range statuses {
		v := c.visitor(t)
		wait.Go(func() { statuses[i] = v.post(t, link, "password", lobbyPassword).status })
	}
	wait.Wait()
	joined := 0
	for _, status := range statuses {
		switch status {
		case http.StatusSeeOther:
			joined++
		case http.StatusNotFound, http.StatusConflict:
		default:
			t.Errorf("a try ended with %d", status)
		}
	}
	if n := c.count(t, `SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email = 'a@example.com'`); joined != 1 || n != 1 {
		t.Errorf("%d tries joined (%v), %d memberships; want one", joined, statuses, n)
	}
}

func TestTeam_StaffCannotJoin(t *testing.T) {
	h := newHarbour(t, "", &oauthtest.Fake{})
	owner, staff := h.owner(t, "owner@example.com"), h.staff(t)
	got := owner.post(t, "/team/invite", "email", "admin@example.com", "role", "viewer", "language", "en")
	got.want(t, "without mail the link is shown once", 200, "", "/invitations/", "shown this once")
	link := strings.TrimPrefix(regexp.MustCompile(`http://[^<"]*/invitations/[A-Za-z0-9_-]+`).FindString(got.body), h.URL)
	staff.get(t, link).want(t, "as staff", 200, "", `data-mode="staff"`)
	staff.post(t, link).want(t, "accepting as staff", 409, "", `data-mode="staff"`)
	h.visitor(t).get(t, link).want(t, "signed out", 200, "", `data-mode="signin"`)
	h.visitor(t).post(t, link, "password", lobbyPassword).want(t, "as somebody new", 409, "")
}

func TestTeam_RolesAndActions(t *testing.T) {
	c := newCrew(t)
	people := map[string]*visitor{
		"owner": c.owner, "operator": c.join(t, "operator@example.com", "operator"), "viewer": c.join(t, "viewer@example.com", "viewer"),
		"stranger": c.visitor(t), "nobody": c.visitor(t),
	}
	people["stranger"].member(t, "stranger@example.com")
	c.exec(t, `UPDATE memberships SET created_at = now() - interval '1 day' WHERE user_id = $1::uuid`, c.id(t, "owner@example.com"))
	target := c.id(t, "viewer@example.com")
	c.invited(t, "open@example.com", "viewer")
	open := regexp.MustCompile(`/team/invitations/[0-9a-f-]{36}`).FindString(c.owner.get(t, "/team").body)
	for _, act := range []struct {
		method, path string
		form         []string
		want         map[string]int
	}{
		{"GET", "/team", nil, map[string]int{"owner": 200, "operator": 200, "viewer": 200, "stranger": 200, "nobody": 303}},
		{"GET", "/team/" + target, nil, map[string]int{"owner": 200, "operator": 200, "viewer": 200, "stranger": 404, "nobody": 303}},
		{"GET", "/team/invite", nil, map[string]int{"owner": 200, "operator": 403, "viewer": 403, "stranger": 200, "nobody": 303}},
		{"POST", "/team/invite", []string{"email", "x@example.com", "role", "viewer", "language", "en"}, map[string]int{"operator": 403, "viewer": 403, "nobody": 303}},
		{"GET", "/connect/fake/send", nil, map[string]int{"owner": 200, "operator": 200, "viewer": 403, "nobody": 303}},
		{"POST", "/connect/fake/send", []string{"email", "x@example.com", "life", "1", "language", "en"}, map[string]int{"operator": 422, "viewer": 403, "nobody": 303}},
		{"POST", "/connect/fake/send", []string{"email", "viewer@example.com", "life", "1", "language", "en"}, map[string]int{"owner": 422, "operator": 422}},
		{"POST", "/connect/fake/send", []string{"email", "owner@example.com", "life", "3", "language", "en"}, map[string]int{"operator": 422}},
		{"POST", "/connect/fake/send", []string{"email", "owner@example.com", "life", "1", "language", "en"}, map[string]int{"operator": 303}},
		{"POST", open + "/revoke", nil, map[string]int{"operator": 404, "viewer": 403, "stranger": 404, "nobody": 303}},
		{"POST", open + "/send", nil, map[string]int{"operator": 404, "viewer": 403, "stranger": 404, "nobody": 303}},
		{"POST", "/team/" + target + "/role", []string{"role", "owner"}, map[string]int{"operator": 403, "viewer": 403, "stranger": 404, "nobody": 303}},
		{"POST", "/team/" + target + "/remove", nil, map[string]int{"operator": 403, "viewer": 403, "stranger": 404, "nobody": 303}},
		{"POST", "/team/" + c.id(t, "owner@example.com") + "/role", []string{"role", "viewer"}, map[string]int{"owner": 403}},
		{"POST", "/team/" + target + "/role", []string{"role", "emperor"}, map[string]int{"owner": 422}},
		{"POST", "/team/leave", nil, map[string]int{"owner": 409, "stranger": 409}},
		{"POST", "/tenants/" + target + "/switch", nil, map[string]int{"owner": 404, "stranger": 404, "nobody": 303}},
		{"POST", "/team/" + target + "/role", []string{"role", "operator"}, map[string]int{"owner": 303}},
		{"POST", "/team/" + target + "/remove", nil, map[string]int{"owner": 303}},
	} {
		for who, want := range act.want {
			var got answer
			if act.method == "GET" {
				got = people[who].get(t, act.path)
			} else {
				got = people[who].post(t, act.path, act.form...)
			}
			if got.status != want {
				t.Errorf("%s %s %v as %s: %d, want %d", act.method, act.path, act.form, who, got.status, want)
			}
		}
	}
}

func TestTeam_SensitiveActsWantARecentProof(t *testing.T) {
	c := newCrew(t)
	c.join(t, "a@example.com", "viewer")
	c.exec(t, `UPDATE sessions SET proved_at = now() - interval '1 hour'`)
	target := "/team/" + c.id(t, "a@example.com")
	for _, path := range []string{"/team/invite", target, "/connect/fake/send"} {
		c.owner.get(t, path).want(t, path, 303, "/prove?next="+url.QueryEscape(path))
	}
	for _, path := range []string{"/team/invite", target + "/role", target + "/remove", "/connect/fake/send"} {
		if got := c.owner.post(t, path, "email", "b@example.com", "role", "owner", "language", "en"); !strings.HasPrefix(got.location, "/prove") {
			t.Errorf("POST %s went through: %d to %q", path, got.status, got.location)
		}
	}
}

func TestTeam_ChangesTakeEffectAtOnce(t *testing.T) {
	c := newCrew(t)
	v := c.join(t, "a@example.com", "owner")
	target := "/team/" + c.id(t, "a@example.com")
	v.post(t, "/team/invite", "email", "c@example.com", "role", "owner", "language", "en").want(t, "inviting", 303, "/team")
	link := c.deliver(t)

	c.owner.post(t, target+"/role", "role", "operator").want(t, "demoting", 303, "/team")
	v.get(t, "/team/invite").want(t, "an operator inviting", 403, "", "Only an owner")
	c.visitor(t).get(t, link).want(t, "what they had invited to", 404, "")

	attempt := v.leave(t, "/connect/fake")
	c.owner.post(t, target+"/remove").want(t, "removing", 303, "/team")
	v.comeBack(t, c.fake.Approve(attempt, "10001")).want(t, "coming back from a flow", 303, "/login?next=%2Fconnections")
	v.get(t, "/overview").want(t, "the next page", 303, "/login?next=%2Foverview")
	v.post(t, "/login", "email", "a@example.com", "password", lobbyPassword).want(t, "signing in", 303, "/overview")
	v.get(t, "/overview").want(t, "work", 303, "/tenants")
	v.get(t, "/tenants").want(t, "where to work", 200, "", "in no team", "a@example.com")
	v.get(t, "/settings").want(t, "the own account", 200, "")

	back := c.invited(t, "a@example.com", "viewer")
	v.get(t, back).want(t, "the new invitation", 200, "", `data-mode="accept"`)
	v.post(t, back).want(t, "accepting", 303, "/overview")
	v.get(t, "/team").want(t, "back in the team", 200, "", "a@example.com")
	c.exec(t, `UPDATE sessions SET proved_at = now() - interval '1 hour'`)
	v.post(t, "/team/leave").want(t, "leaving without a recent proof", 303, "/prove?next=%2F")
	c.exec(t, `UPDATE sessions SET proved_at = now()`)
	v.post(t, "/team/leave").want(t, "leaving", 303, "/login")
	v.get(t, "/login").want(t, "after it", 200, "", "You have left the team.")
}

func TestTeam_OfTwoOwnersWhoRemoveEachOtherOneStays(t *testing.T) {
	c := newCrew(t)
	other := c.join(t, "a@example.com", "owner")
	me, them := "/team/"+c.id(t, "owner@example.com"), "/team/"+c.id(t, "a@example.com")
	for round := range 3 {
		var wait sync.WaitGroup
		wait.Go(func() { c.owner.post(t, them+"/role", "role", "viewer") })
		wait.Go(func() { other.post(t, me+"/role", "role", "viewer") })
		wait.Wait()
		if n := c.count(t, `SELECT count(*) FROM memberships WHERE role = 'owner'`); n != 1 {
			t.Fatalf("round %d: %d owners are left, want 1", round, n)
		}
		c.exec(t, `UPDATE memberships SET role = 'owner'`)
	}
}
