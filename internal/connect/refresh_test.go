package connect_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

// strict is a provider's memory of one account's tokens: each refresh token works once, and one that comes again ends
// them all.
type strict struct {
	mu      sync.Mutex
	newest  string
	uses    map[string]int // of each refresh token
	calls   int
	dead    bool
	answers []error       // given instead, in turn, before anything is done
	entered chan struct{} // told of each call
	hold    chan struct{} // nil: nobody waits
	after   bool          // hold after the tokens were changed
}

func (s *strict) refresh(f *oauthtest.Fake) func(context.Context, oauth.Credential) (oauth.Credential, error) {
	return func(ctx context.Context, old oauth.Credential) (oauth.Credential, error) {
		s.mu.Lock()
		s.calls++
		hold, after := s.hold, s.after
		s.mu.Unlock()
		select {
		case s.entered <- struct{}{}:
		default:
		}
		wait := func() {
			if hold != nil {
				<-hold
			}
		}
		if !after {
			wait()
		}
		fresh, err := s.rotate(f, old)
		if after {
			wait()
		}
		return fresh, err
	}
}

func (s *strict) rotate(f *oauthtest.Fake, old oauth.Credential) (oauth.Credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.answers) > 0 {
		err := s.answers[0]
		s.answers = s.answers[1:]
		return oauth.Credential{}, err
	}
	token := old.RefreshToken.Reveal()
	s.uses[token]++
	if s.uses[token] > 1 || s.newest != "" && token != s.newest || s.dead {
		s.dead = true
		return oauth.Credential{}, &oauth.Error{Provider: "fake", Kind: oauth.NeedsReauth, Code: "60001"}
	}
	fresh := f.Credential(old.Extra["account"].Reveal())
	s.newest = fresh.RefreshToken.Reveal()
	return fresh, nil
}

func (s *strict) set(change func(s *strict)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *strict) count() (calls, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.uses {
		most = max(most, n)
	}
	return s.calls, most
}

// renewing is a harness whose provider gives tokens of a minute and renews them strictly.
func renewing(t *testing.T) (*harness, *strict) {
	t.Helper()
	fake := &oauthtest.Fake{Lifetime: time.Minute}
	h := newHarness(t, fake, oauthtest.RenewingFake{Fake: fake})
	s := &strict{uses: map[string]int{}, entered: make(chan struct{}, 10)}
	fake.Now, fake.OnRefresh = h.clock.now, s.refresh(fake)
	return h, s
}

// use reads with the connection's credential on a replica and gives the tokens it was given.
func (m *merchant) use(replica *connect.Service, id uuid.UUID) (access string, err error) {
	err = replica.Use(m.h.t.Context(), m.h.store.ForTenant(m.tenant, models.Actor{Kind: models.System}), id,
		func(_ context.Context, cred oauth.Credential) error {
			access = cred.AccessToken.Reveal()
			return nil
		})
	return access, err
}

func TestRefresh_AHundredReadersOnThreeReplicasMakeOneCall(t *testing.T) {
	t.Parallel()
	h, provider := renewing(t)
	m := h.newMerchant()
	c := m.connected("12345")
	replicas := []*connect.Service{h.service, h.replica(), h.replica()}
	h.clock.forward(2 * time.Minute) // the token is over: nobody can go on without a new one
	provider.set(func(s *strict) { s.hold = make(chan struct{}) })
	tokens := make([]string, 100)
	var wg sync.WaitGroup
	for i := range tokens {
		wg.Go(func() {
			got, err := m.use(replicas[i%3], c.ID)
			if err != nil {
				t.Errorf("reader %d: %v", i, err)
			}
			tokens[i] = got
		})
	}
	<-provider.entered
	close(provider.hold)
	wg.Wait()
	slices.Sort(tokens)
	if different := slices.Compact(tokens); len(different) != 1 {
		t.Errorf("the readers were given %d tokens", len(different))
	}
	if calls, _ := provider.count(); calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
}

