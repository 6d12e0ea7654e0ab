package connect_test

import (
	"context"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
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

// signHeader is where the scripted provider's signature stands.
const signHeader = "X-Fake-Sign"

// pier is a harness whose provider makes links.
type pier struct {
	*harness
	linked *oauthtest.LinkFake
	m      *merchant
}

func newPier(t *testing.T) *pier {
	t.Helper()
	fake := &oauthtest.LinkFake{Fake: oauthtest.Fake{Slug: "linked"}, FormFields: oauthtest.RichFields()}
	p := &pier{harness: newHarness(t, &fake.Fake, fake), linked: fake}
	p.m = p.newMerchant()
	return p
}

func (p *pier) ask(m *merchant, reconnect *uuid.UUID) (models.Attempt, error) {
	return p.service.BeginLink(p.t.Context(), m.again(), connect.SubmitRequest{
		Provider: "linked", UserID: m.user, SessionID: m.session, Reconnect: reconnect,
		Values: oauth.Values{oauthtest.KeyFakeID: secret.New(" 42\n"), oauthtest.KeyFakeSecret: secret.New("line one\nline two")},
	})
}

// begin asks for a link and opens it, as the attempt's page does.
func (p *pier) begin(m *merchant) (models.Attempt, string) {
	p.t.Helper()
	a, err := p.ask(m, nil)
	must(p.t, err)
	if a.Status != models.Pending {
		p.t.Fatalf("asking for a link ended %s (%s)", a.Status, a.Reason)
	}
	seen := p.look(m, a.ID)
	_, link, err := p.service.OpenLink(p.t.Context(), m.again(), seen)
	must(p.t, err)
	if link == "" {
		p.t.Fatal("the person who began is given no link")
	}
	return seen, link
}

func (p *pier) look(m *merchant, id uuid.UUID) models.Attempt {
	p.t.Helper()
	a, err := p.service.Attempt(p.t.Context(), m.again(), id, m.user)
	must(p.t, err)
	return a
}

func (p *pier) call(s *connect.Service, c oauthtest.Call) ([]byte, error) {
	return s.Receive(p.t.Context(), p.store, connect.Incoming{
		Provider: "linked", Token: secret.New(c.Token()), Body: c.Body, Header: c.Header,
	})
}

// accepted calls and wants the provider's own word.
func (p *pier) accepted(c oauthtest.Call) {
	p.t.Helper()
	answer, err := p.call(p.service, c)
	if err != nil || string(answer) != oauthtest.LinkFakeAnswer {
		p.t.Fatalf("the callback was answered %q, %v", answer, err)
	}
}

// work acts on the callbacks that were stored, each twice.
func (p *pier) work(m *merchant) {
	p.t.Helper()
	for range 2 {
		for _, id := range p.queue.callbacks {
			_, err := p.service.Process(p.t.Context(), p.store.ForTenant(m.tenant, models.Actor{Kind: models.System}), id)
			must(p.t, err)
		}
	}
}

func TestLink_ASignedCallbackParksAndThePersonConfirms(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	a, link := p.begin(p.m)
	if left := a.ExpiresAt.Sub(a.CreatedAt); left != 24*time.Hour {
		t.Errorf("the link lives %s, want a day", left)
	}
	call := p.linked.Call(link, "12345")
	if want := publicURL + "/webhooks/linked/"; !strings.HasPrefix(call.Address, want) || len(call.Token()) != 43 {
		t.Errorf("the callback goes to %q, want 256 bits below %s", call.Address, want)
	}
	p.accepted(call)
	if got := p.look(p.m, a.ID); got.Status != models.Exchanging {
		t.Errorf("stored and not yet acted on: %s, want exchanging", got.Status)
	}
	p.work(p.m)
	got := p.look(p.m, a.ID)
	if got.Status != models.Returned || got.AccountMasked != "1•••5" {
		t.Fatalf("%s %q, want returned 1•••5", got.Status, got.AccountMasked)
	}
	if n := p.count(`SELECT count(*) FROM connections`); n != 0 {
		t.Fatal("connected before anybody confirmed")
	}
	if _, link, err := p.service.OpenLink(t.Context(), p.m.again(), got); link != "" || err != nil {
		t.Errorf("the link is still offered: %q, %v", link, err)
	}
	end, err := p.service.Confirm(t.Context(), p.m.again(), a.ID, p.m.user, p.m.session)
	if err != nil || end.Status != models.Stored {
		t.Fatalf("confirming ended %s (%s), %v", end.Status, end.Reason, err)
	}
	p.accepted(call) // a repeat after the end
	p.work(p.m)
	must(t, p.m.sync(*end.ResultConnection))
	if c := p.m.connection(*end.ResultConnection); c.State != models.Connected {
		t.Errorf("after the first sync: %s (%s)", c.State, c.Reason)
	}
	want := []string{"attempt.begun", "attempt.returned", "connection.connected"}
	for _, kind := range want {
		if n := slices.DeleteFunc(p.m.eventKinds(), func(k string) bool { return k != kind }); len(n) != 1 {
			t.Errorf("%s stands %d times in the history", kind, len(n))
		}
	}
	if n := p.count(`SELECT count(*) FROM inbox WHERE processed_at IS NOT NULL AND credential_sealed IS NULL AND verified`); n != 1 {
		t.Errorf("%d callbacks done, want 1", n)
	}
	if n := p.count(`SELECT count(*) FROM attempts WHERE link_sealed IS NOT NULL`); n != 0 {
		t.Error("the link outlives its attempt")
	}
}

func TestLink_WhatIsNotSignedForThisLinkChangesNothing(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	a, link := p.begin(p.m)
	other := p.newMerchant()
	_, foreign := p.begin(other)
	right := p.linked.Call(link, "12345")
	change := func(do func(c *oauthtest.Call)) oauthtest.Call {
		c := right
		c.Header, c.Body = right.Header.Clone(), slices.Clone(right.Body)
		do(&c)
		return c
	}
	foreignCall := p.linked.Call(foreign, "666")
	calls := map[string]oauthtest.Call{
		"unsigned":           change(func(c *oauthtest.Call) { c.Header = http.Header{} }),
		"signed by nothing":  change(func(c *oauthtest.Call) { c.Header.Set(signHeader, "") }),
		"another byte":       change(func(c *oauthtest.Call) { c.Body[len(c.Body)-3] ^= 1 }),
		"no body":            change(func(c *oauthtest.Call) { c.Body = nil }),
		"an invented token":  change(func(c *oauthtest.Call) { c.Address += "x" }),
		"no token":           change(func(c *oauthtest.Call) { c.Address = "/" }),
		"another's token":    change(func(c *oauthtest.Call) { c.Address = foreignCall.Address }),
		"another's callback": change(func(c *oauthtest.Call) { c.Body, c.Header = foreignCall.Body, foreignCall.Header }),
		"another serial":     p.linked.Say(link, map[string]string{"serial": p.linked.SerialOf(foreign), "account": "12345"}),
		"no serial":          p.linked.Say(link, map[string]string{"account": "12345"}),
	}
	var first error
	for name, c := range calls {
		answer, err := p.call(p.service, c)
		if answer != nil || errs.CodeOf(err) != errs.NotFound {
			t.Errorf("%s: %q, %v; want the refusal", name, answer, err)
		}
		if first == nil {
			first = err
		}
		if errs.As(err).Key != errs.As(first).Key {
			t.Errorf("%s: another refusal than the rest: %v", name, err)
		}
	}
	_, err := p.service.Receive(t.Context(), p.store, connect.Incoming{Provider: "fake", Token: secret.New(right.Token()), Body: right.Body, Header: right.Header})
	if errs.CodeOf(err) != errs.NotFound {
		t.Errorf("at another provider's address: %v", err)
	}
	for name, got := range map[string]oauth.Received{
		"a provider that forgets to compare the serial": {Verified: true, Serial: p.linked.SerialOf(foreign), Answer: []byte("x")},
		"a provider that believes nothing":              {Serial: p.linked.SerialOf(link), Answer: []byte("x")},
	} {
		p.linked.Set(func(*oauthtest.Fake) {
			p.linked.OnReceive = func(context.Context, oauth.Callback) (oauth.Received, error) { return got, nil }
		})
		if answer, err := p.call(p.service, right); answer != nil || errs.CodeOf(err) != errs.NotFound {
			t.Errorf("%s: %q, %v", name, answer, err)
		}
	}
	p.linked.Set(func(*oauthtest.Fake) { p.linked.OnReceive = nil })
	if got := p.look(p.m, a.ID); got.Status != models.Pending {
		t.Errorf("the attempt is %s", got.Status)
	}
	if n := p.count(`SELECT count(*) FROM inbox`); n != 0 || len(p.queue.callbacks) != 0 {
		t.Errorf("%d forgeries stored, %d to be acted on", n, len(p.queue.callbacks))
	}
	p.accepted(right)
}

func TestLink_AHundredAtOnceOverTwoReplicasApplyOnce(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	a, link := p.begin(p.m)
	call := p.linked.Call(link, "12345")
	replicas := []*connect.Service{p.service, p.replica()}
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			answer, err := p.call(replicas[i%2], call)
			if err != nil || string(answer) != oauthtest.LinkFakeAnswer {
				t.Errorf("repeat %d: %q, %v", i, answer, err)
			}
		})
	}
	all.Wait()
	if n := p.count(`SELECT count(*) FROM inbox`); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	p.work(p.m) // every job that a loser may have left with it, twice
	if got := p.look(p.m, a.ID); got.Status != models.Returned || got.AccountMasked != "1•••5" {
		t.Errorf("%s %s", got.Status, got.AccountMasked)
	}
	if n := p.count(`SELECT count(*) FROM events WHERE kind = 'attempt.returned'`); n != 1 {
		t.Errorf("returned %d times", n)
	}
	if n := p.linked.Calls(oauthtest.OpIdentify); n != 1 {
		t.Errorf("the provider was asked %d times", n)
	}
}

