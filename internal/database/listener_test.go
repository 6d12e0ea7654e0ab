package database_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/database"
	"mooring/internal/database/dbtest"
)

func runListener(t *testing.T, pool *pgxpool.Pool) *database.Listener {
	t.Helper()
	l := database.NewListener(pool)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return l
}

func subscribe(t *testing.T, l *database.Listener, topic uuid.UUID) <-chan struct{} {
	t.Helper()
	ch, cancel := l.Subscribe(topic)
	t.Cleanup(cancel)
	return ch
}

func notify(t *testing.T, pool *pgxpool.Pool, payload string) {
	t.Helper()
	_, err := pool.Exec(t.Context(), `SELECT pg_notify('mooring', $1)`, payload)
	must(t, err)
}

func woken(ch <-chan struct{}, within time.Duration) bool {
	select {
	case <-ch:
		return true
	case <-time.After(within):
		return false
	}
}

func TestListener_WakesTheTopicOnly(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	l := runListener(t, db.App)
	mine, other := uuid.New(), uuid.New()
	a, b, c := subscribe(t, l, mine), subscribe(t, l, mine), subscribe(t, l, other)
	for _, ch := range []<-chan struct{}{a, b, c} {
		if !woken(ch, 5*time.Second) {
			t.Fatal("nobody was woken when listening began: what came before would be lost")
		}
	}
	notify(t, db.App, "not a topic")
	notify(t, db.App, mine.String())
	if !woken(a, 5*time.Second) || !woken(b, 5*time.Second) {
		t.Error("not woken")
	}
	if woken(c, 50*time.Millisecond) {
		t.Error("woken for somebody else's topic")
	}
}

func TestListener_CancelledIsNeverWoken(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	l := runListener(t, db.App)
	topic := uuid.New()
	stays := subscribe(t, l, topic)
	if !woken(stays, 5*time.Second) {
		t.Fatal("not listening")
	}
	gone, cancel := l.Subscribe(topic)
	cancel()
	cancel() // twice does no harm
	notify(t, db.App, topic.String())
	if !woken(stays, 5*time.Second) || woken(gone, 0) {
		t.Error("the wrong one was woken")
	}
}

func TestListener_AfterALostConnectionEverybodyIsWoken(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	l := runListener(t, db.App)
	topic := uuid.New()
	ch := subscribe(t, l, topic)
	if !woken(ch, 5*time.Second) {
		t.Fatal("not listening")
	}
	var killed int
	must(t, db.App.QueryRow(t.Context(), `
		SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		 WHERE application_name = 'mooring listener' AND datname = current_database()`).Scan(&killed))
	if killed != 1 {
		t.Fatalf("%d listeners were there", killed)
	}
	if !woken(ch, 5*time.Second) {
		t.Fatal("not woken after the reconnect")
	}
	notify(t, db.App, topic.String())
	if !woken(ch, 5*time.Second) {
		t.Error("not listening after the reconnect")
	}
}
