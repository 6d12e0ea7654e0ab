package chainup

import (
	"slices"
	"strconv"
	"time"

	"mooring/internal/simulator/bench"
)

// Lifetimes of tokens. None is documented.
const (
	accessLife  = 2 * time.Hour
	refreshLife = 30 * 24 * time.Hour
	keptTokens  = 5000
)

// grant is what a code stands for. A used code is remembered until it expires, to tell reuse from invention.
type grant struct {
	AppID, UID string
	Expires    time.Time
	Used       bool
	Family     string // of the tokens that it gave
}

// holder is whose openId it is. One user has another openId for every application.
type holder struct {
	AppID string `json:"app_id"`
	UID   string `json:"uid"`
}

// token is an issued pair as it is kept. A family is all pairs that go back to one code.
type token struct {
	AccessHash     string    `json:"access_sha256"`
	RefreshHash    string    `json:"refresh_sha256"`
	Family         string    `json:"family"`
	AppID          string    `json:"app_id"`
	OpenID         string    `json:"open_id"`
	AccessExpires  time.Time `json:"access_expires"`
	RefreshExpires time.Time `json:"refresh_expires"`
	Spent          bool      `json:"spent,omitempty"` // its refresh token was used
	Dead           bool      `json:"dead,omitempty"`  // a spent one of its family was used again
}

// pair is the documented answer to both token calls.
type pair struct {
	OpenID   string `json:"openId"`
	ExpireIn any    `json:"expireIn"`
	Token    string `json:"token"`

	RefreshToken string `json:"refreshToken,omitempty"`
	Misspelt     string `json:"refersh_token,omitempty"` // older documents
	Underscored  string `json:"refresh_token,omitempty"`
}

// issueCode makes a code. The caller holds the lock.
func (s *Simulator) issueCode(appID, uid string) (string, *grant) {
	now := s.Clock.Now()
	for old, g := range s.codes {
		if g.Expires.Add(time.Hour).Before(now) {
			delete(s.codes, old)
		}
	}
	code := random()
	g := &grant{AppID: appID, UID: uid, Expires: now.Add(codeLife)}
	s.codes[code] = g
	return code, g
}

// redeem uses a code up. The caller holds the lock, so that of two that come at once one is refused. A code that is too
// old is answered like a used one; the documents have no code of its own for it.
func (s *Simulator) redeem(c *bench.Call, app application, code string) (*grant, refusal) {
	g, ok := s.codes[code]
	switch {
	case !ok || g.AppID != app.ID:
		return nil, refusal{"code_unknown", 10020}
	case g.Used:
		if _, on := c.Fault(faultReuseRevokes); on {
			s.kill(g.Family)
		}
		return nil, refusal{"code_reused", 60003}
	case g.Expires.Before(s.Clock.Now()):
		return nil, refusal{"code_expired", 60003}
	}
	g.Used, g.Family = true, random()
	return g, refusal{}
}

// kill ends every pair of a family. The caller holds the lock.
func (s *Simulator) kill(family string) {
	for i := range s.state.Tokens {
		if t := &s.state.Tokens[i]; family != "" && t.Family == family {
			t.Dead = true
		}
	}
}

// openIDOf is a user's id at one application: always the same, and no use to another one.
func openIDOf(appID, uid string) string { return bench.Fingerprint(appID + "\n" + uid)[:32] }

// issue makes a pair and keeps its fingerprints. The caller holds the lock.
func (s *Simulator) issue(c *bench.Call, app application, openID, family string) (pair, error) {
	now, life := s.Clock.Now(), accessLife
	if seconds, on := c.Fault(faultTokenLife); on {
		life = time.Duration(seconds) * time.Second
	}
	made := pair{OpenID: openID, Token: random(), ExpireIn: expireIn(c, now, life)}
	refresh := random()
	s.state.Tokens = append(s.state.Tokens, token{
		AccessHash: bench.Fingerprint(made.Token), RefreshHash: bench.Fingerprint(refresh), Family: family,
		AppID: app.ID, OpenID: openID, AccessExpires: now.Add(life), RefreshExpires: now.Add(refreshLife),
	})
	if len(s.state.Tokens) > keptTokens {
		s.state.Tokens = slices.Delete(s.state.Tokens, 0, keptTokens/10)
	}
	_, misspelt := c.Fault(variantMisspelt)
	_, underscored := c.Fault(variantUnderscored)
	switch {
	case misspelt:
		made.Misspelt = refresh
	case underscored:
		made.Underscored = refresh
	default:
		made.RefreshToken = refresh
	}
	return made, s.store.Save(s.state)
}

// alive says whether a token of the openId is: not over, not replaced, not revoked.
func (s *Simulator) alive(openID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Clock.Now()
	return slices.ContainsFunc(s.state.Tokens, func(t token) bool {
		return t.OpenID == openID && !t.Spent && !t.Dead && t.AccessExpires.After(now)
	})
}

// expireIn writes the end of a token: by default as the documents' sample does, an absolute second in a string.
func expireIn(c *bench.Call, now time.Time, life time.Duration) any {
	end := now.Add(life)
	text := strconv.FormatInt(end.Unix(), 10)
	if _, on := c.Fault(variantMillis); on {
		text = strconv.FormatInt(end.UnixMilli(), 10)
	}
	if _, on := c.Fault(variantDuration); on {
		text = strconv.Itoa(int(life / time.Second))
	}
	if _, on := c.Fault(variantNoExpiry); on {
		return ""
	}
	if _, on := c.Fault(variantExpiryNumber); on {
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil {
			return n
		}
	}
	return text
}
