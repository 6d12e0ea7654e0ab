package main

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"mooring/internal/config"
	"mooring/internal/connect"
	"mooring/internal/handlers"
	"mooring/internal/oauth"
	"mooring/internal/oauth/asiabill"
	"mooring/internal/oauth/cardwallet"
	"mooring/internal/oauth/chainup"
	"mooring/internal/oauth/redemption"
	"mooring/internal/oauth/zhiyun"
	"mooring/internal/outbound"
	"mooring/internal/watch"
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

// descriptors gives the providers of a list before any setting is known.
func descriptors(list []oauth.Factory) []oauth.Descriptor {
	var all []oauth.Descriptor
	for _, f := range list {
		all = append(all, f.Describe())
	}
	return all
}

// offer makes the providers of a list whose settings are complete, each with a way out of its own that the keeper
// watches, and says once which are not.
func offer(list []oauth.Factory, c config.Config, keeper *watch.Keeper, observe outbound.Observer, log *slog.Logger) (*connect.Registry, error) {
	allow, err := outbound.ParseAllowlist(c.OutboundAllow)
	if err != nil {
		return nil, fmt.Errorf("OUTBOUND_ALLOW: %w", err)
	}
	var offered []oauth.Provider
	for i, f := range list {
		p := c.Providers[i] // config keeps the descriptors' order
		if !p.Offered() {
			log.Info("provider not offered", "provider", p.Slug, "missing", strings.Join(p.Missing, " "))
			continue
		}
		client := outbound.New(outbound.Options{Name: p.Slug, Allow: allow, Now: time.Now, Metrics: observe})
		made, err := f.New(oauth.Config{Settings: p.Settings, Environment: p.Environment, Now: time.Now, Log: log, Caller: client})
		if err != nil {
			return nil, fmt.Errorf("provider %s: %w", p.Slug, err)
		}
		keeper.Add(p.Slug, client, made.Descriptor().Addresses(p.Settings))
		log.Info("provider offered", "provider", p.Slug, "environment", string(p.Environment))
		offered = append(offered, made)
	}
	return connect.NewRegistry(offered, descriptors(list))
}

// setups says for the admins which settings are there. A value that equals the default counts as the default.
func setups(list []oauth.Factory, c config.Config) []handlers.ProviderSetup {
	var all []handlers.ProviderSetup
	for i, d := range descriptors(list) {
		p := c.Providers[i]
		setup := handlers.ProviderSetup{Slug: d.Slug, Missing: p.Missing}
		for _, s := range d.Settings {
			value := p.Settings.Get(s.Name)
			setup.Settings = append(setup.Settings, handlers.SettingState{
				Name: strings.ToUpper(d.Slug) + "_" + s.Name, Set: value != "", Default: value != "" && value == s.Default,
				Secret: s.Secret, Required: s.Required,
			})
		}
		all = append(all, setup)
	}
	return all
}
