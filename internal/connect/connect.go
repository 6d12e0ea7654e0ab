// Package connect owns the use-cases: Begin, Finish, Submit, BeginLink, Receive, Confirm, Cancel, Sync,
// Refresh, Disconnect, and what their pages show.
//
// A connect click walks through it like this. Begin writes an attempt (hashes of a state and of a flow cookie, the
// session's id, a sealed verifier) and gives the address to leave for. Finish matches what came back against session,
// person, tenant, provider and browser, spends the attempt in one statement, and only then asks the provider: exchange,
// identify, seal, store. Where our state came back, the account is bound at once; where it did not, the attempt is
// parked until the person who began confirms the account it shows. Every ending has a status and a reason; the same
// callback arriving again is given the winner's ending.
//
// Where a person opens a link elsewhere, BeginLink writes the attempt, asks for the link and seals it. Receive is called by
// the provider's server: it verifies, stores and answers; Process then parks the account as above. Where a provider's
// server brings news of a connection, Receive stores that and Process has the connection read again.
//
// There is no HTTP here (handlers) and no SQL (models). What is odd about a provider lives in its package below oauth.
package connect

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/vault"
)

// Queue words background work as a statement that runs in the transaction which makes the work necessary. jobs
// implements it.
type Queue interface {
	SyncJob(tenant, connection uuid.UUID, provider string) models.Statement
	CallbackJob(tenant, callback uuid.UUID) models.Statement
}

// Wakes tells when something about an id has changed, on whatever replica. database.Listener implements it.
type Wakes interface {
	Subscribe(topic uuid.UUID) (ch <-chan struct{}, cancel func())
}

// Watch is told what providers refuse and how their answers look, and knows which of them the staff have paused.
// watch.Keeper implements it.
type Watch interface {
	Refused(provider string, kind oauth.Kind, known bool)
	Answered(ctx context.Context, provider string, block oauth.Block, raw json.RawMessage)
	Paused(provider string) (since time.Time, paused bool)
	Skew(provider string) (skew time.Duration, known bool) // its clock minus ours
}

// Deps are the service's needs. Only Watch may be left out.
type Deps struct {
	Vault     *vault.Vault
	Providers *Registry
	Queue     Queue
	Wakes     Wakes
	Watch     Watch
	PublicURL string // the only source of the redirect address, without a slash at the end
	Now       func() time.Time
	Log       *slog.Logger

	RefreshAhead time.Duration                  // before its end a token is renewed, a third of its life at most; 5 minutes
	Refreshed    func(provider, outcome string) // told of every renewal, for metrics; nil: nobody listens
}

// Service is the use-cases. It is safe for concurrent use.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service {
	d.PublicURL = strings.TrimRight(d.PublicURL, "/")
	d.RefreshAhead = cmp.Or(d.RefreshAhead, refreshAhead)
	if d.Refreshed == nil {
		d.Refreshed = func(string, string) {}
	}
	if d.Watch == nil {
		d.Watch = unwatched{}
	}
	return &Service{Deps: d}
}

// RedirectURI is the address to register at a provider, byte for byte.
func (s *Service) RedirectURI(slug string) string {
	return s.PublicURL + "/oauth/" + slug + "/callback"
}

const (
	// redirectLife is how long a person may take at the provider.
	redirectLife = 15 * time.Minute
	// linkLife is how long a link may wait to be opened: it may have to reach somebody else's phone first.
	linkLife = 24 * time.Hour
	// answerTime bounds what happens between the code's arrival and the commit; after twice that, an attempt still
	// "exchanging" was interrupted.
	answerTime = 30 * time.Second
	// interruptedAfter is when an open exchange is no longer believed in.
	interruptedAfter = 60 * time.Second
	// duplicateWait is how long a repeated callback waits for the first one's result.
	duplicateWait = 5 * time.Second
)

// Reasons of our own, beside the kinds of provider errors. The pages have a sentence for each.
const (
	ReasonClaimed        = "claimed"         // another tenant holds the account
	ReasonAccountDiffers = "account_differs" // reconnecting brought back another account
	ReasonInterrupted    = "interrupted"     // we stopped between asking and storing
	ReasonExpired        = "expired"         // the person took too long
	ReasonStoreFailed    = "store_failed"    // tokens were issued, keeping them failed
	ReasonDenied         = "denied"          // the person said no at the provider
	ReasonNoCode         = "no_code"         // the provider sent the browser back with nothing to go on with
	ReasonSealedBroken   = "sealed_broken"   // what is stored does not open
	ReasonNotOffered     = "not_offered"     // the provider's settings were taken away
	ReasonInternal       = "internal"        // ours, and not foreseen
)

func place(tenant, owner uuid.UUID, provider, field string, version int64) vault.Place {
	return vault.Place{Tenant: tenant, Owner: owner, Provider: provider, Field: field, Version: version}
}
