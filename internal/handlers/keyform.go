package handlers

import (
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// submit takes the form of a provider whose way in is a key. What can be corrected is asked for again on the same page;
// everything that was sent has an attempt to look at.
func (s *Server) submit(c *gin.Context, m *Merchant, page ConnectPage, again *uuid.UUID) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	slug := page.Provider.Slug
	values := oauth.Values{}
	for _, field := range s.Connect.Fields(slug) {
		values[field.Name] = secret.New(form.Get(field.Name))
	}
	attempt, err := s.Connect.Submit(c.Request.Context(), m.Store, connect.SubmitRequest{
		Provider: slug, UserID: m.Session.UserID, SessionID: m.Session.ID, Reconnect: again, Values: values,
	})
	if err != nil {
		return s.correct(c, err, func(faults Faults) any {
			page.Faults = faults
			page.Fields = keyFields(page, s.Connect.Fields(slug))
			for i, field := range page.Fields {
				if field.Type != "password" { // a secret is never sent back
					page.Fields[i].Value = form.Get(field.Name)
				}
			}
			return page
		})
	}
	eventOf(c.Request.Context()).concerns(slug, attempt.ID)
	return s.land(c, attempt)
}

// keyFields words a provider's form in the page's language.
func keyFields(page ConnectPage, fields []oauth.Field) (worded []Field) {
	for _, field := range fields {
		kind := "text"
		if field.Secret {
			kind = "password"
		}
		worded = append(worded, Field{
			Name: field.Name, Type: kind, Label: page.Say(field.Label), Help: page.Say(field.Help),
			Fault: page.Faults.On(field.Name), Autocomplete: "off", Required: field.Required,
		})
	}
	return worded
}
