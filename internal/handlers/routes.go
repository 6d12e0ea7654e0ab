package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"mooring/internal/errs"
	"mooring/internal/models"
)

// route is every address there is, by who may use it. The account pages' handlers are in account.go and settings.go.
func (s *Server) route() error {
	refuseForeign, err := s.refuseForeign()
	if err != nil {
		return err
	}
	s.engine.Use(recordRequests(s.Log, s.Metrics), s.secureHeaders, recoverPanics(s.fail), s.limitBody, refuseForeign, s.rememberLanguage)
	s.engine.NoRoute(s.public(func(*gin.Context) error { return errs.New(errs.NotFound, "error.not_found") }))
	s.engine.NoMethod(s.handle(func(*gin.Context) error { return errNoMethod }))

	// Machines
	s.get("/healthz", healthz)
	s.get("/readyz", readyz(s.Ready))
	s.get("/static/:hash/*name", s.handle(s.assets.serve))
	s.post(webhookRoute, s.receiveCallback)

	// Everybody
	s.get("/", s.public(s.landing))
	s.get("/receipts", s.public(s.showReceipts))
	s.post("/receipts", s.public(s.checkReceipt))

	// Signing up and in. The forms answer signed-in people too, and end the session of before.
	s.get("/login", s.signedOut(s.showSignIn))
	s.post("/login", s.public(s.signIn))
	s.post("/logout", s.handle(s.signOut))
	s.get("/login/code", s.signedOut(s.showCode))
	s.post("/login/code", s.public(s.signInByCode))
	s.post("/login/code/passkey", s.public(s.askSecondPasskey))
	s.post("/login/code/passkey/answer", s.public(s.signInBySecondPasskey))
	s.post("/login/passkey", s.public(s.askPasskey))
	s.post("/login/passkey/answer", s.public(s.signInByPasskey))
	s.get("/signup", s.signedOut(s.showSignUp))
	s.post("/signup", s.public(s.signUp))
	s.get("/forgot", s.public(s.showForgot))
	s.post("/forgot", s.public(s.forgot))

	// From a mail: GET shows, POST does, because mail scanners follow links
	s.get("/signup/:token", s.public(s.showSignUpFinish))
	s.post("/signup/:token", s.public(s.finishSignUp))
	s.get("/reset/:token", s.public(s.showReset))
	s.post("/reset/:token", s.public(s.reset))
	s.get("/invitations/:token", s.public(s.showInvitation))
	s.post("/invitations/:token", s.public(s.acceptInvitation))
	s.post("/invitations/:token/ask", s.public(s.askForLink))

	// One's own account
	s.get("/settings", s.person(s.showSettings))
	s.post("/settings/language", s.person(s.changeLanguage))
	s.post("/settings/zone", s.person(s.changeZone))
	s.post("/settings/password", s.person(s.changePassword))
	s.post("/settings/sessions/:id/end", s.person(s.endSession))
	s.post("/settings/sessions/end-others", s.person(s.endOtherSessions))

	// Where one works
	s.get("/tenants", s.person(s.showWorkplaces))
	s.post("/tenants/:id/switch", s.person(s.switchTenant))

	s.routeProofs()
	s.routeMerchants()
	s.routeTeam()
	s.routeStaff()
	return nil
}

// routeProofs is how a person proves once more who they are.
func (s *Server) routeProofs() {
	s.get("/prove", s.person(s.showProve))
	s.post("/prove", s.person(s.prove))
	s.post("/prove/passkey", s.person(s.askPasskeyProof))
	s.post("/prove/passkey/answer", s.person(s.proveByPasskey))
	s.get("/settings/factors", s.person(s.showFactors))
	s.get("/settings/factors/totp", s.person(s.showTOTP))
	s.post("/settings/factors/totp", s.person(s.beginTOTP))
	s.post("/settings/factors/totp/confirm", s.person(s.addTOTP))
	s.post("/settings/factors/passkey", s.person(s.askNewPasskey))
	s.post("/settings/factors/passkey/answer", s.person(s.addPasskey))
	s.post("/settings/factors/recovery", s.person(s.renewRecovery))
	s.get("/settings/factors/:id/remove", s.person(s.askRemoveFactor))
	s.post("/settings/factors/:id/remove", s.person(s.removeFactor))
}

