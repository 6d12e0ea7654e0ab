package handlers

import (
	"net/url"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/dispatch"
	"mooring/internal/errs"
	"mooring/internal/models"
)

// deliveriesShown is a page of the list of deliveries.
const deliveriesShown = 25

// EndpointPage is one endpoint: how it is set up, and what it was told.
type EndpointPage struct {
	Page
	Endpoint   models.EndpointRow
	Host       string
	Path       string // the page's own address
	Badge      Badge
	Off        string // why it is told nothing; "" while it is on
	Kinds      []string
	Newest     models.SecretVersion
	Old        *OldSecret // the secret that still signs beside the newest; nil: none
	Test       *TestLine  // what a test just gave; nil: none was sent
	State      models.DeliveryState
	Filters    []MenuItem
	Deliveries []DeliveryLine
	First      bool
	Next       string
	Since      []SinceChoice
}

// OldSecret is a secret that will end.
type OldSecret struct{ Ends string }

// TestLine is what a test gave.
type TestLine struct {
	Badge  Badge
	What   string
	Took   string
	Answer string
}

// SinceChoice is how far back failed deliveries are replayed.
type SinceChoice struct {
	Hours int
	Text  string
}

// DeliveryLine is one delivery.
type DeliveryLine struct {
	models.Delivery
	Kind   string
	At     Moment
	Badge  Badge
	Status string // what came of the last try
	Next   string // when the next one is; "" if there is none
	Replay string // where a press replays it; "" if there is nothing to replay
	Tries  []TryLine
}

// TryLine is one try of a delivery.
type TryLine struct{ At, What, Took string }

// showEndpoint answers "GET /admin/endpoints/:id".
func (s *Server) showEndpoint(c *gin.Context, a *Admin) error { return s.endpointPage(c, a, nil) }

// testEndpoint answers "POST /admin/endpoints/:id/test". It shows what came back, which is kept nowhere, so it is no
// redirect; a reload sends another test.
func (s *Server) testEndpoint(c *gin.Context, a *Admin) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	result, err := s.Dispatch.Test(c.Request.Context(), a.Store, id)
	if err != nil {
		return err
	}
	return s.endpointPage(c, a, &result)
}

func (s *Server) endpointPage(c *gin.Context, a *Admin, test *dispatch.TestResult) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	q, err := deliveryQueryOf(c)
	if err != nil {
		return err
	}
	d, err := a.Store.Endpoint(c.Request.Context(), id, q)
	if err != nil {
		return err
	}
	base := s.page(c, "outgoing.endpoint_title", "host", dispatch.HostOf(d.URL))
	page := EndpointPage{
		Page: base, Endpoint: d.EndpointRow, Host: dispatch.HostOf(d.URL), Path: endpointPath(d.ID, ""), Badge: base.endpointBadge(d.EndpointRow),
		Off: base.offWord(d.Endpoint), State: q.State, Filters: base.deliveryFilters(d.ID, q.State), First: q.Before == uuid.Nil,
		Since: base.sinceChoices(),
	}
	page.Kinds = base.kindsInWords(d.Kinds)
	for i, version := range d.Secrets {
		if i == 0 {
			page.Newest = version
		} else if version.EndsAt != nil {
			page.Old = &OldSecret{Ends: base.DateTime(*version.EndsAt)}
		}
	}
	if test != nil {
		page.Test = base.testLine(*test)
	}
	for _, delivery := range d.Deliveries {
		page.Deliveries = append(page.Deliveries, base.deliveryLine(d, delivery))
	}
	if d.Next != uuid.Nil {
		page.Next = deliveriesPath(d.ID, q.State, d.Next.String())
	}
	return s.show(c, page)
}

func deliveryQueryOf(c *gin.Context) (q models.DeliveryQuery, err error) {
	q.Limit, q.State = deliveriesShown, models.DeliveryState(c.Query("state"))
	switch q.State {
	case "", models.DeliveryWaiting, models.Delivered, models.DeliveryFailed:
	default:
		return q, errs.New(errs.Invalid, "error.bad_cursor")
	}
	if text := c.Query("before"); text != "" {
		if q.Before, err = uuid.Parse(text); err != nil {
			return q, errs.New(errs.Invalid, "error.bad_cursor")
		}
	}
	return q, nil
}

