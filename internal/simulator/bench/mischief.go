package bench

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// hangTime is how long FaultHang holds a connection of a client that waits for ever.
const hangTime = 2 * time.Minute

// shiftClock applies the clock faults to this call alone.
func (c *Call) shiftClock() {
	if minutes, on := c.Fault(FaultClockAhead); on {
		c.Now = c.Now.Add(time.Duration(minutes) * time.Minute)
	}
	if minutes, on := c.Fault(FaultClockBehind); on {
		c.Now = c.Now.Add(-time.Duration(minutes) * time.Minute)
	}
}

// instead lets a fault answer in the endpoint's place. It says whether one did.
func (b *Bench) instead(w http.ResponseWriter, c *Call) bool {
	for _, m := range []struct {
		name   string
		status int
		do     func(http.ResponseWriter, *Call, int)
	}{
		{FaultHang, 0, hang},
		{FaultServerError, http.StatusInternalServerError, serverError},
		{FaultRateLimited, http.StatusTooManyRequests, rateLimited},
		{FaultHTML, http.StatusOK, maintenance},
		{FaultNotSuccess, http.StatusOK, notSuccess},
		{FaultElsewhere, http.StatusFound, elsewhere},
		{FaultHuge, http.StatusOK, huge},
		{FaultGzipBomb, http.StatusOK, gzipBomb},
	} {
		if value, on := c.Fault(m.name); on {
			c.entry.Status = m.status
			c.Outcome("fault_" + m.name)
			late := c.lateness()
			b.record(c)
			if wait(c.Request.Context(), late) {
				m.do(w, c, value)
			}
			return true
		}
	}
	return false
}

// spoil changes a finished answer as the faults demand and says how late it is to be sent.
func (c *Call) spoil(a *Answer) time.Duration {
	if _, on := c.Fault(FaultTruncated); on {
		a.Body = a.Body[:len(a.Body)/2]
	}
	return c.lateness()
}

func (c *Call) lateness() time.Duration {
	ms, on := c.Fault(FaultSlow)
	if !on {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// wait pauses; false means that the client has left or the simulator stops.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func hang(_ http.ResponseWriter, c *Call, _ int) {
	wait(c.Request.Context(), hangTime)
	panic(http.ErrAbortHandler) // closes the connection without an answer; net/http knows this value
}

func serverError(w http.ResponseWriter, c *Call, _ int) {
	send(w, c, page(http.StatusInternalServerError, "500 Internal Server Error"))
}

func maintenance(w http.ResponseWriter, c *Call, _ int) {
	send(w, c, page(http.StatusOK, "系统维护中 / Under maintenance"))
}

// page is what a proxy in front of a provider answers with: HTML that has nothing to do with the provider's own.
func page(status int, title string) Answer {
	body := fmt.Sprintf("<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head><meta charset=\"utf-8\"><title>%s</title></head>\n"+
		"<body><main><h1>%s</h1></main></body>\n</html>\n", title, title)
	return Answer{Status: status, Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, Body: []byte(body)}
}

func rateLimited(w http.ResponseWriter, c *Call, seconds int) {
	a := JSON(http.StatusTooManyRequests, map[string]string{"code": "42901", "message": "请求过于频繁 (too many requests)"})
	a.Header.Set("Retry-After", strconv.Itoa(seconds))
	send(w, c, a)
}

func notSuccess(w http.ResponseWriter, c *Call, _ int) {
	send(w, c, JSON(http.StatusOK, struct {
		Success bool   `json:"success"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}{false, "10001", "系统繁忙，请稍后再试 (system busy)"}))
}

// elsewhere points to the same simulator under another host name, so that a client that follows is seen doing it.
func elsewhere(w http.ResponseWriter, c *Call, _ int) {
	other, port := "localhost", ""
	host := c.Request.Host
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, port = h, ":"+p
	}
	if host == other {
		other = "127.0.0.1"
	}
	header := http.Header{"Location": {"http://" + other + port + "/_elsewhere"}}
	send(w, c, Answer{Status: http.StatusFound, Header: header})
}

const mebibyte = 1 << 20

func huge(w http.ResponseWriter, c *Call, mib int) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Date", c.Now.UTC().Format(http.TimeFormat))
	pour(w, mib)
}

// gzipBomb compresses whatever the client said it accepts: that is the point of it.
func gzipBomb(w http.ResponseWriter, c *Call, mib int) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Date", c.Now.UTC().Format(http.TimeFormat))
	zip := gzip.NewWriter(w)
	pour(zip, mib)
	_ = zip.Close() // fails only when the client has left
}

// pour writes one JSON object of so many MiB, until the client has had enough.
func pour(w io.Writer, mib int) {
	filler := strings.Repeat("x", mebibyte)
	if _, err := io.WriteString(w, `{"code":"00000","message":"`); err != nil {
		return
	}
	for range mib {
		if _, err := io.WriteString(w, filler); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, `"}`)
}

// levelOf keeps ordinary traffic out of an ordinary log.
func levelOf(status int) slog.Level {
	if status >= http.StatusBadRequest {
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// attrs are the log's view of a line; like the ledger's it holds no secret.
func attrs(e Entry) []slog.Attr {
	return []slog.Attr{
		slog.String("method", e.Method), slog.String("path", e.Path), slog.String("stage", string(e.Stage)),
		slog.Int("status", e.Status), slog.String("outcome", e.Outcome), slog.String("client", e.Client),
		slog.String("account", e.Account), slog.Any("faults", e.Faults),
	}
}
