package outbound

import (
	"crypto/x509"
	"net"
)

// WithResolver looks names up in r.
func WithResolver(o Options, r *net.Resolver) Options { o.resolver = r; return o }

// WithRoots trusts pool alone.
func WithRoots(o Options, pool *x509.CertPool) Options { o.roots = pool; return o }

// The breaker's numbers.
const (
	BreakerCalls = breakerCalls
	BreakerPause = breakerPause
)

// Dialled is how an address is read before it is judged.
var Dialled = dialled
