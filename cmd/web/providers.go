package main

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"mooring/internal/config"
	"mooring/internal/connect"
	"mooring/internal/oauth"
	"mooring/internal/oauth/asiabill"
	"mooring/internal/oauth/cardwallet"
	"mooring/internal/oauth/chainup"
	"mooring/internal/oauth/redemption"
	"mooring/internal/oauth/zhiyun"
	"mooring/internal/outbound"
)

// factories is THE list of providers, one line each.
func factories() []oauth.Factory {
	return []oauth.Factory{
		asiabill.Factory(),
		redemption.Factory(),
		zhiyun.Factory(),
		cardwallet.Factory(),
		chainup.Factory(),
	}
}

func descriptors() []oauth.Descriptor {
	var all []oauth.Descriptor
	for _, f := range factories() {
		all = append(all, f.Describe())
	}
	return all
}

// offer makes the providers whose settings are complete, each with a way out of its own, and says once which are not.
func offer(c config.Config, observe outbound.Observer, log *slog.Logger) (*connect.Registry, error) {
	allow, err := outbound.ParseAllowlist(c.OutboundAllow)
	if err != nil {
		return nil, fmt.Errorf("OUTBOUND_ALLOW: %w", err)
	}
	var offered []oauth.Provider
	for i, f := range factories() {
		p := c.Providers[i] // config keeps the descriptors' order
		if !p.Offered() {
			log.Info("provider not offered", "provider", p.Slug, "missing", strings.Join(p.Missing, " "))
			continue
		}
		made, err := f.New(oauth.Config{
			Settings: p.Settings, Environment: p.Environment, Now: time.Now, Log: log,
			Caller: outbound.New(outbound.Options{Name: p.Slug, Allow: allow, Now: time.Now, Metrics: observe}),
		})
		if err != nil {
			return nil, fmt.Errorf("provider %s: %w", p.Slug, err)
		}
		log.Info("provider offered", "provider", p.Slug, "environment", string(p.Environment))
		offered = append(offered, made)
	}
	return connect.NewRegistry(offered, descriptors())
}
