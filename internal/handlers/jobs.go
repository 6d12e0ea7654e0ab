package handlers

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"mooring/internal/errs"
	"mooring/internal/models"
)

// jobsShown is a page of jobs.
const jobsShown = 50

// JobsPage is the platform's background work: how much of which kind is in which state, and the jobs themselves.
type JobsPage struct {
	Page
	Tabs     []MenuItem
	Kind     string // that the list is narrowed to; "" if it is not
	KindName string
	State    string
	Whole    string // address of the list without the kind
	Counts   []JobKind
	Rows     []JobLine
	Next     string
	First    string // address of the newest; "" if this is it
}

// JobKind is a kind of job with how many of it there are.
type JobKind struct {
	Name, Text, Href          string
	Waiting, Running, Failing string
	GivenUp, Ended            string
	Oldest                    Moment // of those that wait, run or fail
	numbers                   map[string]int
	capped                    map[string]bool
	oldest                    *models.JobCount
}

// JobLine is one job in words.
type JobLine struct {
	models.JobRow
	KindName  string
	Badge     Badge
	Created   Moment
	Next      string // when it runs; "" if it has ended or runs now
	Retry     bool   // it can be run at once
	Cancel    bool
	Elsewhere Link // where it is taken up again instead
}

// jobGroups are the values of "state" in the address, in the order of the tabs, with river's states.
func jobGroups() []jobGroup {
	return []jobGroup{
		{"", nil}, {"failing", []string{"retryable", "discarded"}}, {"waiting", []string{"available", "scheduled", "pending"}},
		{"running", []string{"running"}}, {"ended", []string{"completed", "cancelled"}},
	}
}

type jobGroup struct {
	name   string
	states []string
}

// showJobs answers "GET /admin/jobs".
func (s *Server) showJobs(c *gin.Context, a *Admin) error {
	q := models.JobQuery{Kind: c.Query("kind"), Limit: jobsShown}
	place := slices.IndexFunc(jobGroups(), func(g jobGroup) bool { return g.name == c.Query("state") })
	below, err := placeOf(c)
	if err != nil || place < 0 {
		return errs.New(errs.Invalid, "error.bad_cursor")
	}
	q.States, q.Below = jobGroups()[place].states, below
	found, err := a.Store.Jobs(c.Request.Context(), q)
	if err != nil {
		return err
	}
	page := JobsPage{Page: s.page(c, "jobs.title"), Kind: q.Kind, State: c.Query("state")}
	page.KindName = page.jobKind(q.Kind)
	for _, row := range found.Rows {
		page.Rows = append(page.Rows, page.jobLine(row))
	}
	page.count(found.Counts)
	page.link(c.Request.URL.Query(), found)
	return s.show(c, page)
}

// placeOf reads a place in a list by number; 0: its beginning.
func placeOf(c *gin.Context) (int64, error) {
	if c.Query("before") == "" {
		return 0, nil
	}
	return strconv.ParseInt(c.Query("before"), 10, 64)
}

// count makes a line per kind of the counts per kind and state.
func (p *JobsPage) count(counts []models.JobCount) {
	for _, n := range counts {
		last := len(p.Counts) - 1
		if last < 0 || p.Counts[last].Name != n.Kind {
			p.Counts = append(p.Counts, JobKind{Name: n.Kind, Text: p.jobKind(n.Kind), numbers: map[string]int{}, capped: map[string]bool{}})
			last++
		}
		k := &p.Counts[last]
		column := jobColumn(n.State)
		k.numbers[column] += n.Count
		k.capped[column] = k.capped[column] || n.Capped
		if column != "ended" && column != "given_up" && (k.oldest == nil || n.Oldest.Before(k.oldest.Oldest)) {
			k.oldest = &n
		}
	}
	for i := range p.Counts {
		k := &p.Counts[i]
		k.Waiting, k.Running, k.Failing = p.countCell(k, "waiting"), p.countCell(k, "running"), p.countCell(k, "failing")
		k.GivenUp, k.Ended = p.countCell(k, "given_up"), p.countCell(k, "ended")
		if k.oldest != nil {
			k.Oldest = p.When(k.oldest.Oldest)
		}
	}
}

func jobColumn(state string) string {
	switch state {
	case "running":
		return "running"
	case "retryable":
		return "failing"
	case "discarded":
		return "given_up"
	case "completed", "cancelled":
		return "ended"
	}
	return "waiting"
}

// countCell writes a number that may be more than was counted.
func (p *JobsPage) countCell(k *JobKind, column string) string {
	return p.counted(k.numbers[column], k.capped[column])
}