func TestRefresh_TheFiftiethInARowStillUsesTheNewestToken(t *testing.T) {
	t.Parallel()
	h, provider := renewing(t)
	m := h.newMerchant()
	c := m.connected("12345")
	replicas := []*connect.Service{h.replica(), h.replica(), h.replica()}
	for n := range 50 {
		h.clock.forward(50 * time.Second)
		if n%10 == 9 {
			replicas[n%3] = h.replica() // restarted
		}
		if _, err := m.use(replicas[n%3], c.ID); err != nil {
			t.Fatalf("refresh %d: %v", n+1, err)
		}
	}
	if calls, most := provider.count(); calls != 50 || most != 1 {
		t.Errorf("%d calls, one token used %d times; want 50 and 1", calls, most)
	}
	if got := m.connection(c.ID); got.CredentialVersion != 51 || got.State != models.Connected {
		t.Errorf("v%d %s", got.CredentialVersion, got.State)
	}
	if kinds := m.eventKinds(); slices.ContainsFunc(kinds, func(k string) bool { return k == "connection.refresh_recovered" }) {
		t.Errorf("a routine refresh is in the history: %v", kinds)
	}
}

func TestRefresh_WhoWaitsIsWokenOverReplicas(t *testing.T) {
	t.Parallel()
	h, provider := renewing(t)
	m := h.newMerchant()
	c := m.connected("12345")
	other := h.replica()
	h.clock.forward(2 * time.Minute)
	provider.set(func(s *strict) { s.hold = make(chan struct{}) })
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = m.use(h.service, c.ID) })
	<-provider.entered
	wg.Go(func() {
		if _, err := m.use(other, c.ID); err != nil {
			t.Error(err)
		}
	})
	close(provider.hold)
	began := time.Now()
	wg.Wait()
	if took := time.Since(began); took > 3*time.Second { // less than who was not woken would wait
		t.Errorf("the waiting reader went on after %v", took)
	}
}

func TestRefresh_OnlyADefiniteAnswerEndsAnything(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer error
		dead   bool
	}{
		"invalid_grant": {&oauth.Error{Provider: "fake", Kind: oauth.NeedsReauth, Code: "60001"}, true},
		"500":           {&oauth.Error{Provider: "fake", Kind: oauth.Upstream}, false},
		"a timeout":     {&oauth.Error{Provider: "fake", Kind: oauth.Ambiguous}, false},
		"HTML":          {&oauth.Error{Provider: "fake", Kind: oauth.BadResponse}, false},
		"200 and 10005": {&oauth.Error{Provider: "fake", Kind: oauth.RateLimited, Code: "10005"}, false},
		"our own keys":  {&oauth.Error{Provider: "fake", Kind: oauth.AuthConfig, Code: "50001"}, false},
		"broken off":    {errors.New("connection reset"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, provider := renewing(t)
			m := h.newMerchant()
			c := m.connected("12345")
			before, err := m.use(h.service, c.ID)
			must(t, err)
			provider.set(func(s *strict) { s.answers = []error{tc.answer} })
			h.clock.forward(55 * time.Second) // near the end, and still good
			if got, err := m.use(h.service, c.ID); err != nil && !tc.dead || err == nil && got != before {
				t.Errorf("the token that is still good was not used: %v", err)
			}
			if got := m.connection(c.ID); (got.State == models.NeedsYou) != tc.dead {
				t.Errorf("the connection is %s (%s)", got.State, got.Reason)
			}
			h.clock.forward(time.Minute)
			after, err := m.use(h.service, c.ID)
			calls, _ := provider.count()
			switch {
			case tc.dead && (oauth.KindOf(err) != oauth.NeedsReauth || calls != 1):
				t.Errorf("after a definite answer: %v, %d calls", err, calls)
			case !tc.dead && (err != nil || after == before || calls != 2):
				t.Errorf("the next try did not mend it: %v, %d calls", err, calls)
			}
			want := "connection.refresh_recovered"
			if tc.dead {
				want = "connection.needs_you"
			}
			if kinds := m.eventKinds(); !slices.Contains(kinds, want) {
				t.Errorf("the history is %v, want %s in it", kinds, want)
			}
		})
	}
}

// An outage that outlasts the token fails the readings, and only them: each next one tries again.
func TestRefresh_AnOutageBlocksNoNextTry(t *testing.T) {
	t.Parallel()
	h, provider := renewing(t)
	m := h.newMerchant()
	c := m.connected("12345")
	h.clock.forward(2 * time.Minute)
	h.fake.Set(func(f *oauthtest.Fake) {
		f.OnMerchant = func(_ context.Context, cred oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
			return oauth.Reading[oauth.Merchant]{}, &oauth.Error{Provider: "fake", Kind: oauth.AuthExpired}
		}
	})
	down := &oauth.Error{Provider: "fake", Kind: oauth.Upstream}
	provider.set(func(s *strict) { s.answers = []error{down, down, down} })
	for range 3 {
		must(t, m.sync(c.ID))
		if got := m.connection(c.ID); got.State != models.Provider {
			t.Fatalf("an outage of the token call left %s (%s)", got.State, got.Reason)
		}
	}
	h.fake.Set(func(f *oauthtest.Fake) { f.OnMerchant = nil })
	must(t, m.sync(c.ID))
	if got := m.connection(c.ID); got.State != models.Connected {
		t.Errorf("after the outage: %s (%s)", got.State, got.Reason)
	}
}

