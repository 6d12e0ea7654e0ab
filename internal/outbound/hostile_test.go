package outbound_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"mooring/internal/outbound"
)

func TestSlowProvidersEndInTime(t *testing.T) {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	wait := func(r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"no headers": func(_ http.ResponseWriter, r *http.Request) { wait(r) },
		"no body": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.(http.Flusher).Flush()
			wait(r)
		},
		"drip": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, "x"); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, base := serve(t, outbound.Options{Timeout: 150 * time.Millisecond}, h)
			within(t, 2*time.Second, func() {
				_, err := c.Call(t.Context(), request(t, base))
				if fault := wantFault(t, err, outbound.TooLong); !fault.Timeout() || !fault.Sent() {
					t.Errorf("timeout %v, sent %v", fault.Timeout(), fault.Sent())
				}
			})
		})
	}
}

// A listener that never answers the TLS handshake stands for a connection that does not come about.
func TestConnectThatHangsEndsInTime(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := outbound.New(outbound.Options{Name: "fake", Allow: allow(t, l.Addr().String()), Timeout: 150 * time.Millisecond})
	t.Cleanup(c.Close)
	within(t, 2*time.Second, func() {
		_, err := c.Call(t.Context(), request(t, "https://"+l.Addr().String()))
		if fault := wantFault(t, err, outbound.TooLong); fault.Sent() {
			t.Error("nothing was sent before the handshake")
		}
	})
}

func TestCancelledCallReturnsAtOnce(t *testing.T) {
	entered := make(chan struct{})
	c, base := serve(t, outbound.Options{}, func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	within(t, 2*time.Second, func() {
		_, err := c.Call(ctx, request(t, base))
		wantFault(t, err, outbound.Cancelled)
	})
}

func TestEndlessAnswersAreCutWithoutFillingMemory(t *testing.T) {
	zeros := make([]byte, 64<<10)
	flood := func(w io.Writer) {
		for range 1 << 14 { // 1 GiB
			if _, err := w.Write(zeros); err != nil {
				return
			}
		}
	}
	// 512 MiB in half a megabyte, as members of a mebibyte each: compressing it whole would take the test a minute.
	bomb := bytes.NewReader(bytes.Repeat(gzipped(t, string(make([]byte, 1<<20))), 512))
	var members bytes.Buffer // unpacks to nothing, for ever
	for members.Len() < 64<<10 {
		gzip.NewWriter(&members).Close()
	}

	for name, h := range map[string]http.HandlerFunc{
		"1 GiB chunked": func(w http.ResponseWriter, _ *http.Request) { flood(w) },
		"1 GiB declared": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(1<<30))
			flood(w)
		},
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.Copy(w, bomb)
		},
		"gzip of nothing": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			for {
				if _, err := w.Write(members.Bytes()); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, base := serve(t, outbound.Options{}, h)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			within(t, 5*time.Second, func() {
				_, err := c.Call(t.Context(), request(t, base))
				if fault := wantFault(t, err, outbound.TooLarge); !fault.Answered() {
					t.Error("too large is an answer, if a bad one")
				}
			})
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
				t.Errorf("allocated %d MiB", grown>>20)
			}
		})
	}
}

func TestUnreadableAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		encoding, body string
		want           outbound.Outcome
	}{
		"brotli":      {"br", "x", outbound.Unreadable},
		"nested":      {"gzip, gzip", "x", outbound.Unreadable},
		"not gzip":    {"gzip", "<html>" + canary + "</html>", outbound.Unreadable},
		"no checksum": {"gzip", string(gzipped(t, "hello")[:12]), outbound.Broken},
	} {
		c, base := serve(t, outbound.Options{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", tc.encoding)
			io.WriteString(w, tc.body)
		})
		_, err := c.Call(t.Context(), request(t, base))
		t.Run(name, func(t *testing.T) { wantFault(t, err, tc.want) })
	}
	c, base := serve(t, outbound.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusNoContent)
	})
	if got, err := c.Call(t.Context(), request(t, base)); err != nil || len(got.Body) != 0 {
		t.Errorf("204 = %+v, %v", got, err)
	}
}

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBrokenConnections(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"cut in the body": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, canary)
			panic(http.ErrAbortHandler)
		},
		"cut before the answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"10 MB of headers": func(w http.ResponseWriter, _ *http.Request) {
			for i := range 160 {
				w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("x", 64<<10))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, base := serve(t, outbound.Options{}, h)
			within(t, 2*time.Second, func() {
				_, err := c.Call(t.Context(), request(t, base))
				if fault := wantFault(t, err, outbound.Broken); !fault.Sent() {
					t.Error("the request was sent")
				}
			})
		})
	}
}

func TestClosedPortIsUnreachableAndNothingWasSent(t *testing.T) {
	s := httptest.NewServer(nil)
	host, base := hostOf(t, s), s.URL
	s.Close()
	c := outbound.New(outbound.Options{Name: "fake", Allow: allow(t, host)})
	t.Cleanup(c.Close)
	_, err := c.Call(t.Context(), request(t, base))
	if fault := wantFault(t, err, outbound.Unreachable); fault.Sent() {
		t.Error("nothing can have been sent")
	}
}
