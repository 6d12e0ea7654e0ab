package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"mooring/internal/config"
)

type doctorCmd struct{}

// Run carries out "web doctor". It looks at everything that serve needs, goes on after what is wrong, and changes nothing.
func (doctorCmd) Run(ctx context.Context, w world) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r := &report{out: w.stdout}
	c, err := load(w.lookup, config.Serving)
	r.configuration(c, err)
	r.keys(c)
	r.database(ctx, c)
	r.addresses(c)
	r.mail(c)
	r.providers(ctx, c)
	return r.end()
}

// report prints findings as they come, one a line, each with what to do next.
type report struct {
	out             io.Writer
	fails, warnings int
}

func (r *report) ok(what, found string) { fmt.Fprintf(r.out, "ok    %-11s %s\n", what, found) }

func (r *report) warn(what, found, next string) {
	r.warnings++
	fmt.Fprintf(r.out, "warn  %-11s %s\n      %-11s -> %s\n", what, found, "", next)
}

func (r *report) fail(what, found, next string) {
	r.fails++
	fmt.Fprintf(r.out, "fail  %-11s %s\n      %-11s -> %s\n", what, found, "", next)
}

// end sums up and gives the exit code.
func (r *report) end() error {
	fmt.Fprintf(r.out, "\n%s to mend, %s to look at.\n", count(r.fails, "fault"), count(r.warnings, "warning"))
	if r.fails > 0 {
		return errTold
	}
	return nil
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (r *report) configuration(c config.Config, err error) {
	var faults config.Faults
	if !errors.As(err, &faults) {
		r.ok("config", "every variable that is set is well formed")
	}
	for _, f := range faults {
		r.fail("config", f.Name+" is missing or not as it must be", "set it to "+f.Expected)
	}
	for _, p := range c.TrustedProxies {
		if p.Bits() == 0 {
			r.warn("config", "TRUSTED_PROXIES trusts everybody: anyone can pretend to be any address", "name the proxies' networks only")
		}
	}
}

func (r *report) keys(c config.Config) {
	if c.Keyset.IsEmpty() {
		return // config has said so
	}
	warning, err := checkKeysetFile(c)
	switch {
	case err != nil:
		r.fail("keys", err.Error(), "the keyset opens every stored credential: only the service's own user may read it")
	case warning != "":
		r.warn("keys", warning, "only the service's own user should read it")
	default:
		r.ok("keys", "the keyset is well formed and private")
	}
}

func (r *report) addresses(c config.Config) {
	if c.PublicURL == "" {
		return // config has said so
	}
	if c.Secure {
		r.ok("address", "PUBLIC_URL is https: cookies are Secure")
	} else {
		r.warn("address", "PUBLIC_URL is plain http: fit for this machine only", "set it to the https address that people open")
	}
}

func (r *report) mail(c config.Config) {
	if c.SMTPURL.IsEmpty() {
		r.warn("mail", "SMTP_URL is not set: sign-ups complete without proof of the address, and forgotten passwords cannot be reset",
			"set SMTP_URL and MAIL_FROM")
		return
	}
	r.ok("mail", "SMTP_URL and MAIL_FROM are set")
}
