package main

import (
	"os"

	"mooring/internal/config"
	"mooring/internal/mail"
	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/secret"
)

// load reads the configuration with what the rooms know about their own values.
func load(lookup func(string) (string, bool), purpose config.Purpose) (config.Config, error) {
	return loadFor(factories(), lookup, purpose)
}

// loadFor is load for a list of providers.
func loadFor(list []oauth.Factory, lookup func(string) (string, bool), purpose config.Purpose) (config.Config, error) {
	return config.Load(config.Env{
		Lookup:      lookup,
		ReadFile:    os.ReadFile,
		CheckKeyset: checkKeyset,
		CheckOutbound: func(entries []string) error {
			_, err := outbound.ParseAllowlist(entries)
			return err
		},
		CheckMail: func(url secret.String, from string) error {
			_, err := mail.NewSMTP(url, from)
			return err
		},
	}, purpose, descriptors(list))
}
