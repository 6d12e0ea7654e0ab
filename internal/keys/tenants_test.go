package keys_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/keys"
	"mooring/internal/models"
	"mooring/internal/vault"
)

// quay is a tenant with many connections, whose accounts are what is sealed.
type quay struct {
	*place
	tenant   uuid.UUID
	accounts []uuid.UUID
	clock    atomic.Pointer[time.Time]
	turner   keys.Turner
}

func newQuay(t *testing.T, accounts int) *quay {
	t.Helper()
	q := &quay{place: newPlace(t, 1)}
	for q.tenant = range q.sealed {
	}
	q.forward(0)
	store, err := models.NewStore(models.Options{App: q.db.App, Platform: q.db.Platform, Now: q.now})
	q.must(err)
	q.store = store
	q.turner = keys.Turner{Store: store, Vault: q.v, Now: q.now, Log: slog.New(slog.DiscardHandler)}
	key := q.key()
	for range accounts {
		id := uuid.Must(uuid.NewV7())
		q.exec(`INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at)
			VALUES ($1, $2, 'pier', 'test', $3, '1', $4, 'connected', now(), 1, now())`, q.tenant, id, id[:], q.seal(key, id))
		q.accounts = append(q.accounts, id)
	}
	return q
}

func (q *quay) now() time.Time { return *q.clock.Load() }

func (q *quay) forward(d time.Duration) {
	at := time.Now()
	if was := q.clock.Load(); was != nil {
		at = *was
	}
	at = at.Add(d)
	q.clock.Store(&at)
}

func (q *quay) key() vault.WrappedKey {
	q.Helper()
	key, err := q.store.ForTenant(q.tenant, models.Actor{Kind: models.System}).Key(context.Background())
	q.must(err)
	return key
}

func (q *quay) at(account uuid.UUID) vault.Place {
	return vault.Place{Tenant: q.tenant, Owner: account, Provider: "pier", Field: "account"}
}

func (q *quay) seal(key vault.WrappedKey, account uuid.UUID) []byte {
	q.Helper()
	sealed, err := q.v.Seal(key, q.at(account), []byte(account.String()))
	q.must(err)
	return sealed
}

func (q *quay) reads(key vault.WrappedKey, account uuid.UUID) bool {
	var sealed vault.Sealed
	if err := q.db.Owner.QueryRow(context.Background(), `SELECT account_sealed FROM connections WHERE id = $1`, account).Scan((*[]byte)(&sealed)); err != nil {
		return false
	}
	got, err := q.v.Open(key, q.at(account), sealed)
	return err == nil && string(got) == account.String()
}

func (q *quay) begin() {
	q.Helper()
	q.must(q.turner.Begin(q.Context(), q.tenant, "test"))
}

func (q *quay) work() models.KeyTurns {
	q.Helper()
	_, err := q.turner.Work(q.Context())
	q.must(err)
	return q.turns()
}

func (q *quay) turns() models.KeyTurns {
	q.Helper()
	st, err := q.platform().KeyTurns(q.Context(), q.tenant)
	q.must(err)
	return st
}

// TestTurner_NobodyNoticesAndKillsOnlyDelay reads all the time, and stops the turner in the middle again and again.
func TestTurner_NobodyNoticesAndKillsOnlyDelay(t *testing.T) {
	t.Parallel()
	q := newQuay(t, 400)
	reading, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	var reads, failed atomic.Int64
	for i := range 2 {
		readers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 1))
			for reading.Err() == nil {
				reads.Add(1)
				if !q.reads(q.key(), q.accounts[random.IntN(len(q.accounts))]) {
					failed.Add(1)
				}
			}
		})
	}
	old := q.key()
	q.begin()
	stopped := 0
	for life := time.Millisecond; q.turns().Ended == 0; life += 4 * time.Millisecond {
		ctx, kill := context.WithTimeout(t.Context(), life)
		if _, err := q.turner.Work(ctx); err != nil {
			stopped++
		}
		kill()
		q.forward(2 * time.Minute) // the lease of who was stopped
	}
	stop()
	readers.Wait()
	if failed.Load() > 0 || reads.Load() == 0 || stopped < 2 {
		t.Errorf("%d of %d readings failed; stopped %d times", failed.Load(), reads.Load(), stopped)
	}
	last := q.key()
	names, err := q.v.DataKeys(last, q.tenant)
	q.must(err)
	for _, account := range q.accounts {
		if !q.reads(last, account) || q.reads(old, account) {
			t.Fatalf("account %s is not on the new key", account)
		}
	}
	if len(names.All) != 1 {
		t.Errorf("the keyset still holds %d keys", len(names.All))
	}
	var kinds string
	q.must(q.db.Owner.QueryRow(t.Context(), `SELECT string_agg(kind, ' ' ORDER BY id) FROM events WHERE tenant_id = $1`, q.tenant).Scan(&kinds))
	if kinds != "tenant.key_turning tenant.key_turned" {
		t.Errorf("the history has %q", kinds)
	}
}

