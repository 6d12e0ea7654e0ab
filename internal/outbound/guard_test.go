package outbound_test

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"mooring/internal/outbound"
)

func TestPrivateAddressesAreRefusedInEverySpelling(t *testing.T) {
	wire := tripwire(t)
	port := hostOf(t, wire)[strings.LastIndex(hostOf(t, wire), ":")+1:]
	for _, host := range []string{
		"127.0.0.1", "localhost", "LOCALHOST.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "0.0.0.0", "127.1",
		"2130706433", "0177.0.0.1", "0x7f000001", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
		"[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:db8::1]", "224.0.0.1",
	} {
		for _, scheme := range []string{"https://", "http://"} {
			c := outbound.New(outbound.Options{Name: "fake", Timeout: 2 * time.Second}) // a breaker of its own
			_, err := c.Call(t.Context(), request(t, scheme+host+":"+port))
			fault, ok := err.(*outbound.Error) //nolint:errorlint // the type itself is the contract
			// The odd spellings are names that no resolver knows, unless it is one that reads them as addresses.
			if !ok || fault.Sent() || (fault.Reason != outbound.Refused && fault.Reason != outbound.Unreachable && fault.Reason != outbound.TooLong) {
				t.Errorf("%s%s: %v", scheme, host, err)
			}
			if literal := strings.Trim(host, "[]"); ok && fault.Reason != outbound.Refused {
				if _, err := netip.ParseAddr(literal); err == nil {
					t.Errorf("%s%s: %s, want refused", scheme, host, fault.Reason)
				}
			}
		}
	}
}

// The dialer unmaps addresses today; the guard does not rely on it.
func TestMappedAddressesAreJudgedAsWhatTheyMean(t *testing.T) {
	for address, want := range map[string]string{"[::ffff:127.0.0.1]:80": "127.0.0.1", "[fe80::1%eth0]:80": "fe80::1", "10.0.0.1:80": "10.0.0.1"} {
		if got, err := outbound.Dialled(address); err != nil || got != netip.MustParseAddr(want) {
			t.Errorf("%s is judged as %s, %v", address, got, err)
		}
	}
	if _, err := outbound.Dialled("localhost:80"); err == nil {
		t.Error("a name is no address to judge")
	}
}

func TestPlainHTTPGoesNowhereButWhereAllowed(t *testing.T) {
	c := outbound.New(outbound.Options{Name: "fake", Timeout: 2 * time.Second})
	t.Cleanup(c.Close)
	// A public address: over https it would be dialled, over http it is refused without a packet.
	_, err := c.Call(t.Context(), request(t, "http://1.1.1.1"))
	wantFault(t, err, outbound.Refused)
	for _, address := range []string{"file:///etc/passwd", "gopher://127.0.0.1:70/x", "https://", "https://user:" + canary + "@example.com/"} {
		req := &http.Request{Method: http.MethodGet, URL: mustURL(t, address), Header: http.Header{}}
		_, err := c.Call(t.Context(), req)
		wantFault(t, err, outbound.Refused)
	}
}

func TestAllowlistOpensWhatItNames(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(s.Close)
	port := hostOf(t, s)[strings.LastIndex(hostOf(t, s), ":")+1:]
	for entry, hosts := range map[string]map[string]bool{
		"127.0.0.0/8":            {"127.0.0.1": true, "localhost": true, "[::ffff:127.0.0.1]": true},
		"localhost:" + port:      {"localhost": true, "LocalHost": true, "127.0.0.1": false},
		"127.0.0.1:" + port:      {"127.0.0.1": true, "localhost": false},
		"10.0.0.0/8":             {"127.0.0.1": false},
		"localhost:1":            {"localhost": false},
		"example.com:" + port:    {"localhost": false, "127.0.0.1": false},
		"127.0.0.2/32, fd00::/8": {"127.0.0.1": false},
	} {
		c := outbound.New(outbound.Options{Name: "fake", Allow: allow(t, strings.Split(entry, ",")...), Timeout: 2 * time.Second})
		for host, want := range hosts {
			_, err := c.Call(t.Context(), request(t, "http://"+host+":"+port))
			if got := err == nil; got != want {
				t.Errorf("allow %q, call %s: %v", entry, host, err)
			}
		}
		c.Close()
	}
}

