package handlers

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// workShown is a page of the work list, and of the connections.
const workShown = 50

// WorkPage is where the staff begin: what waits for them, for merchants and for providers.
type WorkPage struct {
	Page
	Stuck []Stuck
	Tabs  []MenuItem
	Whose []MenuItem
	Kept  KeptFilters
	Rows  []WorkLine
	Next  string // address of the next page; "" if this is the last
	First string // address of the first; "" if this is it
}

// Stuck is who keeps others waiting, with what lies there.
type Stuck struct {
	Heading string
	Piles   []Pile
}

// Pile is a number of things that lie somewhere, and the way there.
type Pile struct{ Text, Number, Href string }

// WorkLine is one review in the list.
type WorkLine struct {
	models.WorkRow
	Badge    Badge
	Since    Moment
	Age      Moment
	Deadline string
	Late     bool
	Accounts Badge
}

// showWork answers "GET /admin".
func (s *Server) showWork(c *gin.Context, a *Admin) error {
	q := models.WorkQuery{Queue: cmp.Or(c.Query("queue"), "us"), Before: c.Query("before"), Limit: workShown}
	switch c.Query("who") {
	case "":
	case "me":
		q.Owned, q.Owner = true, &a.Session.UserID
	case "nobody":
		q.Owned = true
	default:
		return errs.New(errs.Invalid, "error.bad_cursor")
	}
	found, err := a.Store.Work(c.Request.Context(), q)
	if err != nil {
		return err
	}
	page := WorkPage{Page: s.page(c, "work.title")}
	for _, row := range found.Rows {
		page.Rows = append(page.Rows, page.workLine(row))
	}
	page.Kept = page.keptFilters(models.WorkList, c.Request.URL.Query(), found.Filters)
	page.link(c.Request.URL.Query(), found)
	page.stuck(found.Counts)
	return s.show(c, page)
}

func (p *WorkPage) workLine(row models.WorkRow) WorkLine {
	line := WorkLine{WorkRow: row, Badge: p.reviewBadge(row.State), Since: p.When(row.Since), Age: p.When(row.LinkedAt)}
	line.Accounts = p.TenantBadge(models.TenantRow{ID: uuid.Nil, Connections: row.Accounts, Attention: row.Attention})
	if row.Deadline != nil {
		line.Deadline, line.Late = p.Date(*row.Deadline), p.Past(*row.Deadline)
	}
	return line
}

// link makes the addresses of the list's neighbours: whatever else it is narrowed by is kept.
func (p *WorkPage) link(asked url.Values, found models.WorkPage) {
	at := narrowed("/admin", asked, "queue", "who")
	for _, queue := range models.WorkQueues() {
		text, shown := p.T("work.queue_"+queue), queue
		if queue == "us" {
			shown = ""
		}
		if n := found.Counts[queue]; n > 0 {
			text = p.T("inbox.tab_count", "state", text, "number", p.capped(n))
		}
		p.Tabs = append(p.Tabs, MenuItem{Link: Link{Text: text, Href: at("queue", shown)}, Current: cmp.Or(asked.Get("queue"), "us") == queue})
	}
	for _, who := range []string{"", "me", "nobody"} {
		text := p.T("work.who_" + cmp.Or(who, "all"))
		p.Whose = append(p.Whose, MenuItem{Link: Link{Text: text, Href: at("who", who)}, Current: asked.Get("who") == who})
	}
	if asked.Get("before") != "" {
		p.First = at("before", "")
	}
	if found.Next != "" {
		p.Next = at("before", found.Next)
	}
}

// stuck says who keeps whom waiting.
func (p *WorkPage) stuck(counts models.WorkCounts) {
	pile := func(name, key, href string) Pile {
		return Pile{Text: p.T(key), Number: p.capped(counts[name]), Href: href}
	}
	p.Stuck = []Stuck{
		{p.T("work.on_us"), []Pile{
			pile("us", "work.pile_reviews", "/admin"), pile("ours", "work.pile_ours", "/admin/connections?state=ours"),
			pile("dead", "work.pile_dead", "/admin/webhooks?state=dead"), pile("parked", "work.pile_parked", "/admin/webhooks?state=parked"),
		}},
		{p.T("work.on_merchant"), []Pile{
			pile("needs_more", "work.pile_more", "/admin?queue=needs_more"), pile("needs_you", "work.pile_needs", "/admin/connections?state=needs_you"),
			pile("ending", "work.pile_ending", "/admin/expiring"),
		}},
		{p.T("work.on_provider"), []Pile{pile("provider", "work.pile_provider", "/admin/connections?state=provider")}},
	}
}

// LinksPage is everybody's connections, the newest turn first.
type LinksPage struct {
	Page
	Tabs      []MenuItem
	Kept      KeptFilters
	Providers []oauth.Descriptor
	Provider  string
	State     string
	Rows      []LinkLine
	Next      string
	First     string
}

// LinkLine is one connection in the list.
type LinkLine struct {
	models.LinkRow
	ProviderName string
	Badge        Badge
	Since        Moment
}

// linkStates are the values of "state" in the address, in the order of the tabs.
func linkStates() []models.State {
	return []models.State{"", models.NeedsYou, models.Provider, models.Ours, models.Connected, models.Disconnected}
}

// listLinks answers "GET /admin/connections".
func (s *Server) listLinks(c *gin.Context, a *Admin) error {
	q := models.LinkQuery{Provider: c.Query("provider"), State: models.State(c.Query("state")), Before: c.Query("before"), Limit: workShown}
	if !slices.Contains(linkStates(), q.State) {
		return errs.New(errs.Invalid, "error.bad_cursor")
	}
	found, err := a.Store.Links(c.Request.Context(), q)
	if err != nil {
		return err
	}
	page := LinksPage{Page: s.page(c, "work.links"), Providers: s.Connect.Providers.All(), Provider: q.Provider, State: string(q.State)}
	for _, row := range found.Rows {
		line := LinkLine{LinkRow: row, ProviderName: row.Provider, Badge: page.TheirStateBadge(row.Connection), Since: page.When(row.StateSince)}
		if d, _, known := s.Connect.Describe(row.Provider); known {
			line.ProviderName = page.Say(d.Title)
		}
		page.Rows = append(page.Rows, line)
	}
	page.Kept = page.keptFilters(models.LinksList, c.Request.URL.Query(), found.Filters)
	at := narrowed("/admin/connections", c.Request.URL.Query(), "state", "provider")
	for _, state := range linkStates() {
		text := page.T("work.all")
		if state != "" {
			text = page.TheirStateBadge(models.Connection{State: state}).Text
		}
		page.Tabs = append(page.Tabs, MenuItem{Link: Link{Text: text, Href: at("state", string(state))}, Current: q.State == state})
	}
	if q.Before != "" {
		page.First = at("before", "")
	}
	if found.Next != "" {
		page.Next = at("before", found.Next)
	}
	return s.show(c, page)
}
