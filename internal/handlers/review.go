package handlers

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/accounts"
	"mooring/internal/errs"
	"mooring/internal/models"
)

const (
	// longestMessage and longestNote are what a person of the staff may write, in characters.
	longestMessage = 1000
	longestNote    = 2000
	// usualDeadline and longestDeadline are how many days a merchant is given.
	usualDeadline   = 14
	longestDeadline = 180
)

// reviewReasons are the codes that an act can be given; none: the act needs no reason.
func reviewReasons(act models.ReviewAct) []string {
	switch act {
	case models.ReviewMore:
		return []string{"missing_account", "access_ended", "data_old", "data_differs", "unclear"}
	case models.ReviewReject:
		return []string{"not_served", "data_differs_end", "no_answer", "duplicate", "check_failed"}
	}
	return nil
}

// ReviewPage is a decision being made: its form, and then exactly what the merchant will read.
type ReviewPage struct {
	Page
	Faults     Faults
	Tenant     models.TenantDetail
	Act        models.ReviewAct
	Lead       string // what the act comes to
	Send       string // the button that does it
	Version    int64
	Reasons    []ReviewChoice
	Items      []ReviewChoice
	Deadline   string
	FirstDay   string
	LastDay    string
	Message    string
	Previews   []ReviewPreview // empty: the form is being filled
	MaxMessage int
}

// ReviewChoice is something that can be chosen on the form of a decision.
type ReviewChoice struct {
	Value, Text string
	Chosen      bool
}

// ReviewPreview is what the merchant will read in one language.
type ReviewPreview struct {
	Lang, Language string
	Panel          ReviewPanel
}

// decision is a filled form.
type decision struct {
	act      models.ReviewAct
	version  int64
	reason   string
	message  string
	deadline string // a day
	items    []string
	sure     bool
}

// reviewed reads the tenant that the address names. Nobody of the staff decides on a tenant that they belong to.
func (s *Server) reviewed(c *gin.Context, a *Admin) (models.TenantDetail, error) {
	id, err := idOf(c)
	if err != nil {
		return models.TenantDetail{}, err
	}
	tenant, err := a.Store.Tenant(c.Request.Context(), id, uuid.Nil)
	if err != nil {
		return tenant, err
	}
	for _, member := range tenant.Members {
		if member.UserID == a.Session.UserID {
			return tenant, errs.New(errs.Forbidden, "review.own")
		}
	}
	return tenant, nil
}

// askReview answers "GET /admin/tenants/:id/review": the form of a decision.
func (s *Server) askReview(c *gin.Context, a *Admin) error {
	tenant, err := s.reviewed(c, a)
	if err != nil {
		return err
	}
	d := decision{act: models.ReviewAct(c.Query("act")), version: tenant.Review.Version}
	if !d.act.Known() {
		return models.NotFound()
	}
	if !slices.Contains(tenant.Review.Acts, d.act) {
		return errs.New(errs.Conflict, "review.moved_on")
	}
	d.deadline = s.Now().AddDate(0, 0, usualDeadline).Format(time.DateOnly)
	return s.show(c, s.reviewPage(c, tenant, d, Faults{}))
}

// review answers "POST /admin/tenants/:id/review". What is written to the merchant is shown once more before it is sent;
// the second post says that it is sure.
func (s *Server) review(c *gin.Context, a *Admin) error {
	tenant, err := s.reviewed(c, a)
	if err != nil {
		return err
	}
	d, err := decisionOf(c)
	if err != nil {
		return err
	}
	step, err := s.stepOf(d, tenant)
	if faults, status, ok := faultsOf(a.P, err); err != nil && ok && errs.CodeOf(err) != errs.Conflict {
		eventOf(c.Request.Context()).failed(err)
		return s.render(c, status, s.reviewPage(c, tenant, d, faults))
	}
	if err != nil {
		return err
	}
	if d.act != models.ReviewStart && !d.sure {
		page := s.reviewPage(c, tenant, d, Faults{})
		page.Previews = s.previews(tenant, step)
		return s.show(c, page)
	}
	err = a.Store.MoveReview(c.Request.Context(), step)
	if errs.CodeOf(err) == errs.Conflict {
		return errs.Wrap(errs.Conflict, "review.moved_on", err)
	}
	if err != nil {
		return err
	}
	s.cookies.flash(c, "review.done_"+string(d.act))
	return seeOther(c, "/admin/tenants/"+tenant.ID.String())
}

