package handlers

import (
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"mooring/internal/connect"
	"mooring/internal/oauth"
)

// changesShown is a page of what has changed.
const changesShown = 25

// ChangesPage is what has changed in a connection's data, field by field.
type ChangesPage struct {
	Page
	Connection connect.ConnectionView
	Name       string
	Block      oauth.Block // only of this; "": of all
	Filters    []MenuItem
	Entries    []ChangesEntry
	Older      string
	Newest     bool
	First      string // address of the newest
}

// ChangesEntry is one version of a block.
type ChangesEntry struct {
	Words
	Heading string
	At      Moment
	Seen    Moment // when the provider last told the same
	AsOf    string // the provider's own date; "" if it gives none
	Note    string // in the lines' place
	Lines   []ChangeLine
}

// ChangeLine is one field: what it was and what it is.
type ChangeLine struct {
	Label          string
	Old, New       string
	Added, Removed string // of a list, in place of Old and New
	Note           string
	Digits         bool
}

// showChanges answers "GET /connections/:id/history".
func (s *Server) showChanges(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	view, err := s.Connect.History(c.Request.Context(), m.Store, connect.HistoryRequest{
		Connection: id, Block: oauth.Block(c.Query("block")), Before: c.Query("before"), Limit: changesShown,
	})
	if err != nil {
		return err
	}
	page := ChangesPage{
		Page: s.page(c, "history.title", "provider", m.say(view.Provider.Title)), Connection: view.ConnectionView,
		Newest: c.Query("before") == "", Block: oauth.Block(c.Query("block")),
	}
	page.Name = page.AccountOf(view.Connection, view.AccountName)
	page.filters(view.Offered)
	for _, e := range view.Entries {
		page.Entries = append(page.Entries, page.changesEntry(e))
	}
	page.First = page.address(page.Block, "")
	if view.Next != "" {
		page.Older = page.address(page.Block, view.Next)
	}
	return s.show(c, page)
}

// filters makes a line for all blocks and one for each; a block that the provider has not shows all.
func (p *ChangesPage) filters(offered []oauth.Block) {
	all := MenuItem{Link: Link{p.T("history.all"), p.address("", "")}, Current: true}
	var each []MenuItem
	for _, block := range offered {
		item := MenuItem{Link: Link{p.BlockName(block), p.address(block, "")}, Current: block == p.Block}
		all.Current = all.Current && !item.Current
		each = append(each, item)
	}
	if all.Current {
		p.Block = ""
	}
	if len(each) > 1 {
		p.Filters = append([]MenuItem{all}, each...)
	}
}

func (p ChangesPage) address(block oauth.Block, before string) string {
	query := url.Values{}
	if block != "" {
		query.Set("block", string(block))
	}
	if before != "" {
		query.Set("before", before)
	}
	return (&url.URL{Path: "/connections/" + p.Connection.ID.String() + "/history", RawQuery: query.Encode()}).String()
}

func (w Words) changesEntry(e connect.HistoryEntry) ChangesEntry {
	entry := ChangesEntry{Words: w, Heading: w.T("history.changed", "block", w.BlockName(e.Block)), At: w.When(e.ChangedAt), Seen: w.When(e.FetchedAt)}
	if !e.ProviderAsOf.IsZero() {
		entry.AsOf = w.DateTime(e.ProviderAsOf)
	}
	for _, c := range e.Changes {
		if line, ok := w.changeLine(e.Block, c); ok {
			entry.Lines = append(entry.Lines, line)
		}
	}
	switch {
	case e.First:
		entry.Heading, entry.Note = w.T("history.first", "block", w.BlockName(e.Block)), w.T("history.first_note")
	case e.Broken:
		entry.Note = w.T("history.broken")
	case len(entry.Lines) == 0:
		entry.Note = w.T("history.not_shown")
	}
	return entry
}

// changeLine words one change; not ok for a field that no page shows.
func (w Words) changeLine(block oauth.Block, c connect.Change) (line ChangeLine, ok bool) {
	line.Label, ok = w.FieldName(block, c.Field)
	switch {
	case c.Field == "unmapped":
		line.Label, ok = c.Of, true
	case c.Of != "":
		line.Label = w.T("history.of", "field", line.Label, "which", c.Of)
	}
	line.Old, line.New = w.told(block, c.Field, c.Old), w.told(block, c.Field, c.New)
	line.Added, line.Removed = strings.Join(c.Added, ", "), strings.Join(c.Removed, ", ")
	line.Digits = c.Old.Kind == connect.ToldMoney || c.New.Kind == connect.ToldMoney
	switch {
	case c.Hidden():
		line.Note = w.T("history.alike")
	case c.Old.Kind == connect.ToldMasked || c.New.Kind == connect.ToldMasked:
		line.Note = w.T("history.as_delivered")
	}
	return line, ok
}

// told writes one side of a change as the block's own page would.
func (w Words) told(block oauth.Block, field string, t connect.Told) string {
	switch t.Kind {
	case connect.ToldTime:
		return w.Date(t.At)
	case connect.ToldMoney:
		return w.Money(t.Money)
	case connect.ToldFlag:
		if t.Yes != (field == "none") {
			return w.T("block.yes")
		}
		return w.T("history.no")
	case connect.ToldNothing:
		return w.T("history.nothing")
	}
	if block == oauth.BlockMerchant && field == "status" {
		return w.StatusBadge(t.Text).Text
	}
	return t.Text
}
