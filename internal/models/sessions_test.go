package models_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/models"
)

// trips counts what goes to the database. It is used from one goroutine only.
type trips struct{ queries, batches, prepares int }

func (t *trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	t.queries++
	return ctx
}
func (t *trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (t *trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	t.batches++
	return ctx
}
func (t *trips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (t *trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}
func (t *trips) TracePrepareStart(ctx context.Context, _ *pgx.Conn, _ pgx.TracePrepareStartData) context.Context {
	t.prepares++
	return ctx
}
func (t *trips) TracePrepareEnd(context.Context, *pgx.Conn, pgx.TracePrepareEndData) {}

func TestSessions_RoundTrips(t *testing.T) {
	_, db := peopleStore(t)
	config, err := pgxpool.ParseConfig(db.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	counted := &trips{}
	config.ConnConfig.Tracer = counted
	config.MaxConns = 1 // so that the second look finds the statements prepared
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	store, err := models.NewStore(models.Options{App: pool, Platform: db.Platform, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	n := newOwner(t, store, "a@example.com")
	id := signIn(t, store, n.UserID, "token", "")

	for name, do := range map[string]func() error{
		"OpenSession":        func() error { _, err := store.OpenSession(t.Context(), []byte("token"), idle); return err },
		"PersonForSignIn":    func() error { _, err := store.PersonForSignIn(t.Context(), n.Email); return err },
		"Sessions":           func() error { _, err := store.Sessions(t.Context(), n.UserID, idle); return err },
		"EndOtherSessions":   func() error { return store.EndOtherSessions(t.Context(), n.UserID, id) },
		"EndSessionByToken":  func() error { return store.EndSessionByToken(t.Context(), []byte("another")) },
		"StartSession again": func() error { signIn(t, store, n.UserID, time.Now().String(), "another"); return nil },
	} {
		if err := do(); err != nil { // warms the statement cache
			t.Fatalf("%s: %v", name, err)
		}
		*counted = trips{}
		if err := do(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := (trips{batches: 1}); *counted != want {
			t.Errorf("%s took %+v, want %+v", name, *counted, want)
		}
	}
}
