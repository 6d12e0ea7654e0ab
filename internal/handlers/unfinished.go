package handlers

import (
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// Unfinished is a try to connect that its person left or that failed: which step is open, the way on, and the way to drop it.
type Unfinished struct {
	Words
	models.Attempt
	Mark  string
	Title string
	Text  string // which step is open
	Begun Moment
	On    Link
	Back  string // where dropping it leads; "" for whoever may only look
}

// unfinished words what a person has not finished, for the page that the address names.
func (p Page) unfinished(open []models.Attempt, back string, describe describer) (told []Unfinished) {
	if p.Viewer == nil || !p.Viewer.Operate {
		return nil
	}
	for _, a := range open {
		d, _, ok := describe(a.Provider)
		if !ok {
			continue // the program no longer has it: there is nothing to go on with
		}
		title := p.Say(d.Title)
		u := Unfinished{Words: p.Words, Attempt: a, Mark: p.Mark(d), Title: p.T("connect.ask_title", "provider", title), Begun: p.When(a.CreatedAt), Back: back}
		if a.ConnectionID != nil {
			u.Title = p.T("connect.again_title", "provider", title)
		}
		u.Text = p.openStep(a, d)
		u.On = Link{p.T("connect.go_on"), wayOn(a, d)}
		told = append(told, u)
	}
	return told
}

// openStep says which step of an attempt is open.
func (w Words) openStep(a models.Attempt, d oauth.Descriptor) string {
	step := string(a.Status)
	switch {
	case a.Status == models.Pending && d.Flow == oauth.FlowLink:
		step = "pending_link"
	case a.Status == models.Failed && a.Reason != "expired" && a.Reason != "interrupted":
		return w.attemptReasonOf(d, a.Reason, a.ProviderCode).What
	case a.Status == models.Failed:
		step = a.Reason
	}
	return w.T("connect.open_"+step, "provider", w.Say(d.Title), "account", a.AccountMasked)
}

// wayOn is where an attempt goes on: its own page while something waits there, else where it is begun again.
func wayOn(a models.Attempt, d oauth.Descriptor) string {
	if a.Status == models.Exchanging || a.Status == models.Returned || a.Status == models.Pending && d.Flow == oauth.FlowLink {
		return "/attempts/" + a.ID.String()
	}
	return beginAgain(a)
}

// beginAgain is the page from which an attempt was begun.
func beginAgain(a models.Attempt) string {
	if a.ConnectionID != nil {
		return "/connections/" + a.ConnectionID.String() + "/reconnect"
	}
	return "/connect/" + a.Provider
}
