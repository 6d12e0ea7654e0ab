package handlers

import (
	"cmp"
	"context"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// callbacksShown is a page of the inbox.
const callbacksShown = 50

// InboxPage is what providers' servers have sent, and what became of it. What it says is sealed, and the platform's role
// has no grant on it.
type InboxPage struct {
	Page
	Tabs      []MenuItem
	Providers []oauth.Descriptor
	Provider  string
	State     string
	Tenant    string // id that the list is narrowed to; "" if it is not
	Rows      []CallbackLine
	Next      string
	First     string // address of the newest; "" if this is it
	Everybody string // address of the list without the tenant
}

// CallbackLine is one stored callback in words.
type CallbackLine struct {
	models.InboxRow
	ProviderName string
	About        string
	At           Moment
	Badge        Badge
	Why          string // it failed, or was given up; "" if there is nothing to say
}

// inboxTabs are the values of "state" in the address, in the order of the tabs.
func inboxTabs() []models.CallbackState {
	return []models.CallbackState{"", models.CallbackWaiting, models.CallbackParked, models.CallbackDead, models.CallbackProcessed}
}

// showInbox answers "GET /admin/webhooks".
func (s *Server) showInbox(c *gin.Context, a *Admin) error {
	q := models.InboxQuery{State: models.CallbackState(c.Query("state")), Provider: c.Query("provider"), Limit: callbacksShown}
	if !slices.Contains(inboxTabs(), q.State) {
		return errs.New(errs.Invalid, "error.bad_cursor")
	}
	for name, into := range map[string]*uuid.UUID{"tenant": &q.Tenant, "before": &q.Before} {
		var err error
		if text := c.Query(name); text != "" {
			if *into, err = uuid.Parse(text); err != nil {
				return errs.New(errs.Invalid, "error.bad_cursor")
			}
		}
	}
	found, err := a.Store.Inbox(c.Request.Context(), q)
	if err != nil {
		return err
	}
	page := InboxPage{
		Page: s.page(c, "inbox.title"), Providers: s.Connect.Providers.All(), Provider: q.Provider,
		State: string(q.State), Tenant: c.Query("tenant"),
	}
	for _, row := range found.Rows {
		page.Rows = append(page.Rows, s.callbackLine(page.Words, row))
	}
	page.link(c.Request.URL.Query(), found)
	return s.show(c, page)
}

// link makes the addresses of the list's neighbours: whatever else it is narrowed by is kept.
func (p *InboxPage) link(asked url.Values, found models.InboxPage) {
	at := narrowed("/admin/webhooks", asked, "state", "provider", "tenant")
	for _, state := range inboxTabs() {
		text := p.T("inbox.tab_" + cmp.Or(string(state), "all"))
		if n, counted := found.Counts[state]; counted && n > 0 {
			text = p.T("inbox.tab_count", "state", text, "number", p.capped(n))
		}
		p.Tabs = append(p.Tabs, MenuItem{Link: Link{Text: text, Href: at("state", string(state))}, Current: p.State == string(state)})
	}
	p.Everybody = at("tenant", "")
	if asked.Get("before") != "" {
		p.First = at("before", "")
	}
	if found.More {
		p.Next = at("before", found.Rows[len(found.Rows)-1].ID.String())
	}
}

func (s *Server) callbackLine(w Words, row models.InboxRow) CallbackLine {
	d, _, known := s.Connect.Describe(row.Provider)
	if !known {
		d = oauth.Descriptor{Slug: row.Provider, Title: oauth.Text{ZH: row.Provider, EN: row.Provider}}
	}
	line := CallbackLine{InboxRow: row, ProviderName: w.Say(d.Title), At: w.When(row.ReceivedAt), Badge: w.callbackBadge(row.State)}
	line.About = w.T("inbox.about_news")
	if row.Link {
		line.About = w.T("inbox.about_link")
	}
	if row.Reason != "" {
		line.Why = w.callbackReason(d, row.Reason)
	}
	return line
}

// callbackReason says why a callback failed or was given up: in words of the inbox where it has some, else in those for
// the provider's refusal.
func (w Words) callbackReason(d oauth.Descriptor, reason string) string {
	if key := "inbox.why_" + reason; w.Has(key) {
		return w.T(key)
	}
	return w.reasonOf(d, reason, "").What
}

func (w Words) callbackBadge(state models.CallbackState) Badge {
	text := w.T("inbox.state_" + string(state))
	switch state {
	case models.CallbackDead:
		return Badge{"bad", "alert", text}
	case models.CallbackWaiting:
		return Badge{"wait", "clock", text}
	case models.CallbackParked:
		return Badge{"sea", "away", text}
	case models.CallbackProcessed:
		return Badge{"good", "check", text}
	}
	return Badge{"", "no", text}
}

// CallbackPage is one stored callback, and what the staff can do about it.
type CallbackPage struct {
	Page
	Callback CallbackLine
	Settled  Moment
}

// showCallback answers "GET /admin/webhooks/:id".
func (s *Server) showCallback(c *gin.Context, a *Admin) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	row, err := a.Store.InboxRow(c.Request.Context(), id)
	if err != nil {
		return err
	}
	page := CallbackPage{Page: s.page(c, "inbox.one_title")}
	page.Callback = s.callbackLine(page.Words, row)
	if row.SettledAt != nil {
		page.Settled = page.When(*row.SettledAt)
	}
	return s.show(c, page)
}

// replayCallback answers "POST /admin/webhooks/:id/replay".
func (s *Server) replayCallback(c *gin.Context, a *Admin) error {
	return s.settleCallback(c, a.Store.ReplayCallback, "inbox.replayed_flash")
}

// discardCallback answers "POST /admin/webhooks/:id/discard".
func (s *Server) discardCallback(c *gin.Context, a *Admin) error {
	return s.settleCallback(c, a.Store.DiscardCallback, "inbox.discarded_flash")
}

// settleCallback leads back to the callback, which says how it is now. Pressed twice, it says nothing the second time.
func (s *Server) settleCallback(c *gin.Context, do func(ctx context.Context, id uuid.UUID) (bool, error), flash string) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	done, err := do(c.Request.Context(), id)
	if err != nil {
		return err
	}
	if done {
		s.cookies.flash(c, flash)
	}
	return seeOther(c, "/admin/webhooks/"+id.String())
}
