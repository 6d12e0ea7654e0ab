package config

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mooring/internal/secret"
)

// reader takes values out of the environment and collects what is wrong with them. After a fault it answers with the
// zero value, so that reading goes on to the next fault.
type reader struct {
	env    Env
	faults Faults
}

func (r *reader) fault(name, expected string) {
	r.faults = append(r.faults, Fault{Name: name, Expected: expected})
}

// text reads a plain value; empty counts as not set.
func (r *reader) text(name, fallback string) string {
	value, _ := r.env.Lookup(name)
	if value = strings.TrimSpace(value); value == "" {
		return fallback
	}
	if strings.ContainsAny(value, "\n\r\x00") {
		r.fault(name, "one line of text")
		return fallback
	}
	return value
}

// duration reads a time like 90s or 5m.
func (r *reader) duration(name string, fallback, shortest, longest time.Duration) time.Duration {
	value := r.text(name, "")
	if value == "" {
		return fallback
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < shortest || d > longest {
		r.fault(name, "a time from "+shortest.String()+" to "+longest.String()+", like 90s or 5m")
		return fallback
	}
	return d
}

// hidden reads a secret from NAME or from the file that NAME_FILE names. source is the variable that it came from, for
// faults; path is the file, if there was one.
func (r *reader) hidden(name string) (value secret.String, source, path string) {
	direct, _ := r.env.Lookup(name)
	path = r.text(name+"_FILE", "")
	switch {
	case direct != "" && path != "":
		r.fault(name, "set either "+name+" or "+name+"_FILE, not both")
		return secret.String{}, name, ""
	case path == "":
		return secret.New(strings.TrimRight(direct, "\r\n")), name, ""
	}
	content, err := r.env.ReadFile(path)
	if err != nil {
		r.fault(name+"_FILE", "the path of a readable file ("+reason(err)+")")
		return secret.String{}, name + "_FILE", ""
	}
	// Editors end files with a line break that is no part of the secret.
	trimmed := strings.TrimRight(string(content), "\r\n")
	if trimmed == "" {
		r.fault(name+"_FILE", "the path of a file that is not empty")
	}
	return secret.New(trimmed), name + "_FILE", path
}

// reason says why a file was not read without its path: a secret set as X_FILE by mistake must not be shown.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "reading it is not permitted"
	}
	return "it cannot be read"
}

const wantAddr = "host:port, for example 127.0.0.1:8080"

func (r *reader) addr(name, fallback string) string {
	value := r.text(name, fallback)
	if _, ok := port(value); !ok {
		r.fault(name, wantAddr)
		return fallback
	}
	return value
}

// port gives the port of host:port. The host may be empty, a name or an address.
func port(addr string) (int, bool) {
	host, digits, err := net.SplitHostPort(addr)
	if err != nil || strings.ContainsAny(host, "/@ ") {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	return int(n), err == nil
}

// metricsAddr tells "not set", which means the usual address, from "set but empty", which means off.
func (r *reader) metricsAddr() string {
	if value, set := r.env.Lookup("METRICS_ADDR"); set && strings.TrimSpace(value) == "" {
		return ""
	}
	return r.addr("METRICS_ADDR", "127.0.0.1:9090")
}

func (r *reader) simulatorAddr() string {
	const fallback = "127.0.0.1:8090"
	addr := r.addr("SIMULATOR_ADDR", fallback)
	if n, _ := port(addr); n > 65530 {
		r.fault("SIMULATOR_ADDR", "host:port with a port of at most 65530, because six ports are used from it on")
		return fallback
	}
	return addr
}

func (r *reader) publicURL(purpose Purpose) (address string, secure bool) {
	const name = "PUBLIC_URL"
	value := r.text(name, "")
	if value == "" {
		if purpose == Serving {
			r.fault(name, "the address that people open in the browser, for example https://mooring.example.com")
		}
		return "", false
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http"):
		r.fault(name, "an absolute address, for example https://mooring.example.com")
	case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		r.fault(name, "scheme, host and port only: no user, path, query or fragment")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		r.fault(name, "https (plain http is accepted for localhost and other loopback addresses only)")
	default:
		return u.Scheme + "://" + strings.ToLower(u.Host), u.Scheme == "https"
	}
	return "", false
}

// loopback says whether the host is this machine for certain. Names other than localhost could be anybody's.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func (r *reader) database(purpose Purpose) Database {
	d := Database{
		App:      r.postgresURL("DATABASE_URL"),
		Platform: r.postgresURL("PLATFORM_DATABASE_URL"),
		Owner:    r.postgresURL("MIGRATE_DATABASE_URL"),
	}
	switch {
	case purpose == Owning:
		if !d.App.IsEmpty() && d.Owner.IsEmpty() && !r.faulty("MIGRATE_DATABASE_URL") {
			r.fault("MIGRATE_DATABASE_URL", "the owner's postgres:// address: the role of DATABASE_URL may not do this")
		}
	case purpose == Simulating || r.faulty("DATABASE_URL"):
	case d.App.IsEmpty() && !(d.Platform.IsEmpty() && d.Owner.IsEmpty()):
		// Without this a mistyped DATABASE_URL would silently start an empty private PostgreSQL.
		r.fault("DATABASE_URL", "the serving role's postgres:// address, because another database address is set")
	case !d.App.IsEmpty() && d.Platform.IsEmpty() && !r.faulty("PLATFORM_DATABASE_URL"):
		r.fault("PLATFORM_DATABASE_URL", "the platform role's postgres:// address, needed when DATABASE_URL is set")
	}
	return d
}

func (r *reader) postgresURL(name string) secret.String {
	value, source, _ := r.hidden(name)
	if value.IsEmpty() {
		return value
	}
	u, err := url.Parse(value.Reveal())
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		r.fault(source, "an address like postgres://role:password@host:5432/database")
		return secret.String{}
	}
	return value
}

func (r *reader) keyset(purpose Purpose) (text secret.String, path string) {
	value, source, path := r.hidden("KEYSET")
	switch {
	case value.IsEmpty():
		if purpose == Serving && !r.faulty("KEYSET") {
			r.fault("KEYSET", "the master keyset as `web keys new` prints it, here or in the file that KEYSET_FILE names")
		}
		return value, ""
	case r.env.CheckKeyset != nil && r.env.CheckKeyset([]byte(value.Reveal())) != nil:
		r.fault(source, "a keyset as `web keys new` prints it")
		return secret.String{}, ""
	}
	return value, path
}

// faulty says whether NAME or NAME_FILE was already refused, so that it is not called missing besides.
func (r *reader) faulty(name string) bool {
	for _, f := range r.faults {
		if f.Name == name || f.Name == name+"_FILE" {
			return true
		}
	}
	return false
}