func TestLink_AnotherAccountUnderTheSameSerialIsAnAlarm(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	a, link := p.begin(p.m)
	p.accepted(p.linked.Call(link, "12345"))
	for range 3 {
		p.accepted(p.linked.Call(link, "99999"))
	}
	p.work(p.m)
	p.accepted(p.linked.Call(link, "99999"))
	if got := p.look(p.m, a.ID); got.AccountMasked != "1•••5" {
		t.Errorf("the second account won: %s", got.AccountMasked)
	}
	if n := p.count(`SELECT count(*) FROM events WHERE kind = 'attempt.contradicted'`); n != 1 {
		t.Errorf("%d alarms, want 1", n)
	}
}

func TestLink_WhatIsOverIsAnsweredAndStaysOver(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	expired, late := p.begin(p.m)
	cancelled, unwanted := p.begin(p.m)
	_, err := p.service.Cancel(t.Context(), p.m.again(), cancelled.ID, p.m.user)
	must(t, err)
	p.clock.forward(24*time.Hour + time.Second)
	for _, link := range []string{late, unwanted} {
		for range 2 {
			p.accepted(p.linked.Call(link, "12345"))
		}
	}
	p.work(p.m)
	if got := p.look(p.m, expired.ID); got.Status != models.Failed || got.Reason != connect.ReasonExpired {
		t.Errorf("the expired one is %s (%s)", got.Status, got.Reason)
	}
	if got := p.look(p.m, cancelled.ID); got.Status != models.Cancelled {
		t.Errorf("the cancelled one is %s", got.Status)
	}
	if len(p.queue.callbacks) > 0 && p.count(`SELECT count(*) FROM inbox WHERE credential_sealed IS NOT NULL`) != 0 {
		t.Error("something is left to do")
	}
	if _, link, _ := p.service.OpenLink(t.Context(), p.m.again(), p.look(p.m, expired.ID)); link != "" {
		t.Error("an expired link is offered")
	}
}

