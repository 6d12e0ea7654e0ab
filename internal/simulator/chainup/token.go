package chainup

import "mooring/internal/simulator/bench"

// token handles "POST /platformapi/chainup/open/auth/token".
func (s *Simulator) token(c *bench.Call, app application, p []byte) (any, refusal) {
	var in struct {
		Code string `json:"code"`
	}
	if decodeStrictly(p, &in) != nil || in.Code == "" {
		return nil, refusal{"wrong_parameter", 10020}
	}
	c.Code(in.Code)
	s.mu.Lock()
	defer s.mu.Unlock()
	g, no := s.redeem(c, app, in.Code)
	if no.refused() {
		return nil, no
	}
	c.Account(g.UID)
	openID := openIDOf(app.ID, g.UID)
	s.state.OpenIDs[openID] = holder{app.ID, g.UID}
	made, err := s.issue(c, app, openID, g.Family)
	if err != nil {
		return nil, refusal{"state_not_saved", 10001}
	}
	c.Outcome(bench.OutcomeIssued)
	return made, refusal{}
}

// refreshToken handles "POST /platformapi/chainup/open/auth/refreshToken". Each refresh token works once; one that comes
// a second time was stolen or lost, and nobody can tell which, so the whole family ends with it.
func (s *Simulator) refreshToken(c *bench.Call, app application, p []byte) (any, refusal) {
	var in struct {
		RefreshToken string `json:"refreshToken"`
		Token        string `json:"token"`
		OpenID       string `json:"openId"`
	}
	if decodeStrictly(p, &in) != nil || in.RefreshToken == "" || in.Token == "" || in.OpenID == "" {
		return nil, refusal{"wrong_parameter", 10020}
	}
	c.Code(in.RefreshToken)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Account(s.state.OpenIDs[in.OpenID].UID)
	old, no := s.spendable(c, app, bench.Fingerprint(in.RefreshToken), bench.Fingerprint(in.Token), in.OpenID)
	if no.refused() {
		return nil, no
	}
	old.Spent = true
	openID, family := old.OpenID, old.Family
	made, err := s.issue(c, app, openID, family)
	if err != nil {
		return nil, refusal{"state_not_saved", 10001}
	}
	if _, on := c.Fault(faultOtherOpenID); on {
		made.OpenID = openIDOf(app.ID, "somebody else")
	}
	c.Outcome("refreshed")
	return made, refusal{}
}

// spendable finds the pair that all three values name. The caller holds the lock.
func (s *Simulator) spendable(c *bench.Call, app application, refreshHash, accessHash, openID string) (*token, refusal) {
	if _, on := c.Fault(faultRefreshDead); on {
		return nil, refusal{"fault_" + faultRefreshDead, 60001}
	}
	for i := range s.state.Tokens {
		t := &s.state.Tokens[i]
		if t.RefreshHash != refreshHash || t.AppID != app.ID {
			continue
		}
		switch {
		case t.Spent:
			s.kill(t.Family)
			if s.store.Save(s.state) != nil {
				return nil, refusal{"state_not_saved", 10001}
			}
			return nil, refusal{"refresh_token_reused", 60001}
		case t.Dead:
			return nil, refusal{"refresh_token_dead", 60001}
		case t.RefreshExpires.Before(s.Clock.Now()):
			return nil, refusal{"refresh_token_expired", 60001}
		case t.OpenID != openID:
			return nil, refusal{"open_id_differs", 60004}
		case t.AccessHash != accessHash:
			return nil, refusal{"token_differs", 60002}
		}
		return t, refusal{}
	}
	return nil, refusal{"refresh_token_unknown", 60001}
}
