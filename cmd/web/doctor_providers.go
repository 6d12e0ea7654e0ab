package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"mooring/internal/config"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/watch"
)

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
		for _, address := range d.Addresses(p.Settings) {
			r.clock(what, d, watch.Probe(ctx, caller, address))
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

// clock tells whether an address of the provider answers, and how far its clock is from ours.
func (r *report) clock(what string, d oauth.Descriptor, found models.ProbeResult) {
	apart := fmt.Sprintf("its clock is %s from ours, of the %s that it bears", found.Skew, d.Window())
	switch verdict := d.JudgeClock(found.Skew); {
	case found.Outcome != string(outbound.Answered):
		r.warn(what, found.Host+" does not answer: "+found.Outcome, "check the network, and OUTBOUND_ALLOW if it is on a private one")
	case !found.Dated:
		r.warn(what, found.Host+" answers, but tells no time, so the clocks were not compared", "make sure that this machine's clock is synchronised")
	case verdict == oauth.ClockOff:
		r.fail(what, found.Host+": "+apart, "synchronise this machine's clock (NTP)")
	case verdict == oauth.ClockNear:
		r.warn(what, found.Host+": "+apart, "synchronise this machine's clock (NTP)")
	default:
		r.ok(what, found.Host+" answers, and its clock and ours agree ("+found.Skew.String()+")")
	}
}
