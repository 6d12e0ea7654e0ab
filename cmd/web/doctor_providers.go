package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"mooring/internal/config"
	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

// maxSkew is how far our clock may be from a provider's before it is worth a word; AsiaBill refuses at 30 minutes.
const maxSkew = 2 * time.Minute

// providers tells for each what is set and what is missing, never a value, and how its clock and ours agree.
func (r *report) providers(ctx context.Context, c config.Config) {
	allow, err := outbound.ParseAllowlist(c.OutboundAllow)
	if err != nil {
		return // config has said so
	}
	for i, f := range factories() {
		p, what := c.Providers[i], c.Providers[i].Slug
		if !p.Offered() {
			r.warn(what, "not offered: "+strings.Join(p.Missing, ", ")+" not set", "set them to offer it; without them its card says so")
			continue
		}
		caller := outbound.New(outbound.Options{Name: p.Slug, Allow: allow, Timeout: 5 * time.Second})
		made, err := f.New(oauth.Config{Settings: p.Settings, Environment: p.Environment, Caller: caller, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			r.fail(what, "its settings do not fit together: "+err.Error(), "see the settings' help on the admins' provider page")
			continue
		}
		d := made.Descriptor()
		r.ok(what, "offered, environment "+string(p.Environment))
		r.plainHTTP(what, d, p)
		if d.Flow == oauth.FlowRedirect && c.PublicURL != "" {
			r.ok(what, "the redirect address to register there is "+c.PublicURL+"/oauth/"+d.Slug+"/callback")
		}
		if d.FormOrigin != "" {
			r.clock(ctx, what, d.FormOrigin, caller)
		}
		caller.Close()
	}
}

// plainHTTP names the settings through which secrets would travel in the clear.
func (r *report) plainHTTP(what string, d oauth.Descriptor, p config.Provider) {
	for _, s := range d.Settings {
		if !s.Secret && strings.HasPrefix(strings.ToLower(p.Settings.Get(s.Name)), "http://") {
			r.warn(what, strings.ToUpper(d.Slug)+"_"+s.Name+" is plain http: secrets travel in the clear", "use https; OUTBOUND_ALLOW is for simulators and private networks")
		}
	}
}

// clock compares our clock with the Date header of the provider's answer; what else it answers does not matter.
func (r *report) clock(ctx context.Context, what, origin string, caller *outbound.Client) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, origin+"/robots.txt", nil) // a page that hardly anybody redirects
	if err != nil {
		return // the setting was checked
	}
	answer, err := caller.Call(ctx, req)
	switch {
	case err != nil:
		r.warn(what, "its address does not answer: "+err.Error(), "check the network, and OUTBOUND_ALLOW if it is on a private one")
	case !answer.Dated:
		r.warn(what, "its answer tells no time, so the clocks were not compared", "make sure that this machine's clock is synchronised")
	case answer.Skew.Abs() > maxSkew:
		r.fail(what, fmt.Sprintf("its clock and ours are %s apart", answer.Skew.Abs()), "synchronise this machine's clock (NTP)")
	default:
		r.ok(what, "answers, and its clock and ours agree")
	}
}
