package models

import (
	"time"

	"github.com/google/uuid"

	"mooring/internal/oauth"
	"mooring/internal/vault"
)

// Role is what a member may do in a tenant.
type Role string

// The roles, from most to least.
const (
	Owner    Role = "owner"    // everything, people included
	Operator Role = "operator" // connect, fetch, disconnect
	Viewer   Role = "viewer"   // look
)

// MayOperate says whether the role may change connections.
func (r Role) MayOperate() bool { return r == Owner || r == Operator }

// StaffRole is what a member of the platform's staff is there for. One person can have several.
type StaffRole string

// The roles of the staff.
const (
	Reviewer      StaffRole = "reviewer" // decides on merchants
	StaffOperator StaffRole = "operator" // keeps providers, callbacks, webhooks and jobs running
	Auditor       StaffRole = "auditor"  // reads and proves the history
	Security      StaffRole = "security" // keys, and what protects people
)

// StaffRoles are all there are.
func StaffRoles() []StaffRole { return []StaffRole{Reviewer, StaffOperator, Auditor, Security} }

// Actor is who does something, for the audit event.
type Actor struct {
	Kind ActorKind
	ID   uuid.UUID // zero for the system
}

// ActorKind tells people from staff and from the program itself.
type ActorKind string

// The kinds of actor.
const (
	Person ActorKind = "person"
	Staff  ActorKind = "staff"
	System ActorKind = "system"
)

// State of a connection says who must act.
type State string

// The states.
const (
	Connected    State = "connected"
	NeedsYou     State = "needs_you"    // the merchant must act: reconnect, usually
	Provider     State = "provider"     // the provider is failing; we try again
	Ours         State = "ours"         // our configuration or our stored data; the platform must act
	Disconnected State = "disconnected" // ended by the person
	Syncing      State = "syncing"      // shown, never stored: connected, and data is on its way
)

// Broken says whether somebody must act, or the provider recover.
func (s State) Broken() bool { return s == NeedsYou || s == Provider || s == Ours }

// SyncState says whether data is being fetched.
type SyncState string

// The states of a sync.
const (
	SyncIdle    SyncState = "idle"
	SyncQueued  SyncState = "queued"
	SyncRunning SyncState = "running"
)

// Connection is a tenant's link to one account at one provider.
type Connection struct {
	ID                uuid.UUID
	TenantID          uuid.UUID
	Provider          string
	Environment       oauth.Environment
	AccountHash       []byte
	AccountMasked     string
	State             State
	Reason            string // kind of a provider error or a word of ours; "" while connected
	StateSince        time.Time
	CredentialVersion int64
	SyncState         SyncState
	SyncDone          int // blocks read so far, of
	SyncTotal         int
	SyncSince         *time.Time
	SyncedAt          *time.Time // last complete sync; nil: none yet
	CreatedAt         time.Time
	NextSyncAt        *time.Time    // when it is fetched next by itself; nil: not before somebody has acted
	SyncPausedAt      *time.Time    // since when the merchant wants no fetching by itself
	SyncFailures      int           // passing ones, in a row
	syncAskedTill     *time.Time    // see AskAgainAt
	EndsAt            *time.Time    // when access ends unless a person acts; nil: not known, or nobody has to
	EraseAt           *time.Time    // disconnected, and its data is erased then unless that is undone; nil: kept
	ErasedAt          *time.Time    // its data was erased
	Label             string        // what its tenant calls the account; "": nothing of their own
	Refused           []oauth.Block // what the last reading was refused for want of permission
}

// Shown is the one word that says how the connection is: in addresses, in the database, and on every page. What is
// broken says so until it works again, however busy.
func (c Connection) Shown() State {
	if c.State == Connected && c.SyncState != SyncIdle {
		return Syncing
	}
	return c.State
}

// Snapshot is one version of one block of data, sealed.
type Snapshot struct {
	ConnectionID uuid.UUID
	Block        oauth.Block
	Version      int64
	Data         vault.Sealed
	Raw          vault.Sealed
	ContentHash  []byte
	ProviderAsOf *time.Time
	SourceZone   string
	Partial      bool
	ChangedAt    time.Time // when this version was first seen
	FetchedAt    time.Time // when it was last seen
	Fields       []string  // names of those that differ from the version before
	FirstAt      time.Time // when the block's first version was seen; only those of queueNewest have it
}

// Event is one line of a tenant's history.
type Event struct {
	ID           uuid.UUID
	ConnectionID *uuid.UUID
	ActorKind    ActorKind
	ActorID      *uuid.UUID
	ActorEmail   string         // of a person of the tenant, where a member reads their history; empty: not of the team any more
	Kind         string         // "connection.connected"; the page has a sentence for each, key "event.<kind>"
	Detail       map[string]any // placeholders of that sentence
	CreatedAt    time.Time
}

// AttemptStatus is where a try to connect stands.
type AttemptStatus string

// The life of an attempt. Pending, Exchanging and Returned are open, the rest have ended.
const (
	Pending    AttemptStatus = "pending"    // the browser is at the provider, or a link waits to be opened
	Exchanging AttemptStatus = "exchanging" // came back; the provider is being asked
	Returned   AttemptStatus = "returned"   // an account came back without proof of whose it is: the person must confirm it
	Stored     AttemptStatus = "stored"     // connected
	Denied     AttemptStatus = "denied"     // the person said no at the provider
	Failed     AttemptStatus = "failed"     // see Reason
	Cancelled  AttemptStatus = "cancelled"  // the person said no here
)

// Attempt is one try to connect an account.
type Attempt struct {
	ID               uuid.UUID
	UserID           uuid.UUID
	SessionID        uuid.UUID
	Provider         string
	Environment      oauth.Environment
	ConnectionID     *uuid.UUID // set when reconnecting
	Status           AttemptStatus
	Reason           string // kind of a provider error or a word of ours
	ProviderCode     string // the provider's own code, already shortened
	AccountMasked    string // the account waiting for confirmation, or the one refused
	WantedMasked     string // the account that a reconnect is to bring back: only TenantStore.Attempt gives it
	ResultConnection *uuid.UUID
	CreatedAt        time.Time
	ConsumedAt       *time.Time
	FinishedAt       *time.Time
	ExpiresAt        time.Time
	Link             vault.Sealed // what the person opens, for the person alone: only TenantStore.Attempt gives it; nil: none
}

// TenantRow is a tenant in the admins' list.
type TenantRow struct {
	ID          uuid.UUID
	Name        string
	CreatedAt   time.Time
	OwnerEmail  string
	Connections int // not disconnected
	Attention   int // of them, not in state connected
	Closed      bool
	Destroyed   bool // closed, and its data key has been destroyed
}

// Member is a person of a tenant.
type Member struct {
	UserID    uuid.UUID
	Email     string
	Role      Role
	CreatedAt time.Time
	SeenAt    *time.Time // nil: not since presence is kept
}
