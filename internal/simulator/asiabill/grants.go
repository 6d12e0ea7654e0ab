package asiabill

import (
	"slices"
	"time"

	"mooring/internal/simulator/bench"
)

// Lifetimes of tokens, when they have one at all.
const (
	accessLife  = 30 * 24 * time.Hour
	refreshLife = 180 * 24 * time.Hour
	keptTokens  = 5000
)

// grant is what a code stands for. A used code is remembered until it expires, to tell reuse from invention.
type grant struct {
	ClientID, RedirectURI, MerNo string
	Expires                      time.Time
	Used                         bool
}

// token is an issued pair as it is kept.
type token struct {
	AccessHash     string    `json:"access_sha256"`
	RefreshHash    string    `json:"refresh_sha256"`
	CodeHash       string    `json:"code_sha256,omitempty"`
	ClientID       string    `json:"client_id"`
	MerNo          string    `json:"mer_no"`
	Expires        time.Time `json:"expires,omitzero"` // zero: long-lived
	RefreshExpires time.Time `json:"refresh_expires"`
	Refreshed      bool      `json:"refreshed,omitempty"` // its refresh token is spent
}

// issueCode makes a code. The caller holds the lock.
func (s *Simulator) issueCode(v visit, merNo string) (string, *grant) {
	now := s.Clock.Now()
	for old, g := range s.codes {
		if g.Expires.Add(time.Hour).Before(now) {
			delete(s.codes, old)
		}
	}
	code := random()
	g := &grant{ClientID: v.ClientID, RedirectURI: v.RedirectURI, MerNo: merNo, Expires: now.Add(codeLife)}
	s.codes[code] = g
	return code, g
}

// redeem uses a code up. The caller holds the lock, so that of two that come at once one is refused.
func (s *Simulator) redeem(c *bench.Call, p params) (grant, refusal) {
	g, ok := s.codes[p.Code]
	switch {
	case !ok || g.ClientID != p.ClientID:
		return grant{}, invalidGrant("code_unknown", "授权码不存在 (unknown code)")
	case g.RedirectURI != p.RedirectURI:
		return grant{}, invalidGrant("redirect_uri_differs", "redirect_uri 与申请授权码时不一致 (redirect_uri differs)")
	case g.Used:
		if _, on := c.Fault(faultReuseRevokes); on {
			s.revokeByCode(p.Code)
		}
		return grant{}, invalidGrant("code_reused", "授权码已被使用 (code already used)")
	case g.Expires.Before(s.Clock.Now()):
		return grant{}, invalidGrant("code_expired", "授权码已过期 (code expired)")
	}
	g.Used = true
	c.Account(g.MerNo)
	return *g, refusal{}
}

func (s *Simulator) revokeByCode(code string) {
	hash := bench.Fingerprint(code)
	s.state.Tokens = slices.DeleteFunc(s.state.Tokens, func(t token) bool { return t.CodeHash == hash })
}

// issue makes a pair for a merchant and keeps its fingerprints. The caller holds the lock.
func (s *Simulator) issue(clientID, merNo, code string, longLived bool) (pair, error) {
	now := s.Clock.Now()
	made := pair{
		AccessToken: random(), RefreshToken: random(), TokenType: "Bearer",
		ExpiresIn: int(accessLife / time.Second), RefreshExpiresIn: int(refreshLife / time.Second),
	}
	kept := token{
		AccessHash: bench.Fingerprint(made.AccessToken), RefreshHash: bench.Fingerprint(made.RefreshToken),
		CodeHash: bench.Fingerprint(code), ClientID: clientID, MerNo: merNo,
		Expires: now.Add(accessLife), RefreshExpires: now.Add(refreshLife),
	}
	if longLived {
		made.ExpiresIn, kept.Expires = 0, time.Time{}
	}
	s.state.Tokens = append(s.state.Tokens, kept)
	if len(s.state.Tokens) > keptTokens {
		s.state.Tokens = slices.Delete(s.state.Tokens, 0, keptTokens/10)
	}
	return made, s.store.Save(s.state)
}

// refresh spends a refresh token. The access token of the old pair lives on to its own end. The caller holds the lock.
func (s *Simulator) refresh(c *bench.Call, p params) (token, refusal) {
	hash := bench.Fingerprint(p.RefreshToken)
	i := slices.IndexFunc(s.state.Tokens, func(t token) bool { return t.RefreshHash == hash })
	if i < 0 || s.state.Tokens[i].ClientID != p.ClientID {
		return token{}, invalidGrant("refresh_token_unknown", "refresh_token 不存在 (unknown refresh_token)")
	}
	old := &s.state.Tokens[i]
	if old.Refreshed {
		return token{}, invalidGrant("refresh_token_reused", "refresh_token 已被使用 (refresh_token already used)")
	}
	if old.RefreshExpires.Before(s.Clock.Now()) {
		return token{}, invalidGrant("refresh_token_expired", "refresh_token 已过期 (refresh_token expired)")
	}
	old.Refreshed = true
	c.Account(old.MerNo)
	return *old, refusal{}
}

// holder finds whose access token this is.
func (s *Simulator) holder(access string) (token, bool) {
	hash := bench.Fingerprint(access)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.state.Tokens, func(t token) bool { return t.AccessHash == hash })
	if i < 0 {
		return token{}, false
	}
	t := s.state.Tokens[i]
	return t, t.Expires.IsZero() || t.Expires.After(s.Clock.Now())
}
