package accounts

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"mooring/internal/errs"
	"mooring/internal/secret"
)

func TestForgot_SameAnswerAndWorkWhetherOrNotTheAddressExists(t *testing.T) {
	h := newHouse(t, wide)
	h.member(t, "known@example.com")
	var answers []string
	for _, email := range []string{"known@example.com", "nobody@example.com"} {
		queued, links := len(h.post.queued), h.count(t, `SELECT count(*) FROM one_time_links`)
		err := h.Forgot(t.Context(), email, "en", Browser{})
		answers = append(answers, fmt.Sprint(err, len(h.post.queued)-queued, h.count(t, `SELECT count(*) FROM one_time_links`)-links))
	}
	if answers[0] != "<nil> 1 1" || answers[1] != answers[0] {
		t.Errorf("known: %s; unknown: %s", answers[0], answers[1])
	}
	sent := len(h.post.notes)
	if _, err := h.SendLink(t.Context(), h.post.queued[len(h.post.queued)-1]); err != nil || len(h.post.notes) != sent {
		t.Errorf("nobody's link: %v, %d mails; want none", err, len(h.post.notes)-sent)
	}
}

func TestReset_FiftyParallelUsesSucceedOnce(t *testing.T) {
	h := newHouse(t, wide)
	h.member(t, "a@example.com")
	if err := h.Forgot(t.Context(), "a@example.com", "en", Browser{}); err != nil {
		t.Fatal(err)
	}
	token := h.deliver(t)
	var wg sync.WaitGroup
	results := make([]error, 50)
	for i := range results {
		wg.Go(func() { _, results[i] = h.Reset(t.Context(), token, secret.New(fmt.Sprintf("a new password %d", i))) })
	}
	wg.Wait()
	var won []int
	for i, err := range results {
		switch errs.CodeOf(err) {
		case "":
			won = append(won, i)
		case errs.NotFound:
		default:
			t.Errorf("use %d: %v", i, err)
		}
	}
	if len(won) != 1 {
		t.Fatalf("%d uses succeeded, want 1", len(won))
	}
	h.mustSignIn(t, "a@example.com", fmt.Sprintf("a new password %d", won[0]))
}

func TestReset_EndsEverySessionAndEveryOtherLink(t *testing.T) {
	h := newHouse(t, wide)
	h.member(t, "a@example.com")
	one, _ := h.mustSignIn(t, "a@example.com", goodPassword)
	two, _ := h.mustSignIn(t, "a@example.com", goodPassword)
	var links []secret.String
	for range 2 {
		if err := h.Forgot(t.Context(), "a@example.com", "en", Browser{}); err != nil {
			t.Fatal(err)
		}
		links = append(links, h.deliver(t))
	}
	_, err := h.Reset(t.Context(), links[0], secret.New("short"))
	wantCode(t, "a password that may not be chosen", err, errs.Invalid, "account.password_short")
	if _, err := h.Reset(t.Context(), links[0], secret.New("another good password")); err != nil {
		t.Fatalf("the link after a correctable fault: %v", err)
	}
	for _, token := range []secret.String{one, two} {
		_, err := h.Open(t.Context(), token)
		wantCode(t, "a session from before", err, errs.Unauthenticated, "")
	}
	_, err = h.Reset(t.Context(), links[1], secret.New("yet another password"))
	wantCode(t, "the other link", err, errs.NotFound, "")
	_, err = h.signIn(t, "a@example.com", goodPassword, Browser{})
	wantCode(t, "the old password", err, errs.Invalid, "")
	if n := h.count(t, `SELECT count(*) FROM events WHERE kind = 'person.password_changed'`); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

func TestReset_ADeadLinkCostsNoHash(t *testing.T) {
	h := newHouse(t, wide)
	h.member(t, "a@example.com")
	if err := h.Forgot(t.Context(), "a@example.com", "en", Browser{}); err != nil {
		t.Fatal(err)
	}
	token := h.deliver(t)
	if _, err := h.db.Owner.Exec(t.Context(), `UPDATE one_time_links SET expires_at = now() - interval '1 second'`); err != nil {
		t.Fatal(err)
	}
	before := h.hashed.Load()
	for what, dead := range map[string]secret.String{
		"expired": token, "empty": {}, "guessed": secret.New(strings.Repeat("A", 43)), "huge": secret.New(strings.Repeat("A", 1<<20)),
	} {
		_, err := h.Reset(t.Context(), dead, secret.New("another good password"))
		wantCode(t, what, err, errs.NotFound, "")
	}
	if h.hashed.Load() != before {
		t.Error("a dead link was worked for")
	}
}

func TestReset_ASignUpLinkResetsNothing(t *testing.T) {
	h := newHouse(t, wide)
	if _, err := h.SignUp(t.Context(), signUp("a@example.com")); err != nil {
		t.Fatal(err)
	}
	_, err := h.Reset(t.Context(), h.deliver(t), secret.New("another good password"))
	wantCode(t, "a link for something else", err, errs.NotFound, "")
}

func TestSendLink_WithoutMailMintsNothing(t *testing.T) {
	h := newHouse(t, wide, withoutMail)
	h.member(t, "a@example.com")
	if err := h.Forgot(t.Context(), "a@example.com", "en", Browser{}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.SendLink(t.Context(), h.post.queued[0]); err != nil || len(h.post.notes) != 0 {
		t.Errorf("SendLink = %v with %d mails, want none", err, len(h.post.notes))
	}
	if n := h.count(t, `SELECT count(*) FROM one_time_links WHERE token_hash IS NOT NULL`); n != 0 {
		t.Error("a token was minted that nobody will get")
	}
}
