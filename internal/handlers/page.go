package handlers

import (
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"mooring/internal/i18n"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// Page is what every page has. The methods of its Words and their printer (T, Date, When, Money, …) are the page's own.
type Page struct {
	Words
	Title        string
	Viewer       *Viewer // nil: nobody is signed in
	Unknown      bool    // who looks could not be found out, so the head offers neither signing in nor out
	Home         string  // where the brand leads
	Menu         []MenuItem
	Flash        string
	Troubles     []Trouble // broken connections; the banner of every page names them
	MoreTroubles int       // how many more there are
	Notices      int       // unread ones, for the bell
	View         *ViewBar  // nil: they look through nobody else's eyes
	Approvals    int       // for the staff: acts that wait for a decision
	Alarms       int       // for the staff: what was done alone and nobody else has reviewed
	Reference    string
	Demo         bool
	Stream       string // address of the event stream that says when #live has changed; "" if the page stands still
	Refresh      int    // seconds after which a browser without JavaScript asks again; 0: never

	assets *assets
	path   string
	query  url.Values
}

// Viewer is who looks.
type Viewer struct {
	Email   string
	Tenant  string // "" for staff
	Staff   bool
	Role    models.Role
	Operate bool        // may change connections
	Closed  bool        // the tenant is closed
	Places  []Workplace // where they can go on working; empty if there is one only
}

// Link is somewhere to go.
type Link struct{ Text, Href string }

// MenuItem is a line of the menu.
type MenuItem struct {
	Link
	Current bool
}

// LanguageLink is one side of the language switch.
type LanguageLink struct {
	Link
	Tag     string
	Current bool
}

// page begins a page: whoever looks, their menu, their language. titleKey names its title; values of placeholders follow.
func (s *Server) page(c *gin.Context, titleKey string, args ...any) Page {
	v := s.visitOf(c)
	p := Page{
		Words: Words{v.p}, Title: v.p.T(titleKey, args...), Home: "/", Reference: eventOf(c.Request.Context()).id, Demo: s.Demo,
		Unknown: !v.looked && !s.store.token(c.Request).IsEmpty(),
		assets:  s.assets, path: c.Request.URL.Path, query: c.Request.URL.Query(),
	}
	if key := s.cookies.takeFlash(c); key != "" && v.p.Has(key) {
		p.Flash = v.p.T(key)
	}
	if v.who == nil {
		return p
	}
	who := v.who
	p.Viewer = &Viewer{Email: who.Email, Tenant: who.TenantName, Staff: who.IsAdmin, Role: who.Role, Operate: who.Role.MayOperate(), Closed: who.Closed}
	p.Home = homeOf(*who)
	if p.View = p.viewBar(who.View, v.viewing); v.viewing {
		p.Viewer.Tenant, p.Viewer.Staff, p.Viewer.Role, p.Home = who.View.Name, false, models.Viewer, "/overview"
	}
	if len(who.Workplaces) > 1 {
		p.Viewer.Places = p.workplaces(*who)
	}
	if !p.Viewer.Staff {
		p.Troubles, p.MoreTroubles = p.troubles(who.Troubles, s.Connect.Describe), who.Attention-len(who.Troubles)
	}
	p.Notices = who.Notices
	if len(who.Waiting) == 2 {
		p.Approvals, p.Alarms = who.Waiting[0], who.Waiting[1]
	}
	p.Menu = p.menu()
	return p
}

func (p Page) menu() []MenuItem {
	item := func(key, href string, more ...string) MenuItem {
		current := p.path == href || strings.HasPrefix(p.path, href+"/")
		for _, prefix := range more {
			current = current || strings.HasPrefix(p.path, prefix)
		}
		return MenuItem{Link: Link{Text: p.T(key), Href: href}, Current: current}
	}
	if p.Viewer.Staff {
		work := MenuItem{Link: Link{Text: p.T("work.title"), Href: "/admin"}, Current: p.path == "/admin"}
		items := []MenuItem{work, item("common.menu_tenants", "/admin/tenants"), item("work.links", "/admin/connections"), item("common.menu_providers", "/admin/providers"),
			item("inbox.title", "/admin/webhooks"), item("outgoing.menu", "/admin/endpoints"),
			item("history.board_title", "/admin/expiring"), p.approvalsItem(item("approval.title", "/admin/approvals")), item("audit.title", "/admin/audit"), item("keys.title", "/admin/keys"),
			item("jobs.title", "/admin/jobs"), item("mails.title", "/admin/mails", "/admin/mail")}
		return append(items, item("common.menu_settings", "/settings"))
	}
	if p.Viewer.Closed {
		return []MenuItem{item("closing.closed_title", "/closed"), item("common.menu_settings", "/settings")}
	}
	if p.Viewer.Role == "" {
		return []MenuItem{item("team.places_title", "/tenants"), item("common.menu_settings", "/settings")}
	}
	items := []MenuItem{
		item("common.menu_overview", "/overview"),
		item("common.menu_connections", "/connections", "/connect/", "/attempts/", "/expiring"),
		item("common.menu_activity", "/activity"),
		item("team.title", "/team"),
	}
	if p.View != nil { // settings are a person's own
		return items
	}
	return append(items, item("common.menu_settings", "/settings"))
}

// approvalsItem says in the menu how many acts wait for a decision.
func (p Page) approvalsItem(item MenuItem) MenuItem {
	if p.Approvals > 0 {
		item.Text = p.T("inbox.tab_count", "state", item.Text, "number", p.Number(p.Approvals))
	}
	return item
}

// Path is the page's own, for a form that leads back to it.
func (p Page) Path() string { return p.path }

// Asset gives the address of a file below static.
func (p Page) Asset(name string) string { return p.assets.path(name) }

// Mark gives the address of a provider's mark; a provider without one gets the plain buoy.
func (p Page) Mark(d oauth.Descriptor) string {
	if name := "providers/" + d.Slug + ".svg"; p.assets.has(name) {
		return p.assets.path(name)
	}
	return p.assets.path("providers/other.svg")
}

// Languages is the language switch: the same page in the other language. What an address carries besides its page (a
// search, a place in a list) is kept, except where it may be secret.
func (p Page) Languages() []LanguageLink {
	names := map[string]string{i18n.Chinese: "中文", i18n.English: "English"}
	var links []LanguageLink
	for _, tag := range i18n.Languages() {
		query := url.Values{"lang": {tag}}
		for _, kept := range []string{"q", "queue", "who", "before", "next", "block", "state", "provider", "tenant", "within", "currency", "read", "kind"} {
			if value := p.query.Get(kept); value != "" {
				query.Set(kept, value)
			}
		}
		links = append(links, LanguageLink{
			Link: Link{Text: names[tag], Href: (&url.URL{Path: p.path}).EscapedPath() + "?" + query.Encode()},
			Tag:  tag, Current: tag == p.Lang(),
		})
	}
	return links
}

// Field is one input of a form, for the partial of that name. Its type is one of HTML's, "select" or "textarea".
type Field struct {
	Name, Type, Label, Value string
	Help, Fault              string
	Autocomplete             string
	Required                 bool
	MinLength, MaxLength     int
	Choices                  []string // of a select
}

// RoleWord says what the viewer may do.
func (p Page) RoleWord() string {
	switch {
	case p.Viewer.Staff:
		return p.T("common.role_staff")
	case p.Viewer.Role == "":
		return p.T("team.role_none")
	}
	return p.T("common.role_" + string(p.Viewer.Role))
}

// Bell says how many notices wait, for those who cannot see the number.
func (p Page) Bell() string {
	if p.Notices == 0 {
		return p.T("notice.bell_none")
	}
	return p.T("notice.bell", "count", p.Notices)
}

// BellCount is the number on the bell, short enough for it.
func (p Page) BellCount() string {
	if p.Notices > 99 {
		return "99+"
	}
	return p.Number(p.Notices)
}
