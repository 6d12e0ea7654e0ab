package handlers

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/errs"
)

// requestEvent is the one line that a request leaves in the log. The middleware makes it, whoever handles the request
// adds what it knows, and it is written once, at the end. It holds ids and words of ours only: never an address as it was
// asked for, a header or a form value, because secrets travel in all three.
type requestEvent struct {
	id       string // 128 random bits; also the reference on an error page
	tenant   uuid.UUID
	user     uuid.UUID
	provider string
	attempt  uuid.UUID
	outcome  string // how a try to connect ended; counted as well
	err      error
	stack    string // of a panic
}

type eventKey struct{}

// eventOf gives the request's event. Outside a request it gives one that nobody reads, so callers need not ask.
func eventOf(ctx context.Context) *requestEvent {
	if ev, ok := ctx.Value(eventKey{}).(*requestEvent); ok {
		return ev
	}
	return &requestEvent{}
}

// who notes the person, and the tenant if there is one.
func (ev *requestEvent) who(user, tenant uuid.UUID) { ev.user, ev.tenant = user, tenant }

// concerns notes the provider, by its slug and only when it is one of ours, and the attempt if there is one.
func (ev *requestEvent) concerns(provider string, attempt uuid.UUID) {
	ev.provider, ev.attempt = provider, attempt
}

// ended notes how a try to connect ended: an attempt's status.
func (ev *requestEvent) ended(outcome string) { ev.outcome = outcome }

// failed notes the error that the page was made of.
func (ev *requestEvent) failed(err error) { ev.err = err }

// recordRequests is the outermost middleware: it gives the request its id and writes its event and its metrics. An id that
// came with the request is not trusted, because whoever sends it could make two requests look like one.
func recordRequests(log *slog.Logger, m *Metrics) gin.HandlerFunc {
	return func(c *gin.Context) {
		started := time.Now()
		ev := &requestEvent{id: newRequestID()}
		c.Header("X-Request-Id", ev.id)
		c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), eventKey{}, ev))
		defer func() {
			took := time.Since(started)
			m.request(routeOf(c), c.Writer.Status(), took)
			if ev.outcome != "" {
				m.ended(ev.provider, ev.outcome)
			}
			log.LogAttrs(context.WithoutCancel(c.Request.Context()), ev.level(c), "request", ev.attrs(c, took)...)
		}()
		c.Next()
	}
}

func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails; the program ends if the system has no randomness
	return hex.EncodeToString(b[:])
}

// routeOf gives the pattern, so that what a stranger asks for is in neither log nor metrics.
func routeOf(c *gin.Context) string {
	if route := c.FullPath(); route != "" {
		return route
	}
	return "none"
}

// methodOf keeps to the methods there are; a stranger may send any word.
func methodOf(c *gin.Context) string {
	known := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	if slices.Contains(known, c.Request.Method) {
		return c.Request.Method
	}
	return "other"
}

// level is error where somebody must act. Probes that find all well are for debugging only; one that does not is asked
// again in a second, and a replica that is about to end says no on purpose.
func (ev *requestEvent) level(c *gin.Context) slog.Level {
	probe := routeOf(c) == "/healthz" || routeOf(c) == "/readyz"
	switch {
	case probe && ev.err != nil:
		return slog.LevelWarn
	case probe:
		return slog.LevelDebug
	case ev.ours():
		return slog.LevelError
	}
	return slog.LevelInfo
}

// ours says whether the error is one that an operator reads about, in full.
func (ev *requestEvent) ours() bool {
	switch errs.CodeOf(ev.err) {
	case errs.Internal, errs.Upstream, errs.Unavailable:
		return true
	}
	return false
}

func (ev *requestEvent) attrs(c *gin.Context, took time.Duration) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("request", ev.id),
		slog.String("method", methodOf(c)),
		slog.String("route", routeOf(c)),
		slog.Int("status", c.Writer.Status()),
		slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.Int("bytes", max(c.Writer.Size(), 0)),
	}
	text := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	id := func(name string, value uuid.UUID) {
		if value != uuid.Nil {
			attrs = append(attrs, slog.String(name, value.String()))
		}
	}
	id("tenant", ev.tenant)
	id("user", ev.user)
	text("provider", ev.provider)
	id("attempt", ev.attempt)
	text("outcome", ev.outcome)
	text("code", string(errs.CodeOf(ev.err)))
	if ev.ours() {
		text("error", ev.err.Error())
		text("stack", ev.stack)
	}
	return attrs
}

// recoverPanics turns a panic into an ordinary Internal error, which fail answers; the program lives on. What was panicked
// with is logged only where the runtime made it: anything else may hold what the code had in its hands.
func recoverPanics(fail func(c *gin.Context, err error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			what := recover()
			if what == nil {
				return
			}
			if err, ok := what.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(what) // net/http's own way to break off an answer
			}
			err := fmt.Errorf("panic with a %T", what)
			if fault, ok := what.(runtime.Error); ok {
				err = fmt.Errorf("panic: %w", fault)
			}
			ev := eventOf(c.Request.Context())
			ev.stack = string(debug.Stack())
			ev.failed(err)
			c.Abort()
			if !c.Writer.Written() {
				fail(c, err)
			}
		}()
		c.Next()
	}
}
