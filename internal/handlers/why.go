package handlers

import (
	"net/url"

	"mooring/internal/connect"
)

// WhyForm asks somebody who wants to look for their reason.
type WhyForm struct {
	Words
	Question string
	Reasons  []WhyReason
	Note     Field
	Faults   Faults
}

// WhyReason is one of several.
type WhyReason struct {
	Value, Text string
	Chosen      bool
}

func (w Words) whyForm(question string, offered []string, given connect.Why) WhyForm {
	form := WhyForm{Words: w, Question: question, Note: Field{
		Name: "note", Type: "text", Label: w.T("reveal.note"), Help: w.T("reveal.note_help"), Value: given.Note,
		Autocomplete: "off", MaxLength: connect.MaxNote,
	}}
	for _, reason := range offered {
		form.Reasons = append(form.Reasons, WhyReason{reason, w.T("reveal.reason_" + reason), reason == given.Reason})
	}
	return form
}

// with gives the form with what is to be corrected.
func (f WhyForm) with(faults Faults) WhyForm {
	f.Faults, f.Note.Fault = faults, faults.On("note")
	return f
}

func whyOf(form url.Values) connect.Why {
	return connect.Why{Reason: form.Get("reason"), Note: form.Get("note")}
}