func TestParseAllowlistReportsEveryFault(t *testing.T) {
	_, err := outbound.ParseAllowlist([]string{"10.0.0.0/8", " ", "0.0.0.0/0", "10.0.0.1", "host", "host:0", "host:99999", "10.0.0.0/99", "::ffff:10.0.0.0/104", "*.example.com:443", ":80"})
	if err == nil {
		t.Fatal("no error")
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 9 {
		t.Errorf("%d faults, want 9:\n%v", got, err)
	}
	if _, err := outbound.ParseAllowlist([]string{"10.0.0.0/8", "[::1]:8080", "simulator:9001", ""}); err != nil {
		t.Error(err)
	}
}

// A name that answers with a public address first and a private one later: the dial judges what is dialled.
func TestRebindingIsRefusedAtTheDial(t *testing.T) {
	wire := tripwire(t)
	port := hostOf(t, wire)[strings.LastIndex(hostOf(t, wire), ":")+1:]
	resolver := &fakeDNS{answers: []string{"127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"}}
	c := outbound.New(outbound.WithResolver(outbound.Options{Name: "fake", Timeout: 2 * time.Second}, resolver.resolver()))
	t.Cleanup(c.Close)
	for range 4 {
		_, err := c.Call(t.Context(), request(t, "https://rebind.example:"+port))
		wantFault(t, err, outbound.Refused)
	}
	// The same resolver with the name allowed: the operator trusts it.
	trusting := outbound.New(outbound.WithResolver(outbound.Options{Name: "fake", Allow: allow(t, "rebind.example:"+port), Timeout: 2 * time.Second}, (&fakeDNS{answers: []string{"127.0.0.1"}}).resolver()))
	t.Cleanup(trusting.Close)
	_, err := trusting.Call(t.Context(), request(t, "https://rebind.example:"+port))
	wantFault(t, err, outbound.Untrusted) // reached, and found not to speak TLS
}

// fakeDNS answers each query with the next address; a query of the other family gets none.
type fakeDNS struct {
	mu      sync.Mutex
	answers []string
	at      int
	current netip.Addr
	seen    int
}

func (f *fakeDNS) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go f.answer(theirs)
		return packetless{ours}, nil
	}}
}

// packetless makes the resolver use the length-prefixed form of a stream.
type packetless struct{ net.Conn }

func (f *fakeDNS) answer(c net.Conn) {
	defer c.Close()
	head := make([]byte, 2)
	if _, err := c.Read(head); err != nil {
		return
	}
	query := make([]byte, int(head[0])<<8|int(head[1]))
	if _, err := c.Read(query); err != nil {
		return
	}
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return
	}
	f.mu.Lock()
	if f.seen%2 == 0 { // A and AAAA come in pairs
		f.current = netip.MustParseAddr(f.answers[f.at%len(f.answers)])
		f.at++
	}
	f.seen++
	addr := f.current
	f.mu.Unlock()

	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET}
	switch {
	case q.Type == dnsmessage.TypeA && addr.Is4():
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}}}
	case q.Type == dnsmessage.TypeAAAA && addr.Is6():
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}}}
	}
	packed, err := m.Pack()
	if err != nil {
		return
	}
	_, _ = c.Write(append([]byte{byte(len(packed) >> 8), byte(len(packed))}, packed...))
}

func TestTLSIsAlwaysVerified(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(s.Close)
	o := outbound.Options{Name: "fake", Allow: allow(t, "127.0.0.0/8"), Timeout: 2 * time.Second}

	stranger := outbound.New(o)
	t.Cleanup(stranger.Close)
	_, err := stranger.Call(t.Context(), request(t, s.URL))
	if fault := wantFault(t, err, outbound.Untrusted); fault.Sent() {
		t.Error("nothing may be sent to a server that cannot prove itself")
	}

	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	friend := outbound.New(outbound.WithRoots(o, pool))
	t.Cleanup(friend.Close)
	if _, err := friend.Call(t.Context(), request(t, s.URL)); err != nil {
		t.Errorf("a trusted server: %v", err)
	}
	wrongName := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	_, err = friend.Call(t.Context(), request(t, wrongName))
	wantFault(t, err, outbound.Untrusted)
}

func TestProxyOfTheEnvironmentIsIgnored(t *testing.T) {
	proxy := tripwire(t)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	t.Setenv("HTTP_PROXY", proxy.URL)
	c, base := serve(t, outbound.Options{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	if _, err := c.Call(t.Context(), request(t, base)); err != nil {
		t.Error(err)
	}
}
