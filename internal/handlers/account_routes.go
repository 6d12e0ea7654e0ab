package handlers

// routePeople is the addresses of accounts: routes.go calls it.
func (s *Server) routePeople() {
	// Pages nobody needs while signed in; the forms work all the same and end the session of before.
	s.get("/login", s.signedOut(s.showSignIn))
	s.post("/login", s.public(s.signIn))
	s.get("/signup", s.signedOut(s.showSignUp))
	s.post("/signup", s.public(s.signUp))
	s.get("/forgot", s.public(s.showForgot))
	s.post("/forgot", s.public(s.forgot))

	// From a mail
	s.get("/signup/:token", s.public(s.showSignUpFinish))
	s.post("/signup/:token", s.public(s.finishSignUp))
	s.get("/reset/:token", s.public(s.showReset))
	s.post("/reset/:token", s.public(s.reset))

	// One's own account
	s.post("/logout", s.handle(s.signOut))
	s.get("/settings", s.person(s.showSettings))
	s.post("/settings/language", s.person(s.changeLanguage))
	s.post("/settings/password", s.person(s.changePassword))
	s.post("/settings/sessions/:id/end", s.person(s.endSession))
	s.post("/settings/sessions/end-others", s.person(s.endOtherSessions))
}
