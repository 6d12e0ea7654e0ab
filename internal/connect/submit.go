package connect

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// longestValue is more than any key that a person pastes, private keys included.
const longestValue = 16 << 10

// SubmitRequest is a filled-in form of a provider whose way in is a key or a link.
type SubmitRequest struct {
	Provider  string
	UserID    uuid.UUID
	SessionID uuid.UUID
	Reconnect *uuid.UUID // the connection to give a new credential; nil: a new account
	Values    oauth.Values
}

// Fields gives the form of a provider whose way in is a key or a link; nothing for one that browsers are sent to.
func (s *Service) Fields(slug string) []oauth.Field {
	if flow, ok := s.Providers.offered[slug].(interface{ Fields() []oauth.Field }); ok {
		return flow.Fields()
	}
	return nil
}

// Submit connects an account by the values of a form. The attempt that it gives says how it ended, as after Finish; an
// Invalid error names the field to correct, and nothing was sent then.
func (s *Service) Submit(ctx context.Context, st *models.TenantStore, r SubmitRequest) (models.Attempt, error) {
	flow, d, err := flowOf[oauth.KeyFlow](s, r.Provider)
	if err == nil {
		err = s.mayBegin(r.Provider)
	}
	if err != nil {
		return models.Attempt{}, err
	}
	values, err := filledIn(flow, r.Values)
	if err != nil {
		return models.Attempt{}, err
	}
	attempt, err := s.spent(ctx, st, r, d, nil, redirectLife)
	if err != nil {
		return attempt, err
	}

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	cred, err := flow.Verify(ctx, values)
	if err != nil {
		return s.fail(ctx, st, attempt, err)
	}
	account, err := flow.Identify(ctx, cred)
	if err != nil {
		return s.fail(ctx, st, attempt, err)
	}
	return s.bind(ctx, st, attempt, account, cred)
}

// spent writes an attempt to which no browser comes back: the provider is asked at once. callback is the hash of the
// token that the provider's server will call with, nil if it will not.
func (s *Service) spent(ctx context.Context, st *models.TenantStore, r SubmitRequest, d oauth.Descriptor, callback []byte, life time.Duration,
) (models.Attempt, error) {
	id := uuid.Must(uuid.NewV7())
	err := st.CreateAttempt(ctx, models.NewAttempt{
		ID: id, UserID: r.UserID, SessionID: r.SessionID, Provider: r.Provider, Environment: d.Environment, ConnectionID: r.Reconnect,
		StateHash: hashOf(random().Reveal()), BrowserHash: []byte{}, Verifier: []byte{}, Spent: true,
		CallbackHash: callback, ExpiresAt: s.Now().Add(life),
	})
	if err != nil {
		return models.Attempt{}, err
	}
	return s.Attempt(ctx, st, id, r.UserID)
}

// form is a provider whose way in is a form.
type form interface {
	oauth.Provider
	Fields() []oauth.Field
}

// FieldError says in the provider's own words what is wrong with one value of a form. Nothing was sent or written.
type FieldError struct {
	Field string
	Says  oauth.Explanation
	cause error
}

// Error implements error.
func (e *FieldError) Error() string { return "connect: field " + e.Field + ": " + e.cause.Error() }

// Unwrap gives the cause.
func (e *FieldError) Unwrap() error { return e.cause }

// filledIn takes the declared fields from a form and nothing else, and lets the provider look at them if it can. The
// white space around a value, which comes along when it is pasted, is nobody's secret.
func filledIn(p form, given oauth.Values) (oauth.Values, error) {
	values := oauth.Values{}
	for _, field := range p.Fields() {
		value := strings.TrimSpace(given[field.Name].Reveal())
		if value == "" && len(field.Choices) > 0 {
			value = field.Choices[0]
		}
		switch {
		case len(field.Choices) > 0 && !slices.Contains(field.Choices, value):
			return nil, errs.New(errs.Invalid, "error.field_choice").On(field.Name)
		case value == "" && field.Required:
			return nil, errs.New(errs.Invalid, "error.field_missing").On(field.Name)
		case len(value) > longestValue:
			return nil, errs.New(errs.Invalid, "error.field_long").On(field.Name)
		}
		values[field.Name] = secret.New(value)
	}
	return values, plausible(p, values)
}

// plausible asks the provider's package whether the values can be what they should be. An error that names no field of
// the form is left for the way in to meet again.
func plausible(p form, values oauth.Values) error {
	checker, can := p.(oauth.Checker)
	if !can {
		return nil
	}
	e, refused := errors.AsType[*oauth.Error](checker.Check(values))
	if !refused || !slices.ContainsFunc(p.Fields(), func(f oauth.Field) bool { return f.Name == e.Code }) {
		return nil
	}
	says, explained := p.Descriptor().Explain(oauth.BadRequest, e.Code)
	if !explained {
		return errs.Wrap(errs.Invalid, "error.field_form", e).On(e.Code)
	}
	return errs.Wrap(errs.Invalid, "error.field_form", &FieldError{Field: e.Code, Says: says, cause: e}).On(e.Code)
}
