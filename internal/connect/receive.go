package connect

import (
	"context"
	"crypto/subtle"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// Incoming is a provider's server at our door.
type Incoming struct {
	Provider string // from the route, nothing else
	Token    secret.String
	Body     []byte // as it came
	Header   http.Header
}

var (
	errSerial     = errors.New("the callback names another link")
	errUnverified = errors.New("nothing here is waited for without a signature")
	errEarly      = errors.New("the callback came before the link was kept")
)

// Receive takes a callback: it is verified, stored, and only then answered with what Receive gives; Process acts on it
// afterwards. A refusal is a NotFound that says nothing of why; every other error is ours, and the provider should try
// again. What changes is at most the attempt that waits for this very callback, once.
func (s *Service) Receive(ctx context.Context, store *models.Store, in Incoming) (answer []byte, err error) {
	receiver, offered := s.Providers.offered[in.Provider].(oauth.Receiver)
	if !offered || len(in.Token.Reveal()) != tokenLength {
		return nil, models.NotFound()
	}
	for range 5 { // who meets a change between looking and storing looks again
		if answer, err = s.receive(ctx, store, receiver, in); errs.CodeOf(err) != errs.Conflict {
			return answer, err
		}
	}
	return nil, errs.Wrap(errs.Unavailable, "error.unavailable", err)
}

func (s *Service) receive(ctx context.Context, store *models.Store, receiver oauth.Receiver, in Incoming) ([]byte, error) {
	b, err := store.OpenCallback(ctx, in.Provider, hashOf(in.Token.Reveal()))
	if err != nil {
		return nil, err
	}
	st := store.ForTenant(b.Tenant, models.Actor{Kind: models.System}).WithKey(b.Key)
	if b.News != nil {
		return s.receiveNews(ctx, st, receiver, b, in)
	}
	return s.receiveEnd(ctx, st, receiver, b, in)
}

// receiveEnd takes the end of a link attempt.
func (s *Service) receiveEnd(ctx context.Context, st *models.TenantStore, receiver oauth.Receiver, b models.Binding, in Incoming) ([]byte, error) {
	if len(b.Link.Kept) == 0 { // it came before we have kept the link that it answers: soon it can be verified
		if settled(b.Link.Attempt, s.Now()).Status == models.Exchanging {
			return nil, errs.Wrap(errs.Unavailable, "error.unavailable", errEarly)
		}
		return nil, models.NotFound()
	}
	got, err := s.verify(ctx, receiver, b, in)
	if err != nil {
		return nil, err
	}
	content, err := s.contentHash(b, got)
	if err != nil {
		return nil, err
	}
	if b.Link.Seen {
		return got.Answer, s.repeated(ctx, st, b, content)
	}
	return got.Answer, s.store(ctx, st, b, got, content, in.Body)
}

// verify asks the provider's package, with what the attempt kept, whether the callback is to be believed.
func (s *Service) verify(ctx context.Context, receiver oauth.Receiver, b models.Binding, in Incoming) (oauth.Received, error) {
	var kept map[string]string
	if err := s.open(b.Key, keptPlace(b.Tenant, b.Link.Attempt), b.Link.Kept, &kept); err != nil {
		return oauth.Received{}, err
	}
	got, err := receiver.Receive(ctx, oauth.Callback{Body: in.Body, Header: in.Header, Kept: readValues(kept)})
	switch {
	case err != nil:
	case !got.Verified:
		err = errUnverified
	case subtle.ConstantTimeCompare([]byte(got.Serial), []byte(b.Link.Serial)) != 1:
		err = errSerial
	default:
		return got, nil
	}
	s.observed(in.Provider, err) // counted only: whoever knocks at this door fills no table
	s.Log.WarnContext(ctx, "a callback was refused", "provider", in.Provider, "attempt", b.Link.ID, "error", err)
	return oauth.Received{}, models.NotFound()
}

// contentHash tells a repeat from a callback that says something else under the same serial. Times do not count: a repeat
// comes later.
func (s *Service) contentHash(b models.Binding, got oauth.Received) ([]byte, error) {
	cred := got.Credential
	said := []string{b.Tenant.String(), b.Link.ID.String(), cred.AccessToken.Reveal(), cred.RefreshToken.Reveal()}
	for _, name := range slices.Sorted(maps.Keys(cred.Extra)) {
		said = append(said, name, cred.Extra[name].Reveal())
	}
	return s.Vault.Hash("callback", said...)
}

// repeated answers for a callback that is stored. Another content under the same serial is not believed, and an alarm.
func (s *Service) repeated(ctx context.Context, st *models.TenantStore, b models.Binding, content []byte) error {
	if b.Link.Contradicted || subtle.ConstantTimeCompare(content, b.Link.SeenHash) == 1 {
		return nil
	}
	s.Log.ErrorContext(ctx, "a signed callback contradicts the one before it", "provider", b.Link.Provider, "attempt", b.Link.ID)
	err := st.ContradictCallback(ctx, b.Link.ID, event(b.Link.Attempt, "attempt.contradicted", map[string]any{}))
	if errs.CodeOf(err) == errs.Conflict { // somebody else has just recorded it
		return nil
	}
	return err
}

func (s *Service) store(ctx context.Context, st *models.TenantStore, b models.Binding, got oauth.Received, content, body []byte) (err error) {
	n := models.NewCallback{
		ID: uuid.Must(uuid.NewV7()), Attempt: b.Link.ID, Provider: b.Link.Provider, Serial: got.Serial, Verified: got.Verified, ContentHash: content,
	}
	if n.Body, err = s.Vault.Seal(b.Key, inboxPlace(b.Tenant, n.ID, b.Link.Provider, "callback_body"), body); err != nil {
		return err
	}
	if settled(b.Link.Attempt, s.Now()).Status == models.Pending { // it still waits; what is over gets its answer and no more
		n.Credential, err = s.seal(b.Key, inboxPlace(b.Tenant, n.ID, b.Link.Provider, "callback_credential"), writeCredential(got.Credential))
		if err != nil {
			return err
		}
	}
	return st.StoreCallback(ctx, n, s.Queue.CallbackJob(b.Tenant, n.ID))
}

// Process acts on a stored callback. The end of a link attempt: it asks whose account it is and parks it until the person
// who began confirms. News of a connection: it has the connection read again. A callback that has been acted on is done.
// A wait means that its time has not come, an error that it should be tried again; until that succeeds, a link attempt's
// page asks the person to repeat.
func (s *Service) Process(ctx context.Context, st *models.TenantStore, id uuid.UUID) (wait time.Duration, err error) {
	c, err := st.Callback(ctx, id)
	if err != nil {
		return 0, ignore(err, errs.NotFound)
	}
	if c.Attempt == nil {
		wait, err := st.TakeNews(ctx, id, newsEvery, func(connection uuid.UUID, provider string) models.Statement {
			return s.Queue.SyncJob(st.Tenant(), connection, provider)
		})
		return wait, ignore(err, errs.NotFound)
	}
	return 0, s.processEnd(ctx, st, *c.Attempt, id, c.Credential)
}

func (s *Service) processEnd(ctx context.Context, st *models.TenantStore, a models.Attempt, id uuid.UUID, sealed vault.Sealed) error {
	err := s.returned(ctx, st, a, id, sealed)
	switch oauth.KindOf(err) {
	case oauth.Upstream, oauth.RateLimited, oauth.Ambiguous, oauth.BadResponse: // may be otherwise in a minute
		return err
	case "":
		if err != nil && !errors.Is(err, vault.ErrSealed) {
			return ignore(err, errs.Conflict) // somebody else has done it meanwhile
		}
	}
	if err != nil {
		_, err = s.fail(ctx, st, a, err)
	}
	return ignore(err, errs.Conflict)
}

// Failed notes that acting on a callback did not work. After the last try it is a dead letter: only the staff move it.
func (s *Service) Failed(ctx context.Context, st *models.TenantStore, id uuid.UUID, cause error, last bool) error {
	c, err := st.Callback(ctx, id)
	if err != nil {
		return ignore(err, errs.NotFound)
	}
	reason := string(oauth.KindOf(cause))
	if reason == "" {
		reason = ReasonInternal
	}
	e := models.NewEvent{Kind: "callback.dead", Connection: c.Connection, Detail: map[string]any{"provider": c.Provider, "reason": reason}}
	return ignore(st.FailCallback(ctx, id, reason, last, e), errs.Conflict)
}

// returned parks what a callback brought.
func (s *Service) returned(ctx context.Context, st *models.TenantStore, a models.Attempt, id uuid.UUID, sealed vault.Sealed) error {
	key, err := st.Key(ctx)
	if err != nil {
		return err
	}
	var text credentialText
	if err := s.open(key, inboxPlace(st.Tenant(), id, a.Provider, "callback_credential"), sealed, &text); err != nil {
		return err
	}
	p, offered := s.Providers.offered[a.Provider]
	if !offered {
		return &oauth.Error{Provider: a.Provider, Kind: ReasonNotOffered}
	}
	cred := readCredential(text)
	account, err := p.Identify(ctx, cred)
	if err != nil {
		return err
	}
	return s.keepReturned(ctx, st, &a, account, cred)
}

func inboxPlace(tenant, id uuid.UUID, provider, field string) vault.Place {
	return place(tenant, id, provider, field, 0)
}
