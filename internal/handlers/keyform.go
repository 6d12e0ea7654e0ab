package handlers

import (
	"errors"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// submit takes the form of a provider whose way in is a key or a link. What can be corrected is asked for again on the same
// page; everything that was sent has an attempt to look at.
func (s *Server) submit(c *gin.Context, m *Merchant, page ConnectPage, again *uuid.UUID) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	slug, fields := page.Provider.Slug, s.Connect.Fields(page.Provider.Slug)
	values := oauth.Values{}
	for _, field := range fields {
		values[field.Name] = secret.New(form.Get(field.Name))
	}
	send := s.Connect.Submit
	if page.ByLink() {
		send = s.Connect.BeginLink
	}
	attempt, err := send(c.Request.Context(), m.Store, connect.SubmitRequest{
		Provider: slug, UserID: m.Session.UserID, SessionID: m.Session.ID, Reconnect: again, Values: values,
	})
	if err != nil {
		s.cookies.keepTyped(c, m.Session, page.Action, fields, form)
		return s.correct(c, err, func(faults Faults) any {
			page.Faults = faults.inWordsOf(page.Words, err)
			page.Fields = keyFields(page, fields)
			fillIn(page.Fields, fields, form)
			return page
		})
	}
	if attempt.Status == models.Stored {
		s.cookies.drop(c, typedName)
	} else {
		s.cookies.keepTyped(c, m.Session, page.Action, fields, form)
	}
	eventOf(c.Request.Context()).concerns(slug, attempt.ID)
	return s.land(c, attempt)
}

// inWordsOf puts the provider's own words at the field that it finds fault with, where it has some.
func (f Faults) inWordsOf(w Words, err error) Faults {
	if e, ok := errors.AsType[*connect.FieldError](err); ok {
		f.byField[e.Field] = w.Say(e.Says.Cause) + " " + w.Say(e.Says.Next)
	}
	return f
}

// keyFields words a provider's form in the page's language.
func keyFields(page ConnectPage, fields []oauth.Field) (worded []Field) {
	for _, field := range fields {
		worded = append(worded, Field{
			Name: field.Name, Type: inputOf(field), Label: page.Say(field.Label), Help: page.Say(field.Help),
			Fault: page.Faults.On(field.Name), Autocomplete: "off", Required: field.Required, Choices: field.Choices,
		})
	}
	return worded
}

// inputOf picks the input. A key of several lines is seen while it is pasted: no input hides lines.
func inputOf(field oauth.Field) string {
	switch {
	case len(field.Choices) > 0:
		return "select"
	case field.Long:
		return "textarea"
	case field.Secret:
		return "password"
	}
	return "text"
}