func (s *Server) routeMerchants() {
	// Those who look
	s.get("/overview", s.merchant(s.showOverview))
	s.get("/connections", s.merchant(s.showConnections))
	s.get("/connections/:id", s.merchant(s.showConnection))
	s.get("/connections/:id/events", s.merchant(s.streamConnection))
	s.get("/connections/:id/history", s.merchant(s.showChanges))
	s.get("/connections/:id/report", s.merchant(s.showReport))
	s.get("/connections/:id/balances", s.merchant(s.showBalances))
	s.get("/attempts/:id", s.merchant(s.showAttempt))
	s.get("/attempts/:id/events", s.merchant(s.streamAttempt))
	s.get("/connect/:provider", s.merchant(s.askConnect))
	s.get("/activity", s.merchant(s.showActivity))
	s.get("/expiring", s.merchant(s.showExpiring))
	s.get("/notices", s.merchant(s.showNotices))
	s.post("/notices/read", s.merchant(s.readNotices))
	s.post("/notices/:id/read", s.merchant(s.readNotice))
	s.post("/settings/notices", s.merchant(s.chooseNotices))

	// Leaving
	s.get("/settings/export", s.owner(s.askExport))
	s.post("/settings/export", s.owner(s.exportTenant))
	s.get("/settings/close", s.owner(s.askClose))
	s.post("/settings/close", s.owner(s.closeTenant))
	s.get("/closed", s.member(s.showClosed))
	s.get("/closed/receipt", s.member(s.downloadReceipt))
	s.post("/closed/undo", s.member(s.reopenTenant))

	// Those who may change connections
	s.post("/connect/:provider", s.operator(s.beginConnect))
	s.get("/oauth/:provider/callback", s.operator(s.finishConnect))
	s.post("/attempts/:id/confirm", s.operator(s.confirmAttempt))
	s.post("/attempts/:id/cancel", s.operator(s.cancelAttempt))
	s.post("/connections/:id/sync", s.operator(s.syncNow))
	s.post("/connections/:id/pause", s.operator(s.pauseSync))
	s.post("/connections/:id/resume", s.operator(s.resumeSync))
	s.get("/connections/:id/reconnect", s.operator(s.askReconnect))
	s.post("/connections/:id/reconnect", s.operator(s.reconnect))
	s.post("/connections/:id/callback/renew", s.operator(s.renewAddress))
	s.post("/connections/:id/callback/end", s.operator(s.endAddress))
	s.post("/connections/:id/label", s.operator(s.label))
	s.get("/connections/:id/reveal/:block", s.operator(s.askReveal))
	s.post("/connections/:id/reveal/:block", s.operator(s.reveal))
	s.get("/connections/:id/answer/:block", s.operator(s.askAnswer))
	s.post("/connections/:id/answer/:block", s.operator(s.answer))
	s.get("/connections/:id/disconnect", s.operator(s.askDisconnect))
	s.post("/connections/:id/disconnect", s.operator(s.disconnect))
	s.get("/connections/:id/erase", s.operator(s.askErase))
	s.post("/connections/:id/erase", s.operator(s.erase))
	s.post("/connections/:id/keep", s.operator(s.keep))
	s.post("/review/done", s.operator(s.resubmitReview))
}

// routeTeam is who works with whom.
func (s *Server) routeTeam() {
	s.get("/team", s.merchant(s.showTeam))
	s.get("/team/invite", s.owner(s.askInvite))
	s.post("/team/invite", s.owner(s.invite))
	s.get("/team/:id", s.merchant(s.showColleague))
	s.post("/team/:id/role", s.owner(s.changeRole))
	s.post("/team/:id/remove", s.owner(s.removeColleague))
	s.post("/team/leave", s.merchant(s.leaveTeam))
	s.post("/team/invitations/:id/send", s.operator(s.sendAgain))
	s.post("/team/invitations/:id/revoke", s.operator(s.revokeInvitation))
	s.get("/connect/:provider/send", s.operator(s.askSend))
	s.post("/connect/:provider/send", s.operator(s.sendStep))
}