func TestLink_NobodyElseSeesOrConfirms(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	a, link := p.begin(p.m)
	stranger, colleague := p.newMerchant(), newID()
	p.exec(`INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at) VALUES ($1, 'merchant', 'c@example.com', '', now(), now())`, colleague)
	p.exec(`INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ($1, $2, 'owner', now())`, p.m.tenant, colleague)
	p.accepted(p.linked.Call(link, "12345"))
	p.work(p.m)
	for name, try := range map[string]func() error{
		"a colleague looks": func() error { _, err := p.service.Attempt(t.Context(), p.m.again(), a.ID, colleague); return err },
		"a stranger looks": func() error {
			_, err := p.service.Attempt(t.Context(), stranger.again(), a.ID, stranger.user)
			return err
		},
		"a colleague confirms": func() error {
			_, err := p.service.Confirm(t.Context(), p.m.again(), a.ID, colleague, p.m.session)
			return err
		},
		"a stranger confirms": func() error {
			_, err := p.service.Confirm(t.Context(), stranger.again(), a.ID, p.m.user, p.m.session)
			return err
		},
		"another session confirms": func() error {
			_, err := p.service.Confirm(t.Context(), p.m.again(), a.ID, p.m.user, newID())
			return err
		},
	} {
		if code := errs.CodeOf(try()); code != errs.NotFound && code != errs.Forbidden {
			t.Errorf("%s: %q", name, code)
		}
	}
	if got := p.look(p.m, a.ID); got.Status != models.Returned {
		t.Errorf("the attempt is %s", got.Status)
	}
}

