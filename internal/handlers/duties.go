package handlers

import (
	"net/http"
	"slices"
	"strings"

	"mooring/internal/models"
)

// duty says who of the staff may look at a part of the admin pages, and who may change something there.
type duty struct {
	prefix string
	look   []models.Duty // nil: all of the staff
	act    []models.Duty
}

// duties are the parts, the narrower ones first. The last one is for what nobody has thought of: looking is everybody's,
// changing wants somebody who may do everything.
func duties() []duty {
	proving := []models.Duty{models.Auditor, models.Security}
	keeping := []models.Duty{models.Keeper}
	return []duty{
		{prefix: "/admin/audit", look: proving, act: proving},
		{prefix: "/admin/keys", look: proving, act: []models.Duty{models.Security}},
		{prefix: "/admin/tenants/:id/remind/", act: []models.Duty{models.Keeper, models.Reviewer}},
		{prefix: "/admin/tenants", act: []models.Duty{models.Reviewer}},
		{prefix: "/admin/work", act: []models.Duty{models.Reviewer}},
		{prefix: "/admin/providers", act: keeping},
		{prefix: "/admin/webhooks", act: keeping},
		{prefix: "/admin/endpoints", act: keeping},
		{prefix: "/admin/expiring", act: keeping},
		{prefix: "/admin/mail", act: keeping},
		{prefix: "/admin/jobs", act: keeping},
		{prefix: "/admin"},
	}
}

// mayWork says whether somebody with these duties may send such a request. The path is the route's, not the address.
func mayWork(has []models.Duty, method, route string) bool {
	looking := method == http.MethodGet || method == http.MethodHead
	for _, d := range duties() {
		if !strings.HasPrefix(route, d.prefix) {
			continue
		}
		switch {
		case looking && d.look == nil:
			return true
		case looking:
			return shareOne(has, d.look)
		case d.act == nil:
			return len(has) == len(models.Duties())
		}
		return shareOne(has, d.act)
	}
	return false
}

func shareOne(a, b []models.Duty) bool {
	return slices.ContainsFunc(a, func(d models.Duty) bool { return slices.Contains(b, d) })
}
