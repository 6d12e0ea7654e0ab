package cardwallet

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/secret"
)

const (
	documentedLife = 60 * time.Second // the sample's; where the answer names none, or none that can be
	longestUse     = time.Hour        // of one token, whatever it says of itself
	spareLife      = 10 * time.Second // before the end of a token that it is used no more
)

// client is a merchant's pair of values.
type client struct {
	id     string
	secret secret.String
}

// unusable names the field whose value cannot be sent at all, "" if both can.
func (c client) unusable() string {
	switch {
	case !outbound.Visible(c.id, 128):
		return idField
	case !outbound.Visible(c.secret.Reveal(), 512):
		return secretField
	}
	return ""
}

// key tells clients apart without holding their secrets; a changed secret is another client.
func (c client) key() [sha256.Size]byte {
	return sha256.Sum256([]byte(strconv.Itoa(len(c.id)) + ":" + c.id + c.secret.Reveal()))
}

// token is what a token call gave.
type token struct {
	access secret.String
	scope  string
	until  time.Time // to be used before
}

// token gives one that a read can be made with: the one at hand, or a new one. refused is a token that the provider has
// just turned away, and is not given again. Sharing tokens over replicas would begin here.
func (p *Provider) token(ctx context.Context, c client, refused secret.String) (secret.String, error) {
	if t, ok := p.tokens.held(c, p.now()); ok && t.access != refused {
		return t.access, nil
	}
	t, err := p.tokens.shared(ctx, c, refused, p.now, p.fetchToken)
	return t.access, err
}

// fetchToken makes the token call. It changes nothing at the provider, so an answer that is missing is no riddle.
func (p *Provider) fetchToken(ctx context.Context, c client) (token, error) {
	params := url.Values{"grant_type": {"client_credentials"}, idField: {c.id}, secretField: {c.secret.Reveal()}}
	address, body := p.baseURL+p.tokenPath, ""
	if p.inForm {
		body = params.Encode()
	} else {
		address += "?" + params.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return token{}, p.refusal(oauth.AuthConfig, "", errAddress) // the original quotes the address, and the secret in it
	}
	req.Header.Set("Accept", "application/json")
	if p.inForm {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	asked := p.now()
	answer, err := p.caller.Call(ctx, req)
	if err != nil {
		return token{}, oauth.UnansweredRead(slug, err)
	}
	r, understood := parse(answer.Body)
	if !r.accepted() {
		return token{}, p.tokenRefused(answer, r, understood)
	}
	w, err := r.token()
	if err != nil || !outbound.Visible(w.AccessToken, 8<<10) {
		return token{}, p.refusal(oauth.BadResponse, "", errNoToken)
	}
	return token{access: secret.New(w.AccessToken), scope: string(w.Scope), until: asked.Add(p.use(string(w.ExpiresIn)))}, nil
}

// use says for how long a token of a given life is used: four fifths, and no nearer to its end than ten seconds. Of a
// life too short for that, half: every read would get a token of its own otherwise. Too early does no harm.
func (p *Provider) use(expiresIn string) time.Duration {
	n, err := strconv.ParseFloat(expiresIn, 64)
	life := documentedLife
	if err == nil && n > 0 {
		life = time.Duration(min(n*p.unit.Seconds(), (2*longestUse).Seconds()) * float64(time.Second))
	}
	return min(max(min(life*4/5, life-spareLife), life/2), longestUse)
}

// tokens are those in use, by client. The zero value is ready.
type tokens struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]*seat
}

// seat is a client's place: one token call at a time, and the newest token.
type seat struct {
	turn  chan struct{} // holds one; who has it may call
	tries int           // calls that have ended
	users int           // who calls or waits for it
	token token
	err   error // of the last call
}

// held gives the token at hand, if it is still to be used.
func (ts *tokens) held(c client, now time.Time) (token, bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	s, ok := ts.all[c.key()]
	if !ok || !now.Before(s.token.until) {
		return token{}, false
	}
	return s.token, true
}

type fetcher func(context.Context, client) (token, error)

// fetch gets a new token and keeps it.
func (ts *tokens) fetch(ctx context.Context, c client, get fetcher) (token, error) {
	t, err := get(ctx, c)
	ts.mu.Lock()
	defer ts.mu.Unlock()
	s := ts.seat(c)
	if s.err = err; err == nil {
		s.token = t
	}
	if ctx.Err() == nil {
		s.tries++ // who gave up has learned nothing for the others
	}
	return t, err
}

// shared lets one caller fetch while the others wait, each as long as its own context allows. What the one has learned,
// token or refusal, holds for those who waited for it.
func (ts *tokens) shared(ctx context.Context, c client, refused secret.String, now func() time.Time, get fetcher) (token, error) {
	ts.mu.Lock()
	ts.sweep(now())
	s := ts.seat(c)
	before := s.tries
	s.users++
	ts.mu.Unlock()
	defer ts.leave(s)
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return token{}, oauth.UnansweredRead(slug, ctx.Err())
	}
	defer func() { <-s.turn }()
	ts.mu.Lock()
	t, err, news := s.token, s.err, s.tries > before
	ts.mu.Unlock()
	switch {
	case news && err != nil:
		return token{}, err
	case t.access != refused && now().Before(t.until):
		return t, nil
	}
	return ts.fetch(ctx, c, get)
}

func (ts *tokens) leave(s *seat) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	s.users--
}

// seat finds or makes a client's place. The caller holds mu.
func (ts *tokens) seat(c client) *seat {
	key := c.key()
	if ts.all == nil {
		ts.all = map[[sha256.Size]byte]*seat{}
	}
	if ts.all[key] == nil {
		ts.all[key] = &seat{turn: make(chan struct{}, 1)}
	}
	return ts.all[key]
}

// sweep forgets tokens that are over and for which nobody waits. The caller holds mu.
func (ts *tokens) sweep(now time.Time) {
	for key, s := range ts.all {
		if s.users == 0 && !now.Before(s.token.until) {
			delete(ts.all, key)
		}
	}
}
