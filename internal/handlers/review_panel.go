package handlers

import (
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/notices"
	"mooring/internal/oauth"
)

// ReviewPanel says to a merchant how the review of their accounts stands: the decision, why, what to do, until when.
type ReviewPanel struct {
	Words
	Badge    Badge
	Title    string
	Text     string
	Reason   string // "" where none is needed
	Message  string // in the words of the staff
	Next     string
	Deadline string // "" where there is none
	Overdue  bool
	Tasks    []ReviewTask
	Ask      bool // the merchant is asked for something
	Operate  bool // whoever looks may do it
	Preview  bool // it is shown to the staff before it is sent: nothing can be pressed
}

// ReviewTask is one thing that the merchant is asked to do, with the way to it.
type ReviewTask struct {
	Text   string
	Button string
	Href   string // to a page where it is done
	Post   string // to what does it at once
	Done   bool
}

// describer gives a provider as data.
type describer = func(slug string) (d oauth.Descriptor, offered, ok bool)

// reviewPanel words a review for the merchant.
func (w Words) reviewPanel(r models.Review, describe describer) ReviewPanel {
	state := string(r.State)
	panel := ReviewPanel{
		Words: w, Badge: w.reviewBadge(r.State), Title: w.T("review.title_" + state),
		Text: w.T("review.text_"+state, "date", w.Date(r.Since)), Message: r.Message, Ask: r.State == models.ReviewNeedsMore,
	}
	if r.Reason != "" && w.Has("review.reason_"+r.Reason) {
		panel.Reason, panel.Next = w.T("review.reason_"+r.Reason), w.T("review.next_"+r.Reason)
	}
	if r.Deadline != nil {
		panel.Deadline, panel.Overdue = w.DateTime(*r.Deadline), w.Past(*r.Deadline)
	}
	for _, item := range r.Items {
		panel.Tasks = append(panel.Tasks, w.reviewTask(item, describe))
	}
	return panel
}

func (w Words) reviewTask(item models.ReviewItem, describe describer) ReviewTask {
	task := ReviewTask{Text: w.taskText(item, describe), Button: w.T("review.do_" + string(item.Kind)), Done: item.DoneAt != nil}
	if task.Href = notices.StepPath(item); item.Kind == models.ItemRefresh {
		task.Href, task.Post = "", task.Href+"/sync"
	}
	return task
}

func (w Words) taskText(item models.ReviewItem, describe describer) string {
	title := item.Provider
	if d, _, known := describe(item.Provider); known {
		title = w.Say(d.Title)
	}
	return w.T("review.task_"+string(item.Kind), "provider", title, "account", item.Account)
}

func (w Words) reviewBadge(state models.ReviewState) Badge {
	text := w.T("review.state_" + string(state))
	switch state {
	case models.ReviewApproved:
		return Badge{"good", "check", text}
	case models.ReviewRejected:
		return Badge{"bad", "no", text}
	case models.ReviewNeedsMore:
		return Badge{"wait", "you", text}
	case models.ReviewOpen:
		return Badge{"sea", "clock", text}
	}
	return Badge{"", "clock", text}
}

// becauseOf gives the sentence for an event's reason code, "" if it has none.
func (w Words) becauseOf(e models.Event) string {
	if code, _ := e.Detail["code"].(string); w.Has("review.reason_" + code) {
		return w.T("review.reason_" + code)
	}
	return ""
}

// resubmitReview answers "POST /review/done": the merchant says that all is done.
func (s *Server) resubmitReview(c *gin.Context, m *Merchant) error {
	if err := m.Store.Resubmit(c.Request.Context()); err != nil {
		return err
	}
	s.cookies.flash(c, "review.resubmitted_flash")
	return seeOther(c, "/overview")
}

// ReviewBox is a tenant's review as the staff see it on the tenant's page.
type ReviewBox struct {
	Words
	models.ReviewFile
	Tenant  uuid.UUID
	Badge   Badge
	At      Moment // when it came into its state
	Waiting Moment // when the first account was connected
	Reason  string
	Open    []string // what is still asked of the merchant
	Done    int      // how much of it is done
	Me      uuid.UUID
	Notes   []NoteLine
}

// NoteLine is a note of the staff's.
type NoteLine struct {
	Text, Who string
	At        Moment
}

func (s *Server) reviewBox(w Words, tenant models.TenantDetail, me uuid.UUID) ReviewBox {
	file := tenant.Review
	box := ReviewBox{Words: w, ReviewFile: file, Tenant: tenant.ID, Me: me}
	for _, note := range file.Notes {
		box.Notes = append(box.Notes, NoteLine{Text: note.Note, Who: note.Author, At: w.When(note.CreatedAt)})
	}
	if !file.Begun() {
		return box
	}
	box.Badge, box.At, box.Waiting = w.reviewBadge(file.State), w.When(file.Since), w.When(file.LinkedAt)
	if file.Reason != "" {
		box.Reason = w.T("review.reason_" + file.Reason)
	}
	for _, item := range file.Items {
		if item.DoneAt != nil {
			box.Done++
		} else {
			box.Open = append(box.Open, w.taskText(item, s.Connect.Describe))
		}
	}
	return box
}

// Late says whether the merchant's time is over.
func (b ReviewBox) Late() bool { return b.Deadline != nil && b.Past(*b.Deadline) }

// Until is the merchant's deadline, "" if there is none.
func (b ReviewBox) Until() string {
	if b.Deadline == nil {
		return ""
	}
	return b.DateTime(*b.Deadline)
}

// Chosen says whether a colleague has the review.
func (b ReviewBox) Chosen(id uuid.UUID) bool { return b.Assignee != nil && *b.Assignee == id }

// Mine says whether whoever looks has the review.
func (b ReviewBox) Mine() bool { return b.Chosen(b.Me) }

// Ask says whether an act is asked about on a page of its own; to start needs no words.
func (b ReviewBox) Ask(act models.ReviewAct) bool { return act != models.ReviewStart }

// DoneBadge marks what is done.
func (p ReviewPanel) DoneBadge() Badge { return Badge{"good", "check", p.T("review.item_done")} }

// ActText names an act of the staff's.
func (b ReviewBox) ActText(act models.ReviewAct) string { return b.T("review.act_" + string(act)) }
