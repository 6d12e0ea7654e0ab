package outbound

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"syscall"
	"time"
)

// dialGuard judges where a connection goes: named says yes for a host and port that the operator listed, address
// judges the resolved address of anything else.
type dialGuard struct {
	named   func(hostport string) bool
	address func(network, address string) error
}

// newTransport makes a transport without a proxy, without cookies, and with every connection under guard.
func newTransport(o Options, guard dialGuard, inFlight int, timeout time.Duration) *http.Transport {
	patience := min(timeout, 5*time.Second)
	free := &net.Dialer{Timeout: patience, KeepAlive: 30 * time.Second, Resolver: o.resolver}
	guarded := &net.Dialer{
		Timeout: patience, KeepAlive: 30 * time.Second, Resolver: o.resolver,
		// Control sees the address after the lookup and right before the connection: there is no second lookup.
		Control: func(network, address string, _ syscall.RawConn) error { return guard.address(network, address) },
	}
	return &http.Transport{
		Proxy: nil, // never the environment's: a proxy would dial for us, past the guard
		DialContext: func(ctx context.Context, network, hostport string) (net.Conn, error) {
			if guard.named(hostport) {
				return free.DialContext(ctx, network, hostport)
			}
			return guarded.DialContext(ctx, network, hostport)
		},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.roots},
		TLSHandshakeTimeout:    patience,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConns:           inFlight,
		MaxIdleConnsPerHost:    inFlight,
		IdleConnTimeout:        30 * time.Second,
		ForceAttemptHTTP2:      true,
	}
}
