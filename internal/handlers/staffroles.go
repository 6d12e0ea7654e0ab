package handlers

import (
	"net/http"
	"slices"
	"strings"

	"mooring/internal/models"
)

// staffPart says who of the staff may look at a part of the admin pages, and who may change something there.
type staffPart struct {
	prefix string
	look   []models.StaffRole // nil: all of the staff
	act    []models.StaffRole
}

// staffParts are the parts, the narrower ones first. The last one is for what nobody has thought of: looking is everybody's,
// changing wants somebody who may do everything.
func staffParts() []staffPart {
	proving := []models.StaffRole{models.Auditor, models.Security}
	keeping := []models.StaffRole{models.StaffOperator}
	reminding := []models.StaffRole{models.StaffOperator, models.Reviewer}
	ending := []models.StaffRole{models.StaffOperator, models.Security}
	looking := []models.StaffRole{models.Reviewer, models.Security}
	return []staffPart{
		{prefix: "/admin/approvals/remind", look: reminding, act: reminding},
		{prefix: "/admin/approvals/withdraw", look: ending, act: ending},
		{prefix: "/admin/approvals/export", look: proving, act: proving},
		{prefix: "/admin/approvals/reveal", look: looking, act: looking},
		{prefix: "/admin/approvals/:id/review", act: proving},
		{prefix: "/admin/audit", look: proving, act: proving},
		{prefix: "/admin/keys", look: proving, act: []models.StaffRole{models.Security}},
		{prefix: "/admin/tenants/:id/remind/", act: reminding},
		{prefix: "/admin/tenants/:id/view", look: viewers(), act: viewers()},
		{prefix: "/admin/view/", act: viewers()},
		{prefix: "/admin/tenants", act: []models.StaffRole{models.Reviewer}},
		{prefix: "/admin/work", act: []models.StaffRole{models.Reviewer}},
		{prefix: "/admin/providers", act: keeping},
		{prefix: "/admin/webhooks", act: keeping},
		{prefix: "/admin/endpoints", act: keeping},
		{prefix: "/admin/expiring", act: keeping},
		{prefix: "/admin/mail", act: keeping},
		{prefix: "/admin/jobs", act: keeping},
		{prefix: "/admin"},
	}
}

// partOf finds the part that a route belongs to.
func partOf(route string) (part staffPart, known bool) {
	parts := staffParts()
	i := slices.IndexFunc(parts, func(p staffPart) bool { return strings.HasPrefix(route, p.prefix) })
	if i < 0 {
		return staffPart{}, false
	}
	return parts[i], true
}

// mayWork says whether somebody with these roles may send such a request. The path is the route's, not the address.
func mayWork(has []models.StaffRole, method, route string) bool {
	part, known := partOf(route)
	looking := method == http.MethodGet || method == http.MethodHead
	switch {
	case !known:
		return false
	case looking && part.look == nil:
		return true
	case looking:
		return shareOne(has, part.look)
	case part.act == nil:
		return len(has) == len(models.StaffRoles())
	}
	return shareOne(has, part.act)
}

// askers are those of the staff who may ask for an act, and decide on it.
func askers(act models.Act) []models.StaffRole {
	part, _ := partOf("/admin/approvals/" + string(act))
	return part.act
}

func shareOne(a, b []models.StaffRole) bool {
	return slices.ContainsFunc(a, func(r models.StaffRole) bool { return slices.Contains(b, r) })
}