func TestLink_ARefusedLinkEndsTheAttemptWithItsReason(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	for name, tc := range map[string]struct {
		link oauth.Link
		err  error
		want string
	}{
		"refused":        {err: &oauth.Error{Provider: "linked", Kind: oauth.AuthConfig, Code: "100"}, want: "auth_config"},
		"ambiguous":      {err: &oauth.Error{Provider: "linked", Kind: oauth.Ambiguous}, want: "ambiguous"},
		"a script":       {link: oauth.Link{URL: "javascript:alert(1)", Serial: "s", Kept: oauth.Values{"k": secret.New("v")}}, want: "bad_response"},
		"nothing kept":   {link: oauth.Link{URL: "https://linked.example", Serial: "s"}, want: "bad_response"},
		"without serial": {link: oauth.Link{URL: "https://linked.example", Kept: oauth.Values{"k": secret.New("v")}}, want: "bad_response"},
	} {
		p.linked.OnLink = func(context.Context, oauth.Departure, oauth.Values) (oauth.Link, error) { return tc.link, tc.err }
		a, err := p.ask(p.m, nil)
		if err != nil || a.Status != models.Failed || a.Reason != tc.want {
			t.Errorf("%s: ended %s (%s), %v; want failed (%s)", name, a.Status, a.Reason, err, tc.want)
		}
	}
	_, err := p.service.BeginLink(t.Context(), p.m.again(), connect.SubmitRequest{
		Provider: "linked", UserID: p.m.user, SessionID: p.m.session, Values: oauth.Values{
			oauthtest.KeyFakeID: secret.New("1"), oauthtest.KeyFakeSecret: secret.New("k"), oauthtest.LinkFakeMode: secret.New("MD4")},
	})
	if errs.CodeOf(err) != errs.Invalid || errs.As(err).Field != oauthtest.LinkFakeMode {
		t.Errorf("a choice that there is not: %v", err)
	}
}

func TestLink_AProviderThatFailsForAMinuteIsAskedAgain(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	a, link := p.begin(p.m)
	p.accepted(p.linked.Call(link, "12345"))
	p.linked.Set(func(f *oauthtest.Fake) {
		f.OnIdentify = func(context.Context, oauth.Credential) (oauth.Account, error) {
			return oauth.Account{}, &oauth.Error{Provider: "linked", Kind: oauth.Upstream}
		}
	})
	system := p.store.ForTenant(p.m.tenant, models.Actor{Kind: models.System})
	if _, err := p.service.Process(t.Context(), system, p.queue.callbacks[0]); oauth.KindOf(err) != oauth.Upstream {
		t.Errorf("while it fails: %v, want it tried again", err)
	}
	p.clock.forward(2 * time.Minute)
	if got := p.look(p.m, a.ID); got.Reason != connect.ReasonInterrupted {
		t.Errorf("meanwhile the page says %s (%s)", got.Status, got.Reason)
	}
	p.linked.Set(func(f *oauthtest.Fake) { f.OnIdentify = nil })
	p.work(p.m)
	if got := p.look(p.m, a.ID); got.Status != models.Returned {
		t.Errorf("then it is %s (%s)", got.Status, got.Reason)
	}
}

