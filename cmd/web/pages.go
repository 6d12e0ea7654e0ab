package main

import (
	"time"

	"mooring/internal/audit"
	"mooring/internal/handlers"
)

// pages makes the server of everything that people and providers open.
func (h *house) pages() (*handlers.Server, error) {
	return handlers.New(handlers.Deps{
		Accounts:       h.accounts,
		Connect:        h.connect,
		Dispatch:       h.dispatch,
		Store:          h.store,
		Words:          h.bundle,
		Wakes:          h.listener,
		PublicURL:      h.config.PublicURL,
		TrustedProxies: h.config.TrustedProxies,
		Demo:           h.plan.demo,
		Version:        buildLabels()["revision"],
		MailConfigured: !h.config.SMTPURL.IsEmpty(),
		CapturedMail:   h.plan.letters,
		StaffFactor:    h.config.Secure, // on this machine alone, nobody needs to set one up to look around
		Audit:          audit.Auditor{Dir: h.config.AuditDir},
		Ready:          h.ready.Ready,
		Now:            time.Now,
		Log:            h.log,
		Metrics:        handlers.NewMetrics(h.metrics.registry),
		Setups:         setups(h.plan.list, h.config),
		Probe:          h.keeper.Probe,
	})
}