func decisionOf(c *gin.Context) (d decision, err error) {
	form, err := formOf(c)
	if err != nil {
		return d, err
	}
	d = decision{
		act: models.ReviewAct(form.Get("act")), reason: form.Get("reason"), message: strings.TrimSpace(form.Get("message")),
		deadline: form.Get("deadline"), items: form["items"], sure: form.Get("sure") == "yes",
	}
	d.version, err = strconv.ParseInt(form.Get("version"), 10, 64)
	if err != nil || !d.act.Known() {
		return d, errs.New(errs.Invalid, "error.bad_form")
	}
	return d, nil
}

// stepOf checks a filled form: Conflict if the step is not legal by now, accounts.Faults for what can be corrected.
func (s *Server) stepOf(d decision, tenant models.TenantDetail) (step models.ReviewStep, err error) {
	if !slices.Contains(tenant.Review.Acts, d.act) || d.version != tenant.Review.Version {
		return step, errs.New(errs.Conflict, "review.moved_on")
	}
	var faults accounts.Faults
	step = models.ReviewStep{Tenant: tenant.ID, Act: d.act, Version: d.version, Message: d.message}
	if utf8.RuneCountInString(d.message) > longestMessage {
		faults = append(faults, errs.New(errs.Invalid, "review.message_long").With("count", longestMessage).On("message"))
	}
	if reasons := reviewReasons(d.act); len(reasons) > 0 {
		if step.Reason = d.reason; !slices.Contains(reasons, d.reason) {
			faults = append(faults, errs.New(errs.Invalid, "review.reason_missing").On("reason"))
		}
	}
	if d.act == models.ReviewMore {
		if step.Deadline = s.deadlineOf(d.deadline); step.Deadline == nil {
			faults = append(faults, errs.New(errs.Invalid, "review.deadline_bad").With("count", longestDeadline).On("deadline"))
		}
		if step.Items = s.chosenItems(d, tenant); len(step.Items) == 0 && d.message == "" {
			faults = append(faults, errs.New(errs.Invalid, "review.items_missing").On("items"))
		}
	}
	if len(faults) > 0 {
		return step, faults
	}
	return step, nil
}

// idAndForm reads the id of the address and the form.
func idAndForm(c *gin.Context) (id uuid.UUID, form url.Values, err error) {
	if id, err = idOf(c); err != nil {
		return id, nil, err
	}
	form, err = formOf(c)
	return id, form, err
}

// assignReview answers "POST /admin/tenants/:id/assign".
func (s *Server) assignReview(c *gin.Context, a *Admin) error {
	tenant, form, err := idAndForm(c)
	if err != nil {
		return err
	}
	var to *uuid.UUID
	if text := form.Get("to"); text != "" {
		id, err := uuid.Parse(text)
		if err != nil {
			return errs.Wrap(errs.Invalid, "error.bad_form", err)
		}
		to = &id
	}
	if err := a.Store.AssignReview(c.Request.Context(), tenant, to); err != nil {
		return err
	}
	s.cookies.flash(c, "review.assigned_flash")
	return seeOther(c, "/admin/tenants/"+tenant.String())
}

// noteReview answers "POST /admin/tenants/:id/notes".
func (s *Server) noteReview(c *gin.Context, a *Admin) error {
	tenant, form, err := idAndForm(c)
	if err != nil {
		return err
	}
	note := strings.TrimSpace(form.Get("note"))
	if note == "" || utf8.RuneCountInString(note) > longestNote {
		return errs.New(errs.Invalid, "review.note_bad").With("count", longestNote)
	}
	if err := a.Store.AddReviewNote(c.Request.Context(), tenant, note); err != nil {
		return err
	}
	s.cookies.flash(c, "review.noted_flash")
	return seeOther(c, "/admin/tenants/"+tenant.String())
}
