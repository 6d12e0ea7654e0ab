package handlers

import (
	"net/http"
	"strings"
	"testing"

	"mooring/internal/models"
	"mooring/internal/oauth/oauthtest"
)

// The list of routes is the router's own, so that a new one is not forgotten.
func TestStaffRoles_EveryStaffRouteIsSomebodys(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	for _, route := range h.server.engine.Routes() {
		if !strings.HasPrefix(route.Path, "/admin") {
			continue
		}
		var may []models.StaffRole
		for _, r := range models.StaffRoles() {
			if mayWork([]models.StaffRole{r}, route.Method, route.Path) {
				may = append(may, r)
			}
		}
		if len(may) == 0 {
			t.Errorf("%s %s: nobody with one role may use it; name it in staffParts()", route.Method, route.Path)
		}
		if route.Method == http.MethodPost && len(may) == len(models.StaffRoles()) {
			t.Errorf("%s %s: everybody may change it", route.Method, route.Path)
		}
		if mayWork(nil, http.MethodPost, route.Path) {
			t.Errorf("%s: somebody without a role may change it", route.Path)
		}
	}
}

func TestStaffRoles_Refuse(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	staff := h.staff(t)
	be := func(roles ...string) {
		t.Helper()
		_, err := h.db.Owner.Exec(t.Context(), `UPDATE platform_admins SET roles = $1`, roles)
		must(t, err)
	}
	for _, c := range []struct {
		role, method, path string
		allowed            bool
	}{
		{"reviewer", "GET", "/admin/tenants", true}, {"reviewer", "GET", "/admin/audit", false}, {"reviewer", "POST", "/admin/endpoints", false},
		{"operator", "GET", "/admin/endpoints", true}, {"operator", "POST", "/admin/audit/verify", false},
		{"auditor", "GET", "/admin/audit", true}, {"auditor", "POST", "/admin/endpoints", false}, {"auditor", "GET", "/admin/endpoints", true},
		{"security", "GET", "/admin/audit", true}, {"security", "POST", "/admin/endpoints", false},
	} {
		be(c.role)
		var got answer
		if c.method == "GET" {
			got = staff.get(t, c.path)
		} else {
			got = staff.post(t, c.path)
		}
		if allowed := got.status != http.StatusForbidden; allowed != c.allowed {
			t.Errorf("%s %s as %s: %d", c.method, c.path, c.role, got.status)
		}
		if !c.allowed && !strings.Contains(got.body, "not part of your role") {
			t.Errorf("%s %s as %s does not say why", c.method, c.path, c.role)
		}
	}
}

func TestStaff_NeedASecondFactorWhereItIsAskedOfThem(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	h.server.StaffFactor = true
	staff := h.staff(t)
	staff.get(t, "/admin/tenants").want(t, "without one", 303, "/settings/factors")
	staff.get(t, "/settings/factors").want(t, "where it is set up", 200, "", "need a second proof")
	setUp(t, staff)
	staff.get(t, "/admin/tenants").want(t, "with one", 200, "")
}