func TestRefresh_ARefusedReadForcesOneRefreshAndOneRepeat(t *testing.T) {
	t.Parallel()
	h, provider := renewing(t)
	m := h.newMerchant()
	c := m.connected("12345")
	old, err := m.use(h.service, c.ID)
	must(t, err)
	for _, forever := range []bool{false, true} {
		reads := 0
		err := h.service.Use(t.Context(), m.again(), c.ID, func(_ context.Context, cred oauth.Credential) error {
			reads++
			if forever || cred.AccessToken.Reveal() == old {
				return &oauth.Error{Provider: "fake", Kind: oauth.AuthExpired}
			}
			return nil
		})
		calls, _ := provider.count()
		if want := map[bool]int{false: 1, true: 2}[forever]; calls != want || reads != 2 || (err != nil) != forever {
			t.Errorf("refused forever %v: %d reads, %d refreshes in all, %v", forever, reads, calls, err)
		}
	}
}

func TestRefresh_AnOmittedRefreshTokenKeepsTheOldOne(t *testing.T) {
	t.Parallel()
	h, _ := renewing(t)
	var brought []string
	h.fake.Set(func(f *oauthtest.Fake) {
		f.OnRefresh = func(_ context.Context, old oauth.Credential) (oauth.Credential, error) {
			brought = append(brought, old.RefreshToken.Reveal())
			fresh := f.Credential("12345")
			fresh.RefreshToken, fresh.Extra = secret.String{}, nil
			return fresh, nil
		}
	})
	m := h.newMerchant()
	c := m.connected("12345")
	for range 3 {
		h.clock.forward(time.Minute)
		must(t, m.sync(c.ID))
	}
	if len(brought) != 3 || brought[0] == "" || brought[1] != brought[0] || brought[2] != brought[0] {
		t.Errorf("the refresh token did not last: %d calls", len(brought))
	}
}

// The provider may not have meant the pair that it gave; what came before is kept until the new one has opened something.
func TestRefresh_TheOldPairIsKeptUntilTheNewOneHasWorked(t *testing.T) {
	t.Parallel()
	h, _ := renewing(t)
	m := h.newMerchant()
	c := m.connected("12345")
	var brought []string
	h.fake.Set(func(f *oauthtest.Fake) {
		f.OnRefresh = func(_ context.Context, old oauth.Credential) (oauth.Credential, error) {
			brought = append(brought, old.RefreshToken.Reveal())
			if len(brought) == 2 { // the pair of the first answer is refused
				return oauth.Credential{}, &oauth.Error{Provider: "fake", Kind: oauth.NeedsReauth}
			}
			return f.Credential("12345"), nil
		}
	})
	never := func(context.Context, oauth.Credential) error {
		return &oauth.Error{Provider: "fake", Kind: oauth.AuthExpired}
	}
	if err := h.service.Use(t.Context(), m.again(), c.ID, never); oauth.KindOf(err) != oauth.AuthExpired {
		t.Fatal(err)
	}
	if n := h.count(`SELECT count(*) FROM credentials WHERE previous_sealed IS NOT NULL`); n != 1 {
		t.Fatal("the old pair was let go before the new one worked")
	}
	if _, err := m.use(h.service, c.ID); err != nil {
		t.Fatal(err)
	}
	if n := h.count(`SELECT count(*) FROM credentials WHERE previous_sealed IS NOT NULL`); n != 0 {
		t.Error("the old pair is kept although the new one worked")
	}

	brought = nil
	_ = h.service.Use(t.Context(), m.again(), c.ID, never) // a new pair that never works
	h.clock.forward(time.Minute)
	if _, err := m.use(h.service, c.ID); err != nil {
		t.Fatalf("the pair before was not tried: %v", err)
	}
	if len(brought) != 3 || brought[2] != brought[0] {
		t.Errorf("brought %d refresh tokens", len(brought))
	}
	if got := m.connection(c.ID); got.State != models.Connected {
		t.Errorf("the connection is %s", got.State)
	}
}

// notFound is what a reader is told whose connection was ended meanwhile.
func notFound(err error) bool { return errs.CodeOf(err) == errs.NotFound }