// link makes the addresses of the list's neighbours: whatever else it is narrowed by is kept.
func (p *JobsPage) link(asked url.Values, found models.JobsPage) {
	at := narrowed("/admin/jobs", asked, "state", "kind")
	for _, g := range jobGroups() {
		p.Tabs = append(p.Tabs, MenuItem{
			Link: Link{Text: p.T("jobs.tab_" + cmp.Or(g.name, "all")), Href: at("state", g.name)}, Current: p.State == g.name,
		})
	}
	for i := range p.Counts {
		p.Counts[i].Href = at("kind", p.Counts[i].Name)
	}
	p.Whole = at("kind", "")
	if asked.Get("before") != "" {
		p.First = at("before", "")
	}
	if found.More {
		p.Next = at("before", strconv.FormatInt(found.Rows[len(found.Rows)-1].ID, 10))
	}
}

func (w Words) jobLine(row models.JobRow) JobLine {
	line := JobLine{JobRow: row, KindName: w.jobKind(row.Kind), Created: w.When(row.CreatedAt)}
	line.Badge = w.jobBadge(row.State)
	ended := row.State == "completed" || row.State == "cancelled" || row.State == "discarded"
	line.Cancel = !ended && row.State != "running"
	if line.Cancel {
		line.Next = w.DateTime(row.NextAt)
	}
	switch {
	case row.State == "scheduled", row.State == "retryable":
		line.Retry = true
	case row.State != "cancelled" && row.State != "discarded":
	case row.Kind == "callback" && row.About != nil:
		line.Elsewhere = Link{Text: w.T("jobs.to_callback"), Href: "/admin/webhooks/" + row.About.String()}
	case row.Kind == "deliver":
		line.Elsewhere = Link{Text: w.T("jobs.to_endpoints"), Href: "/admin/endpoints"}
	default:
		line.Retry = true
	}
	return line
}

// jobKind names a kind of job.
func (w Words) jobKind(kind string) string {
	if key := "jobs.kind_" + kind; w.Has(key) {
		return w.T(key)
	}
	return kind
}

func (w Words) jobBadge(state string) Badge {
	text := w.T("jobs.state_" + state)
	switch state {
	case "discarded":
		return Badge{"bad", "alert", text}
	case "retryable":
		return Badge{"wait", "alert", text}
	case "running":
		return Badge{"sea", "dot", text}
	case "completed":
		return Badge{"good", "check", text}
	case "cancelled":
		return Badge{"", "no", text}
	}
	return Badge{"", "clock", text}
}

// JobPage is one job, and what the staff can do about it.
type JobPage struct {
	Page
	Job    JobLine
	Failed Moment
	Ended  Moment
	Ends   string // what cancelling it means
}

// showJob answers "GET /admin/jobs/:id".
func (s *Server) showJob(c *gin.Context, a *Admin) error {
	id, err := jobID(c)
	if err != nil {
		return err
	}
	row, err := a.Store.Job(c.Request.Context(), id)
	if err != nil {
		return err
	}
	page := JobPage{Page: s.page(c, "jobs.one_title")}
	page.Job, page.Ends = page.jobLine(row), page.T("jobs.cancel_"+cancelMeans(row.Kind))
	if row.FailedAt != nil {
		page.Failed = page.When(*row.FailedAt)
	}
	if row.EndedAt != nil {
		page.Ended = page.When(*row.EndedAt)
	}
	return s.show(c, page)
}

// cancelMeans says what becomes of the work when its job is cancelled.
func cancelMeans(kind string) string {
	switch kind {
	case "callback", "deliver", "tell":
		return kind
	case "mail", "notice", "digest":
		return "mail"
	}
	return "due" // what falls due falls due again
}

func jobID(c *gin.Context) (int64, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, models.NotFound()
	}
	return id, nil
}

// retryJob answers "POST /admin/jobs/:id/retry".
func (s *Server) retryJob(c *gin.Context, a *Admin) error {
	return s.settleJob(c, a.Store.RetryJob, "jobs.retried_flash")
}

// cancelJob answers "POST /admin/jobs/:id/cancel".
func (s *Server) cancelJob(c *gin.Context, a *Admin) error {
	return s.settleJob(c, a.Store.CancelJob, "jobs.cancelled_flash")
}

// settleJob leads back to the job, which says how it is now.
func (s *Server) settleJob(c *gin.Context, do func(ctx context.Context, id int64) (bool, error), flash string) error {
	id, err := jobID(c)
	if err != nil {
		return err
	}
	done, err := do(c.Request.Context(), id)
	if err != nil {
		return err
	}
	if !done {
		flash = "jobs.moved_flash"
	}
	s.cookies.flash(c, flash)
	return seeOther(c, "/admin/jobs/"+strconv.FormatInt(id, 10))
}
