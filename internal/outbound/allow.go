package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"code.dny.dev/ssrf"
)

// errRefused marks an address that no connection may be made to.
var errRefused = errors.New("outbound: address not allowed")

// Allowlist names what provider calls may reach although it is private, and what they may reach over plain http. The
// zero value allows nothing special. A CIDR is matched against the address dialled, host:port against what the
// provider's address says; whoever lists a name trusts whatever the name resolves to.
type Allowlist struct {
	prefixes []netip.Prefix
	hosts    []string // "host:port", lower case
}

// ParseAllowlist reads the entries of OUTBOUND_ALLOW and reports every fault in them. Empty entries are skipped.
func ParseAllowlist(entries []string) (Allowlist, error) {
	var list Allowlist
	var faults []error
	for _, entry := range entries {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		if err := list.add(entry); err != nil {
			faults = append(faults, fmt.Errorf("%q %w", entry, err))
		}
	}
	if len(faults) > 0 {
		return Allowlist{}, errors.Join(faults...)
	}
	return list, nil
}

func (l *Allowlist) add(entry string) error {
	if strings.Contains(entry, "/") {
		prefix, err := netip.ParsePrefix(entry)
		switch {
		case err != nil:
			return errors.New("is not a CIDR such as 10.1.0.0/16")
		case prefix.Bits() == 0:
			return errors.New("allows every address; name the networks you mean")
		case prefix.Addr().Is4In6():
			return errors.New("must be written as an IPv4 network")
		}
		l.prefixes = append(l.prefixes, prefix.Masked())
		return nil
	}
	host, port, err := net.SplitHostPort(entry)
	if err != nil || host == "" || strings.ContainsAny(host, "*@?# ") {
		return errors.New("is neither a CIDR nor host:port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("has no valid port")
	}
	l.hosts = append(l.hosts, normalHostPort(entry))
	return nil
}

// Admits looks at an address as far as one can before it is resolved: whether its host may be called by that scheme at
// all, and whether a host that is a number may be reached. It spares people a try that must fail; the guard at dial
// has the last word.
func (l Allowlist) Admits(u *url.URL) (scheme, host bool) {
	hostport := u.Host
	if u.Port() == "" {
		hostport = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	addr, err := netip.ParseAddr(u.Hostname())
	listed := l.named(hostport) || err == nil && l.contains(addr.WithZone("").Unmap())
	switch {
	case listed:
		return u.Scheme == "http" || u.Scheme == "https", true
	case err == nil:
		host = l.guardSecure().address("tcp", netip.AddrPortFrom(addr, 443).String()) == nil
		return u.Scheme == "https", host
	}
	return u.Scheme == "https", true
}

func (l Allowlist) named(hostport string) bool {
	return slices.Contains(l.hosts, normalHostPort(hostport))
}

func (l Allowlist) contains(addr netip.Addr) bool {
	return slices.ContainsFunc(l.prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// guardSecure lets https reach public addresses on any port, and whatever the list names.
func (l Allowlist) guardSecure() dialGuard {
	public := ssrf.New(ssrf.WithAnyPort())
	return dialGuard{named: l.named, address: func(_, address string) error {
		addr, err := dialled(address)
		if err != nil {
			return err
		}
		if l.contains(addr) {
			return nil
		}
		if err := public.SafeAddr(addr); err != nil {
			return errRefused // theirs prints the address
		}
		return nil
	}}
}

// guardPlain lets http reach what the list names and nothing else, public or not.
func (l Allowlist) guardPlain() dialGuard {
	return dialGuard{named: l.named, address: func(_, address string) error {
		addr, err := dialled(address)
		if err != nil {
			return err
		}
		if !l.contains(addr) {
			return errRefused
		}
		return nil
	}}
}

// dialled reads the address that a connection is about to be made to. ::ffff:127.0.0.1 is judged as 127.0.0.1.
func dialled(address string) (netip.Addr, error) {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Addr{}, errRefused
	}
	return ap.Addr().WithZone("").Unmap(), nil
}

func normalHostPort(hostport string) string {
	host, port, err := net.SplitHostPort(strings.ToLower(hostport))
	if err != nil {
		return ""
	}
	return net.JoinHostPort(strings.TrimSuffix(host, "."), port)
}