func TestLink_ReconnectingWantsTheSameAccount(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	come := func(reconnect *uuid.UUID, account string) models.Attempt {
		t.Helper()
		a, err := p.ask(p.m, reconnect)
		must(t, err)
		_, link, err := p.service.OpenLink(t.Context(), p.m.again(), p.look(p.m, a.ID))
		must(t, err)
		p.accepted(p.linked.Call(link, account))
		p.work(p.m)
		end, err := p.service.Confirm(t.Context(), p.m.again(), a.ID, p.m.user, p.m.session)
		must(t, err)
		return end
	}
	first := come(nil, "12345")
	if again := come(first.ResultConnection, "12345"); again.Status != models.Stored || *again.ResultConnection != *first.ResultConnection {
		t.Errorf("the same account ended %s (%s)", again.Status, again.Reason)
	}
	if other := come(first.ResultConnection, "99999"); other.Reason != connect.ReasonAccountDiffers {
		t.Errorf("another account ended %s (%s)", other.Status, other.Reason)
	}
}

func TestLink_OneThatDoesNotOpenEndsTheAttempt(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	mine, _ := p.begin(p.m)
	other, _ := p.begin(p.m)
	p.exec(`UPDATE attempts SET link_sealed = (SELECT link_sealed FROM attempts WHERE id = $2) WHERE id = $1`, mine.ID, other.ID)
	a, link, err := p.service.OpenLink(t.Context(), p.m.again(), p.look(p.m, mine.ID))
	if err != nil || link != "" || a.Status != models.Failed || a.Reason != connect.ReasonSealedBroken {
		t.Errorf("another's link put in its place: %q, %s (%s), %v", link, a.Status, a.Reason, err)
	}
}

func TestLink_ThePersonIsNamedAlikeAndToNobody(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	_, first := p.begin(p.m)
	_, second := p.begin(p.m)
	_, other := p.begin(p.newMerchant())
	name := p.linked.SubjectOf(first)
	if name == "" || name != p.linked.SubjectOf(second) || name == p.linked.SubjectOf(other) || strings.Contains(name, p.m.user.String()) {
		t.Errorf("named %q, then %q; somebody else %q", name, p.linked.SubjectOf(second), p.linked.SubjectOf(other))
	}
}

func TestLink_NoSecretIsStoredAsItIs(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	_, link := p.begin(p.m)
	call := p.linked.Call(link, "1234567890")
	p.accepted(call)
	var dump string
	must(t, p.db.Owner.QueryRow(t.Context(), `
		SELECT string_agg(line, E'\n') FROM (
		    SELECT a::text AS line FROM attempts a UNION ALL SELECT i::text FROM inbox i UNION ALL SELECT e::text FROM events e) AS l`).Scan(&dump))
	for _, value := range []string{link, call.Token(), "line two", "1234567890", string(call.Body)} {
		if strings.Contains(dump, value) || strings.Contains(dump, hexOf(value)) {
			t.Errorf("%q can be read in the database", value)
		}
	}
}

func TestLink_TheKeysAreSweptAfterTheLastRepeat(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	_, link := p.begin(p.m)
	call := p.linked.Call(link, "12345")
	p.accepted(call) // and nobody ever acts on it
	p.clock.forward(4 * 24 * time.Hour)
	_, err := p.store.Sweep(t.Context())
	must(t, err)
	if n := p.count(`SELECT (SELECT count(*) FROM attempts WHERE kept_sealed IS NOT NULL) + (SELECT count(*) FROM inbox WHERE credential_sealed IS NOT NULL)`); n != 0 {
		t.Errorf("%d rows keep what nobody needs", n)
	}
	if _, err := p.call(p.service, call); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("a callback that cannot be verified any more: %v", err)
	}
}

func hexOf(value string) string { return hex.EncodeToString([]byte(value)) }