// TestTurner_LosesNothingThatIsOnTheWay has somebody hold the keyset as it was before, whatever the turn does meanwhile.
func TestTurner_LosesNothingThatIsOnTheWay(t *testing.T) {
	t.Parallel()
	q := newQuay(t, 3)
	q.turner.Rest = 15 * time.Minute
	before := q.key()
	q.begin()
	if q.work(); !q.reads(before, q.accounts[0]) {
		t.Fatal("who read the keyset before the turn cannot go on")
	}
	q.forward(16 * time.Minute)
	atSealing := q.key()
	if st := q.work(); st.Resting != 1 || st.Rewritten != 3 {
		t.Fatalf("after the first rest: %+v", st)
	}
	write := func() error {
		_, err := q.db.Owner.Exec(t.Context(), `UPDATE connections SET account_sealed = $2 WHERE id = $1`, q.accounts[1], q.seal(atSealing, q.accounts[1]))
		return err
	}
	q.must(write()) // by who read the keyset a moment before the new key sealed
	q.forward(16 * time.Minute)
	if st := q.work(); st.Resting != 1 || st.Rewritten != 4 {
		t.Fatalf("who read that value a moment ago cannot open it any more: %+v", st)
	}

	tx, err := q.db.Owner.Begin(t.Context())
	q.must(err)
	_, err = tx.Exec(t.Context(), `UPDATE connections SET account_sealed = $2 WHERE id = $1`, q.accounts[2], q.seal(atSealing, q.accounts[2]))
	q.must(err)
	q.forward(16 * time.Minute)
	ended := make(chan models.KeyTurns, 1)
	go func() { ended <- q.work() }()
	q.must(q.someoneWaitsFor(tx))
	q.must(tx.Commit(t.Context()))
	if st := <-ended; st.Resting != 1 {
		t.Fatalf("somebody wrote with the old key while it was to be destroyed: %+v", st)
	}
	q.forward(time.Minute)
	q.work()
	q.forward(16 * time.Minute)
	if st := q.work(); st.Ended != 1 {
		t.Fatalf("at the end: %+v", st)
	}
	for _, account := range q.accounts {
		if !q.reads(q.key(), account) {
			t.Errorf("account %s is lost", account)
		}
	}
	if err := write(); err == nil || !strings.Contains(err.Error(), "MR005") {
		t.Errorf("who slept through it all writes what nobody can open (%v)", err)
	}
}

// someoneWaitsFor returns when a program is kept waiting by a transaction.
func (q *quay) someoneWaitsFor(tx pgx.Tx) error {
	for {
		var waits bool
		err := tx.QueryRow(q.Context(), `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid)`).Scan(&waits)
		if err != nil || waits {
			return err
		}
	}
}

// TestTurner_MakesNothingGoodThatWasSwapped swaps two ciphertexts before the turn: they are found, and the old key stays until
// they are put right.
func TestTurner_MakesNothingGoodThatWasSwapped(t *testing.T) {
	t.Parallel()
	q := newQuay(t, 5)
	swap := func() {
		q.exec(`UPDATE connections a SET account_sealed = b.account_sealed FROM connections b
			WHERE a.id IN ($1, $2) AND b.id IN ($1, $2) AND a.id <> b.id`, q.accounts[0], q.accounts[1])
	}
	swap()
	q.begin()
	st := q.work()
	if st.Kept != 1 || st.Ended != 0 || len(st.Open) != 1 || st.Open[0].Stuck != 2 || st.Open[0].Rewritten != 3 {
		t.Fatalf("with two values swapped: %+v", st)
	}
	key := q.key()
	if q.reads(key, q.accounts[0]) || !q.reads(key, q.accounts[2]) {
		t.Error("turning has made the swapped values good, or the others bad")
	}
	swap()
	q.forward(2 * time.Hour)
	if st := q.work(); st.Ended != 1 {
		t.Fatalf("after they were put right: %+v", st)
	}
	if !q.reads(q.key(), q.accounts[0]) {
		t.Error("a value that was put right does not open")
	}
}

// TestTurner_EndsWithTheTenantsKey destroys the key in the middle of a turn: both generations are in the one value.
func TestTurner_EndsWithTheTenantsKey(t *testing.T) {
	t.Parallel()
	q := newQuay(t, 2)
	q.turner.Rest = time.Minute
	q.begin()
	q.forward(2 * time.Minute)
	if st := q.work(); st.Resting != 1 {
		t.Fatalf("in the middle: %+v", st)
	}
	q.exec(`DELETE FROM tenant_keys WHERE tenant_id = $1`, q.tenant) // as destroy_tenant does
	q.forward(2 * time.Minute)
	if st := q.work(); st.Underway()+st.Kept+st.Ended != 0 {
		t.Errorf("the turn outlives the key: %+v", st)
	}
	q.exec(`UPDATE connections SET account_sealed = '' WHERE tenant_id = $1`, q.tenant)
}