func deliveriesPath(endpoint uuid.UUID, state models.DeliveryState, before string) string {
	query := url.Values{}
	if state != "" {
		query.Set("state", string(state))
	}
	if before != "" {
		query.Set("before", before)
	}
	if len(query) == 0 {
		return endpointPath(endpoint, "")
	}
	return endpointPath(endpoint, "") + "?" + query.Encode()
}

func (w Words) deliveryFilters(endpoint uuid.UUID, current models.DeliveryState) []MenuItem {
	var items []MenuItem
	for _, state := range []models.DeliveryState{"", models.DeliveryWaiting, models.Delivered, models.DeliveryFailed} {
		name := string(state)
		if name == "" {
			name = "all"
		}
		items = append(items, MenuItem{
			Link: Link{Text: w.T("outgoing.filter." + name), Href: deliveriesPath(endpoint, state, "")}, Current: state == current,
		})
	}
	return items
}

func (w Words) sinceChoices() []SinceChoice {
	return []SinceChoice{
		{Hours: 24, Text: w.T("outgoing.since_day")}, {Hours: 7 * 24, Text: w.T("outgoing.since_week")}, {Hours: 0, Text: w.T("outgoing.since_ever")},
	}
}

// kindsInWords lists what an endpoint wants, or says that it is everything.
func (w Words) kindsInWords(kinds []string) []string {
	if len(kinds) == len(dispatch.Kinds()) {
		return []string{w.kindsWord(kinds)}
	}
	var words []string
	for _, kind := range kinds {
		words = append(words, w.T("outgoing.kind."+kind))
	}
	return words
}

// offWord says why an endpoint is told nothing.
func (w Words) offWord(e models.Endpoint) string {
	if e.Enabled || e.DisabledAt == nil {
		return ""
	}
	return w.T("outgoing.off."+e.DisabledReason, "at", w.DateTime(*e.DisabledAt))
}

func (w Words) testLine(r dispatch.TestResult) *TestLine {
	line := &TestLine{Badge: Badge{"good", "check", w.T("outgoing.test_good")}, What: w.tryWord(r.DeliveryTry), Took: w.took(r.TookMS), Answer: r.Answer}
	if r.Status < 200 || r.Status > 299 {
		line.Badge = Badge{"bad", "alert", w.T("outgoing.test_bad")}
	}
	return line
}

// tryWord says what came of a try.
func (w Words) tryWord(t models.DeliveryTry) string {
	if t.Error != "" {
		return w.T("outgoing.error." + t.Error)
	}
	return w.T("outgoing.answered", "status", t.Status)
}

func (w Words) took(ms int) string { return w.T("outgoing.took", "ms", w.Number(ms)) }

func (w Words) deliveryLine(e models.EndpointDetail, d models.Delivery) DeliveryLine {
	line := DeliveryLine{Delivery: d, Kind: w.T("outgoing.kind." + d.Kind), At: w.When(d.CreatedAt)}
	if d.LastStatus != 0 || d.LastError != "" {
		line.Status = w.tryWord(models.DeliveryTry{Status: d.LastStatus, Error: d.LastError})
	}
	switch d.State {
	case models.Delivered:
		line.Badge = Badge{"good", "check", w.T("outgoing.filter.delivered")}
	case models.DeliveryFailed:
		line.Badge = Badge{"bad", "alert", w.T("outgoing.filter.failed")}
		if e.Enabled {
			line.Replay = endpointPath(e.ID, "deliveries/"+d.ID.String()+"/replay")
		}
	default:
		line.Badge = Badge{"wait", "clock", w.T("outgoing.filter.waiting")}
		if d.NextAt != nil && d.Tries > 0 {
			line.Next = w.T("outgoing.next_try", "at", w.DateTime(*d.NextAt))
		}
	}
	for _, try := range d.Log {
		line.Tries = append(line.Tries, TryLine{At: w.DateTime(try.At.In(time.UTC)), What: w.tryWord(try), Took: w.took(try.TookMS)})
	}
	return line
}
