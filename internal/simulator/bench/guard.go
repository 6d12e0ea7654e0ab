package bench

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Guard protects what can change the simulator: only a page of the simulator itself, or a program that is no browser,
// may call it, and only by a loopback name (so that no foreign site reaches it by pointing its own name here).
func (b *Bench) Guard(next http.Handler) http.Handler {
	return SameOrigin(LoopbackHost(next))
}

// SameOrigin refuses what a browser sends on behalf of another site.
func SameOrigin(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(next)
}

// LoopbackHost refuses requests that came by another name than this machine's own.
func LoopbackHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.Host) {
			http.Error(w, "the simulator's controls answer only to localhost", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLoopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback()
}