// routeStaff is what the platform's staff may open.
func (s *Server) routeStaff() {
	s.get("/admin", s.admin(s.showWork))
	s.get("/admin/connections", s.admin(s.listLinks))
	s.get("/admin/tenants", s.admin(s.listTenants))
	s.get("/admin/tenants/:id", s.admin(s.showTenant))
	s.get("/admin/tenants/:id/review", s.admin(s.askReview))
	s.post("/admin/tenants/:id/review", s.admin(s.review))
	s.post("/admin/tenants/:id/assign", s.admin(s.assignReview))
	s.post("/admin/tenants/:id/notes", s.admin(s.noteReview))
	s.get("/admin/tenants/:id/reveal/:connection/:block", s.admin(s.askRevealOf))
	s.post("/admin/tenants/:id/reveal/:connection/:block", s.admin(s.revealOf))
	s.get("/admin/tenants/:id/view", s.admin(s.askView))
	s.post("/admin/tenants/:id/view", s.admin(s.beginView))
	s.post("/admin/view/end", s.admin(s.endView))
	s.get("/admin/webhooks", s.admin(s.showInbox))
	s.get("/admin/webhooks/:id", s.admin(s.showCallback))
	s.post("/admin/webhooks/:id/replay", s.admin(s.replayCallback))
	s.post("/admin/webhooks/:id/discard", s.admin(s.discardCallback))
	s.get("/admin/mail", s.admin(s.showMail))
	s.get("/admin/mails", s.admin(s.showMails))
	s.get("/admin/jobs", s.admin(s.showJobs))
	s.get("/admin/jobs/:id", s.admin(s.showJob))
	s.post("/admin/jobs/:id/retry", s.admin(s.retryJob))
	s.post("/admin/jobs/:id/cancel", s.admin(s.cancelJob))
	s.post("/settings/digest", s.person(s.chooseDigest))
	s.get("/settings/filters", s.person(s.showFilters))
	s.post("/settings/filters", s.person(s.saveFilter))
	s.post("/settings/filters/:id/remove", s.person(s.removeFilter))
	s.get("/admin/expiring", s.admin(s.showExpiryBoard))
	s.post("/admin/tenants/:id/remind/:connection", s.admin(s.remind))
	s.get("/admin/audit", s.admin(s.showAudit))
	s.get("/admin/keys", s.admin(s.showKeys))
	s.post("/admin/audit/verify", s.admin(s.verifyAudit))
	s.routeApprovals()

	// The providers
	s.get("/admin/providers", s.admin(s.listProviders))
	s.get("/admin/providers/:slug", s.admin(s.showProvider))
	s.post("/admin/providers/:slug/pause", s.admin(s.changeProvider("provider.paused_flash", s.pauseProvider)))
	s.post("/admin/providers/:slug/resume", s.admin(s.changeProvider("provider.resumed_flash", s.resumeProvider)))
	s.post("/admin/providers/:slug/test", s.admin(s.changeProvider("provider.tested_flash", s.testProvider)))
	s.post("/admin/providers/:slug/codes", s.admin(s.changeProvider("provider.acknowledged_flash", s.acknowledgeCode)))
	s.post("/admin/providers/:slug/drift", s.admin(s.changeProvider("provider.accepted_flash", s.acknowledgeDrift)))

	// Outgoing webhooks
	s.get("/admin/endpoints", s.admin(s.listEndpoints))
	s.post("/admin/endpoints", s.admin(s.createEndpoint))
	s.get("/admin/endpoints/new", s.admin(s.askEndpoint))
	s.get("/admin/endpoints/:id", s.admin(s.showEndpoint))
	s.get("/admin/endpoints/:id/edit", s.admin(s.editEndpoint))
	s.post("/admin/endpoints/:id/edit", s.admin(s.changeEndpoint))
	s.post("/admin/endpoints/:id/test", s.admin(s.testEndpoint))
	s.get("/admin/endpoints/:id/rotate", s.admin(s.askEndpointAct("rotate")))
	s.post("/admin/endpoints/:id/rotate", s.admin(s.rotateEndpoint))
	s.post("/admin/endpoints/:id/end-old", s.admin(s.endpointAct("outgoing.secret_ended", (*models.PlatformStore).EndOldSecret)))
	s.post("/admin/endpoints/:id/enable", s.admin(s.endpointAct("outgoing.enabled", (*models.PlatformStore).EnableEndpoint)))
	s.get("/admin/endpoints/:id/disable", s.admin(s.askEndpointAct("disable")))
	s.post("/admin/endpoints/:id/disable", s.admin(s.endpointAct("outgoing.disabled", (*models.PlatformStore).DisableEndpoint)))
	s.get("/admin/endpoints/:id/delete", s.admin(s.askEndpointAct("delete")))
	s.post("/admin/endpoints/:id/delete", s.admin(s.deleteEndpoint))
	s.post("/admin/endpoints/:id/replay", s.admin(s.replayEndpoint))
	s.post("/admin/endpoints/:id/deliveries/:delivery/replay", s.admin(s.replayEndpoint))
}

// routeApprovals is what wants a second member of the staff. The act stands in the address, because it says whose part it is.
func (s *Server) routeApprovals() {
	s.get("/admin/approvals", s.admin(s.listApprovals))
	s.get("/admin/approvals/:id", s.admin(s.showApproval))
	s.post("/admin/approvals/:id/review", s.admin(s.reviewAlone))
	for _, act := range models.Acts() {
		path := "/admin/approvals/" + string(act)
		s.get(path, s.admin(s.askAct(act)))
		s.post(path, s.admin(s.propose(act)))
		s.post(path+"/:id/approve", s.admin(s.decide(act, true)))
		s.post(path+"/:id/decline", s.admin(s.decide(act, false)))
		s.post(path+"/:id/cancel", s.admin(s.cancelAct(act)))
	}
	s.post("/admin/approvals/export/:id/take", s.admin(s.takeExport))
	s.post("/admin/approvals/reveal/:id/look", s.admin(s.lookAtAll))
}

// get answers GET, and HEAD with the same head.
func (s *Server) get(path string, h gin.HandlerFunc) {
	s.engine.GET(path, h)
	s.engine.HEAD(path, h)
}

// post answers POST.
func (s *Server) post(path string, h gin.HandlerFunc) { s.engine.Handle(http.MethodPost, path, h) }
