package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"mooring/internal/errs"
)

// opsBench is an engine with the operator's middleware alone.
type opsBench struct {
	engine *gin.Engine
	log    *bytes.Buffer
	reg    *prometheus.Registry
}

func newOpsBench(tb testing.TB) opsBench {
	tb.Helper()
	gin.SetMode(gin.TestMode)
	b := opsBench{engine: gin.New(), log: &bytes.Buffer{}, reg: prometheus.NewRegistry()}
	log := slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.engine.Use(recordRequests(log, NewMetrics(b.reg)), recoverPanics(func(c *gin.Context, err error) {
		c.String(http.StatusInternalServerError, "sorry")
	}))
	return b
}

// ask sends one request and gives the answer and the one line that it must leave.
func (b opsBench) ask(tb testing.TB, req *http.Request) (*httptest.ResponseRecorder, map[string]any) {
	tb.Helper()
	b.log.Reset()
	w := httptest.NewRecorder()
	b.engine.ServeHTTP(w, req)
	text := b.log.String()
	if strings.Count(text, "\n") != 1 {
		tb.Fatalf("want exactly one line in the log, got %q", text)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		tb.Fatalf("the line is no JSON: %v", err)
	}
	return w, line
}

func TestOneEventPerRequestWithThePatternAndNeverTheAddress(t *testing.T) {
	b := newOpsBench(t)
	user, tenant, attempt := uuid.New(), uuid.New(), uuid.New()
	b.engine.GET("/oauth/:provider/callback", func(c *gin.Context) {
		ev := eventOf(c.Request.Context())
		ev.who(user, tenant)
		ev.concerns("pier", attempt)
		ev.ended("denied")
		ev.failed(errs.Wrap(errs.Conflict, "error.x", errors.New("for nobody")))
		c.String(http.StatusConflict, "12345")
	})
	req := httptest.NewRequest(http.MethodGet, "/oauth/canary-1/callback?code=canary-2&state=canary-3", nil)
	req.Header.Set("User-Agent", "canary-4\x1b[31m")
	req.Header.Set("X-Request-Id", "canary-5")
	req.Header.Set("Cookie", "a=canary-6")
	w, line := b.ask(t, req)

	id := w.Header().Get("X-Request-Id")
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id) {
		t.Errorf("X-Request-Id = %q, want 128 random bits in hex", id)
	}
	for name, want := range map[string]any{
		"request": id, "route": "/oauth/:provider/callback", "method": "GET", "status": 409.0, "bytes": 5.0,
		"tenant": tenant.String(), "user": user.String(), "provider": "pier", "attempt": attempt.String(),
		"outcome": "denied", "code": "conflict", "level": "INFO",
	} {
		if line[name] != want {
			t.Errorf("%s = %v, want %v", name, line[name], want)
		}
	}
	if _, ok := line["error"]; ok {
		t.Error("the chain of an error that nobody of ours must mend is logged")
	}
	if text := b.log.String(); strings.Contains(text, "canary") || strings.Contains(text, "for nobody") {
		t.Errorf("the log repeats the request: %s", text)
	}
	if got := testutil.CollectAndCount(b.reg, "mooring_http_request_seconds"); got != 1 {
		t.Errorf("%d request series, want 1", got)
	}
	want := `
# HELP mooring_connect_outcomes_total Tries to connect that ended, by provider and outcome.
# TYPE mooring_connect_outcomes_total counter
mooring_connect_outcomes_total{outcome="denied",provider="pier"} 1
`
	if err := testutil.GatherAndCompare(b.reg, strings.NewReader(want), "mooring_connect_outcomes_total"); err != nil {
		t.Error(err)
	}
}

func TestStrangersCannotAddLabelsOrWords(t *testing.T) {
	b := newOpsBench(t)
	for _, path := range []string{"/a", "/b?c=d", "/.env", "/debug/pprof"} {
		_, line := b.ask(t, httptest.NewRequest("CANARY", path, nil))
		if line["route"] != "none" || line["method"] != "other" || line["status"] != 404.0 {
			t.Errorf("%s: line = %v", path, line)
		}
	}
	if got := testutil.CollectAndCount(b.reg, "mooring_http_request_seconds"); got != 1 {
		t.Errorf("%d request series, want 1", got)
	}
}

func TestOurErrorsAreLoggedWithTheirChain(t *testing.T) {
	b := newOpsBench(t)
	fails := map[errs.Code]bool{errs.Internal: true, errs.Upstream: true, errs.Unavailable: true, errs.NotFound: false, errs.TooMany: false}
	for code, ours := range fails {
		b.engine.GET("/"+string(code), func(c *gin.Context) {
			eventOf(c.Request.Context()).failed(errs.Wrap(code, "error.x", errors.New("the cause")))
			c.Status(http.StatusTeapot)
		})
		_, line := b.ask(t, httptest.NewRequest(http.MethodGet, "/"+string(code), nil))
		text, _ := line["error"].(string)
		if strings.Contains(text, "the cause") != ours || (line["level"] == "ERROR") != ours {
			t.Errorf("%s: level %v, error %q", code, line["level"], text)
		}
	}
}

func TestPanicIsAnsweredLoggedWithoutItsValueAndSurvived(t *testing.T) {
	b := newOpsBench(t)
	b.engine.GET("/text", func(*gin.Context) { panic("canary") })
	b.engine.GET("/runtime", func(*gin.Context) {
		var m map[string]int
		m["x"] = 1 //nolint:govet,staticcheck // the panic is the point
	})
	for path, want := range map[string]string{"/text": "panic with a string", "/runtime": "nil map"} {
		w, line := b.ask(t, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusInternalServerError || w.Body.String() != "sorry" {
			t.Errorf("%s: answer %d %q", path, w.Code, w.Body)
		}
		if text, _ := line["error"].(string); !strings.Contains(text, want) || line["code"] != "internal" {
			t.Errorf("%s: line = %v", path, line)
		}
		if stack, _ := line["stack"].(string); !strings.Contains(stack, "ops_test.go") {
			t.Errorf("%s: no stack", path)
		}
		if strings.Contains(b.log.String(), "canary") {
			t.Errorf("%s: the log shows what was panicked with", path)
		}
	}
}

func TestProbes(t *testing.T) {
	b := newOpsBench(t)
	var broken error
	b.engine.GET("/healthz", healthz)
	b.engine.GET("/readyz", readyz(func(context.Context) error { return broken }))

	if w, line := b.ask(t, httptest.NewRequest(http.MethodGet, "/readyz", nil)); w.Code != http.StatusOK || line["level"] != "DEBUG" {
		t.Errorf("ready: %d, %v", w.Code, line)
	}
	broken = errors.New("the database is away")
	w, line := b.ask(t, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "database") {
		t.Errorf("not ready: %d %q", w.Code, w.Body)
	}
	if text, _ := line["error"].(string); !strings.Contains(text, "the database is away") {
		t.Errorf("not ready: line = %v", line)
	}
	if w, _ := b.ask(t, httptest.NewRequest(http.MethodGet, "/healthz", nil)); w.Code != http.StatusOK || w.Body.String() != "ok\n" {
		t.Errorf("alive: %d %q", w.Code, w.Body)
	}
}
