package database

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	channel      = "mooring"        // NOTIFY mooring, '<topic>'
	probeEvery   = 45 * time.Second // a dead peer is noticed within this time
	shortestWait = 100 * time.Millisecond
	longestWait  = 5 * time.Second
)

// Listener carries wake-ups from the database to the waiting requests of this replica, over one connection for all of
// them. A wake-up is no data: whoever is woken looks for itself, so that one too many does no harm. One too few cannot
// happen: everybody is woken whenever the connection is made anew.
type Listener struct {
	config *pgx.ConnConfig

	mu     sync.Mutex
	topics map[uuid.UUID]map[chan struct{}]struct{}
}

// NewListener makes a listener that will log in as the pool does, on a connection of its own.
func NewListener(pool *pgxpool.Pool) *Listener {
	config := pool.Config().ConnConfig // a copy
	config.Tracer = nil
	config.RuntimeParams["application_name"] = "mooring listener"
	return &Listener{config: config, topics: map[uuid.UUID]map[chan struct{}]struct{}{}}
}

// Run listens until ctx ends, through every loss of the connection.
func (l *Listener) Run(ctx context.Context) {
	wait := shortestWait
	for ctx.Err() == nil {
		if err := l.listen(ctx, func() { wait = shortestWait }); err == nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
			wait = min(2*wait, longestWait)
		}
	}
}

// listen serves one connection and gives the error that ended it; nil when ctx has.
func (l *Listener) listen(ctx context.Context, established func()) error {
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		return fmt.Errorf("database: connecting the listener: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return fmt.Errorf("database: listening: %w", err)
	}
	established()
	l.wakeAll() // what was notified while nobody listened is lost
	for {
		n, err := waitFor(ctx, conn)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case n != nil:
			l.wake(n.Payload)
		}
	}
}

// waitFor gives the next notification, or nil after a silence in which the server has answered a ping.
func waitFor(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	quiet, cancel := context.WithTimeout(ctx, probeEvery)
	defer cancel()
	n, err := conn.WaitForNotification(quiet)
	if err == nil || quiet.Err() == nil || ctx.Err() != nil {
		return n, err
	}
	ping, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return nil, conn.Ping(ping)
}

// Subscribe gives a channel that receives after every wake-up of the topic; wake-ups that come while one waits are one.
// The caller looks at the data once after subscribing, and cancels when done.
func (l *Listener) Subscribe(topic uuid.UUID) (ch <-chan struct{}, cancel func()) {
	c := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.topics[topic] == nil {
		l.topics[topic] = map[chan struct{}]struct{}{}
	}
	l.topics[topic][c] = struct{}{}
	return c, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.topics[topic], c)
		if len(l.topics[topic]) == 0 {
			delete(l.topics, topic)
		}
	}
}

func (l *Listener) wake(payload string) {
	topic, err := uuid.Parse(payload)
	if err != nil {
		return // not one of ours
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.topics[topic] {
		nudge(c)
	}
}

func (l *Listener) wakeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, subscribers := range l.topics {
		for c := range subscribers {
			nudge(c)
		}
	}
}

// nudge never waits: a full channel says already that there is something to look at.
func nudge(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