// TestTurner_AllGoesOnWhereItWasStopped begins with every tenant, again and again: first one keyset of three is damaged, then put right.
func TestTurner_AllGoesOnWhereItWasStopped(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 3)
	var told strings.Builder
	turner := keys.Turner{Store: p.store, Vault: p.v, Now: time.Now, Log: slog.New(slog.NewTextHandler(&told, nil))}
	since := time.Now() // the keys are older than that
	beginAll := func(want keys.Beginning) {
		t.Helper()
		var last keys.Beginning
		b, err := turner.BeginAll(t.Context(), since, "test", func(b keys.Beginning) { last = b })
		p.must(err)
		if b != want || last != want && want != (keys.Beginning{}) {
			t.Errorf("began %+v and told %+v, want %+v", b, last, want)
		}
	}
	var damaged uuid.UUID
	for damaged = range p.sealed {
	}
	const cut = `UPDATE tenant_keys SET wrapped = overlay(wrapped PLACING $2 FROM 20) WHERE tenant_id = $1`
	var was []byte
	p.must(p.db.Owner.QueryRow(t.Context(), `SELECT substring(wrapped FROM 20 FOR 4) FROM tenant_keys WHERE tenant_id = $1`, damaged).Scan(&was))
	p.exec(cut, damaged, []byte("????"))
	beginAll(keys.Beginning{Begun: 2, Left: 1})
	beginAll(keys.Beginning{Left: 1})
	if !strings.Contains(told.String(), damaged.String()) {
		t.Error("nobody says which tenant was left out")
	}
	p.exec(cut, damaged, was)
	beginAll(keys.Beginning{Begun: 1})
	beginAll(keys.Beginning{})
	if _, err := turner.Work(t.Context()); err != nil {
		t.Fatal(err)
	}
	st, err := p.platform().KeyTurns(t.Context(), uuid.Nil)
	p.must(err)
	if st.Ended != 3 || st.Underway() != 0 {
		t.Errorf("in the end: %+v", st)
	}
	beginAll(keys.Beginning{}) // what was turned meanwhile is not turned again
}

// TestTurner_BeginsWithAKeysetThatIsBeingRewrapped has the master key's turn hold a tenant's row while a turn of its own begins.
func TestTurner_BeginsWithAKeysetThatIsBeingRewrapped(t *testing.T) {
	t.Parallel()
	q := newQuay(t, 1)
	rewrapped, err := q.v.Rewrap(q.key(), q.tenant)
	q.must(err)
	tx, err := q.db.Owner.Begin(t.Context())
	q.must(err)
	_, err = tx.Exec(t.Context(), `UPDATE tenant_keys SET wrapped = $2 WHERE tenant_id = $1`, q.tenant, []byte(rewrapped))
	q.must(err)
	begun := make(chan error, 1)
	go func() { begun <- q.turner.Begin(t.Context(), q.tenant, "test") }()
	q.must(q.someoneWaitsFor(tx))
	q.must(tx.Commit(t.Context()))
	q.must(<-begun)
	if st := q.work(); st.Ended != 1 || !q.reads(q.key(), q.accounts[0]) {
		t.Errorf("after it: %+v", st)
	}
}

// TestRewrap_ReachesThePartingKey turns the master key while a closed tenant's providers are still to be told.
func TestRewrap_ReachesThePartingKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 1)
	tenant := uuid.New()
	parting, err := p.v.NewTenantKey(tenant)
	p.must(err)
	sealed, err := p.v.Seal(parting, at(tenant), []byte("canary"))
	p.must(err)
	p.exec(`WITH t AS (INSERT INTO tenants (id, name, created_at) VALUES ($1, 'T', now()))
		INSERT INTO closings (tenant_id, closed_at, closed_by, destroy_at, connections, master_version, audit_seq, audit_hash, parting_key)
		VALUES ($1, now(), $1, now(), 1, 1, 1, '', $2)`, tenant, []byte(parting))
	old := p.status().Newest
	p.exec(`DELETE FROM key_holders`)
	p.must(p.rotation(time.Second).Run(t.Context(), false))
	var turned vault.WrappedKey
	p.must(p.db.Owner.QueryRow(t.Context(), `SELECT parting_key FROM closings WHERE tenant_id = $1`, tenant).Scan((*[]byte)(&turned)))
	if vault.WrappedBy(turned) == old {
		t.Error("the parting key still needs the old master key")
	}
	if got, err := p.v.Open(turned, at(tenant), sealed); err != nil || string(got) != "canary" {
		t.Errorf("what was sealed with it: %q, %v", got, err)
	}
	p.exec(`UPDATE closings SET parting_key = $2 WHERE tenant_id = $1`, tenant, []byte(parting)) // as a backup would
	p.refused(p.rotation(0).Retire(t.Context(), old), "1 rows still need key")
}
