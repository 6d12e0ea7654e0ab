package outbound_test

import (
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"mooring/internal/outbound"
)

func TestHTTP1IsKeptToWhereHTTP2IsOffered(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "HTTP/"+strconv.Itoa(r.ProtoMajor))
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	c := outbound.New(outbound.WithRoots(outbound.Options{Name: "fake", Allow: allow(t, hostOf(t, s))}, pool))
	t.Cleanup(c.Close)
	for range 2 { // in turns: neither takes the other's connection
		for want, req := range map[string]*http.Request{"HTTP/2": request(t, s.URL), "HTTP/1": outbound.HTTP1(request(t, s.URL))} {
			if got, err := c.Call(t.Context(), req); err != nil || string(got.Body) != want {
				t.Errorf("%s, %v, want %s", got.Body, err, want)
			}
		}
	}
}

func TestHTTP1IsGuardedAsEverythingElse(t *testing.T) {
	wire := tripwire(t)
	c := outbound.New(outbound.Options{Name: "fake"})
	t.Cleanup(c.Close)
	for _, scheme := range []string{"https://", "http://", "ftp://"} {
		_, err := c.Call(t.Context(), outbound.HTTP1(request(t, scheme+hostOf(t, wire))))
		wantFault(t, err, outbound.Refused)
	}
}

func TestHeaderNamesKeepTheirCaseOnTheWire(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	seen := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		head := make([]byte, 64<<10)
		n, _ := conn.Read(head)
		seen <- string(head[:n])
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}()
	c := outbound.New(outbound.Options{Name: "fake", Allow: allow(t, l.Addr().String())})
	t.Cleanup(c.Close)
	req := request(t, "http://"+l.Addr().String())
	req.Header["businessId"] = []string{"b1"}
	if _, err := c.Call(t.Context(), outbound.HTTP1(req)); err != nil {
		t.Fatal(err)
	}
	if head := <-seen; !strings.Contains(head, "\r\nbusinessId: b1\r\n") {
		t.Errorf("on the wire: %q", head)
	}
}
