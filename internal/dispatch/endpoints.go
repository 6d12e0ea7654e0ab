package dispatch

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
)

// MaxEndpoints is how many endpoints there may be.
const MaxEndpoints = 20

// What a form may hold.
const (
	MaxURL         = 2000
	MaxDescription = 200
)

// oldSecretLife is how long the secret before the newest signs as well: the receivers' time to change over.
const oldSecretLife = 24 * time.Hour

// shownAnswer is how much of an answer a test shows.
const shownAnswer = 300

// Form is an endpoint as a person describes it.
type Form struct {
	URL         string
	Description string
	Kinds       []string
}

// Faults are what a person can mend in a form.
type Faults []error

// Error implements error.
func (f Faults) Error() string { return fmt.Sprintf("dispatch: %d faults in a form", len(f)) }

// Unwrap makes each fault findable.
func (f Faults) Unwrap() []error { return f }

// Create makes an endpoint and gives its secret, which nothing shows again. Faults when the form is not right, Conflict when
// the form of that id was sent before.
func (s *Service) Create(ctx context.Context, st *models.PlatformStore, id uuid.UUID, f Form) (secret.String, error) {
	n, err := s.check(f)
	if err != nil {
		return secret.String{}, err
	}
	known, err := st.Endpoints(ctx)
	if err != nil {
		return secret.String{}, err
	}
	if len(known) >= MaxEndpoints {
		return secret.String{}, Faults{errs.New(errs.Conflict, "outgoing.too_many").With("count", MaxEndpoints)}
	}
	fresh := newSecret()
	n.ID = id
	if n.Secret, err = s.sealSecret(ctx, id, 1, fresh); err != nil {
		return secret.String{}, err
	}
	return fresh, st.CreateEndpoint(ctx, n)
}

// Change changes where an endpoint is and what it wants. Faults when the form is not right.
func (s *Service) Change(ctx context.Context, st *models.PlatformStore, id uuid.UUID, f Form) error {
	n, err := s.check(f)
	if err != nil {
		return err
	}
	n.ID = id
	return st.ChangeEndpoint(ctx, n)
}

// Rotate gives an endpoint its next secret; the one before signs as well for a day. newest is the version that the person
// saw: Conflict when it is no longer the newest.
func (s *Service) Rotate(ctx context.Context, st *models.PlatformStore, e models.Endpoint, newest int64) (secret.String, error) {
	fresh := newSecret()
	sealed, err := s.sealSecret(ctx, e.ID, newest+1, fresh)
	if err != nil {
		return secret.String{}, err
	}
	return fresh, st.RotateSecret(ctx, e.ID, HostOf(e.URL), newest+1, sealed, s.Now().Add(oldSecretLife))
}

// TestResult is what an endpoint made of a test.
type TestResult struct {
	models.DeliveryTry
	Answer string // its beginning, harmless to show
}

// Test sends an endpoint the event endpoint.test, signed like any other, whether it is switched on or not.
func (s *Service) Test(ctx context.Context, st *models.PlatformStore, id uuid.UUID) (TestResult, error) {
	to, err := s.Store.Target(ctx, id)
	if err != nil {
		return TestResult{}, err
	}
	event := uuid.Must(uuid.NewV7())
	body, err := message{Type: "endpoint.test", Timestamp: s.Now().UTC().Format(time.RFC3339)}.bytes()
	if err != nil {
		return TestResult{}, err
	}
	answer, try, _ := s.post(ctx, to, messageID(event), body) // what went wrong stands in the try
	result := TestResult{DeliveryTry: try, Answer: scrub(answer.Body, s.hidden(to))}
	return result, st.TestedEndpoint(ctx, id, HostOf(to.URL), try)
}

// hidden are the secrets that an answer must not show, should an endpoint repeat what it knows.
func (s *Service) hidden(to models.Target) []string {
	secrets, err := s.openSecrets(to)
	if err != nil {
		return nil
	}
	var hidden []string
	for _, each := range secrets {
		hidden = append(hidden, each.Reveal(), strings.TrimPrefix(each.Reveal(), secretPrefix))
	}
	return hidden
}

// scrub gives the beginning of an answer as plain text.
func scrub(body []byte, hidden []string) string {
	text := strings.ToValidUTF8(string(body), "�")
	for _, each := range hidden {
		text = strings.ReplaceAll(text, each, "[…]")
	}
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, text))
	if utf8.RuneCountInString(text) > shownAnswer {
		text = string([]rune(text)[:shownAnswer]) + "…"
	}
	return text
}

// check reads a form. Every fault is named at once.
func (s *Service) check(f Form) (models.NewEndpoint, error) {
	n := models.NewEndpoint{URL: strings.TrimSpace(f.URL), Description: strings.TrimSpace(f.Description)}
	var faults Faults
	if fault := s.checkURL(n.URL); fault != nil {
		faults = append(faults, fault.On("url"))
	}
	if utf8.RuneCountInString(n.Description) > MaxDescription || strings.ContainsFunc(n.Description, unicode.IsControl) {
		faults = append(faults, errs.New(errs.Invalid, "outgoing.description_long").With("count", MaxDescription).On("description"))
	}
	for _, kind := range Kinds() { // in our order, each once
		for _, wanted := range f.Kinds {
			if wanted == kind {
				n.Kinds = append(n.Kinds, kind)
				break
			}
		}
	}
	if len(n.Kinds) == 0 {
		faults = append(faults, errs.New(errs.Invalid, "outgoing.kinds_missing").On("kinds"))
	}
	if len(faults) > 0 {
		return n, faults
	}
	n.Host = HostOf(n.URL)
	return n, nil
}

// checkURL says what is wrong with an address, as far as that can be seen without calling it.
func (s *Service) checkURL(address string) *errs.Error {
	if address == "" {
		return errs.New(errs.Invalid, "outgoing.url_missing")
	}
	if len(address) > MaxURL {
		return errs.New(errs.Invalid, "outgoing.url_long").With("count", MaxURL)
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Fragment != "" || u.Opaque != "" || !utf8.ValidString(address):
		return errs.New(errs.Invalid, "outgoing.url_bad")
	case u.User != nil:
		return errs.New(errs.Invalid, "outgoing.url_credentials")
	}
	scheme, host := s.Allow.Admits(u)
	switch {
	case !host:
		return errs.New(errs.Invalid, "outgoing.url_private")
	case !scheme:
		return errs.New(errs.Invalid, "outgoing.url_https")
	}
	return nil
}
