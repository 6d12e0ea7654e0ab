package accounts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
)

func TestSignIn_SameAnswerAndWorkWhetherOrNotTheAddressExists(t *testing.T) {
	h := newHouse(t, wide)
	h.member(t, "known@example.com")

	var answers []string
	for _, email := range []string{"known@example.com", "nobody@example.com"} {
		before := h.hashed.Load()
		_, err := h.signIn(t, email, "not the password", Browser{Address: "192.0.2.1"})
		answers = append(answers, fmt.Sprintf("%v, %d hashes", err, h.hashed.Load()-before))
	}
	if answers[0] != answers[1] || answers[0] != "invalid: account.wrong_credentials, 1 hashes" {
		t.Errorf("known: %s; unknown: %s", answers[0], answers[1])
	}
}

func TestSignIn_FindsTheAddressInEveryForm(t *testing.T) {
	h := newHouse(t, wide)
	h.member(t, "  Owner@Example.COM ")
	for _, form := range []string{"owner@example.com", "OWNER@EXAMPLE.com", "ｏｗｎｅｒ＠ｅｘａｍｐｌｅ．ｃｏｍ"} {
		if _, err := h.signIn(t, form, goodPassword, Browser{}); err != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
	if _, err := h.signIn(t, "owner@example.com", strings.ToUpper(goodPassword), Browser{}); err == nil {
		t.Error("a password must match exactly")
	}
}

func TestSignIn_RotatesTheTokenAndEndsTheOldOne(t *testing.T) {
	h := newHouse(t, wide)
	h.member(t, "a@example.com")
	first, _ := h.mustSignIn(t, "a@example.com", goodPassword)

	again, err := h.SignIn(t.Context(), SignInRequest{Email: "a@example.com", Password: secret.New(goodPassword), Before: first})
	if err != nil {
		t.Fatal(err)
	}
	if again.Token == first {
		t.Error("the token did not change")
	}
	_, err = h.Open(t.Context(), first)
	wantCode(t, "the token from before", err, errs.Unauthenticated, "")
	h.mustOpen(t, again.Token)

	if err := h.SignOut(t.Context(), again.Token); err != nil {
		t.Fatal(err)
	}
	_, err = h.Open(t.Context(), again.Token)
	wantCode(t, "after signing out", err, errs.Unauthenticated, "")
}

func TestOpen_OfAnythingButOurTokenIsUnauthenticated(t *testing.T) {
	h := newHouse(t)
	for _, token := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 100_000)} {
		_, err := h.Open(t.Context(), secret.New(token))
		wantCode(t, "a token of "+fmt.Sprint(len(token)), err, errs.Unauthenticated, "")
	}
}

func TestSignIn_LimitsAreSharedByReplicasAndLeaveOtherAddressesAlone(t *testing.T) {
	h := newHouse(t)
	h.member(t, "a@example.com")
	twin, twinHashed := h.replica(t)
	before := h.hashed.Load()

	refused := 0
	for i := range 40 {
		service := []*Service{h.Service, twin}[i%2]
		_, err := service.SignIn(t.Context(), SignInRequest{
			Email: "a@example.com", Password: secret.New("guess"), Browser: Browser{Address: "192.0.2.66"},
		})
		if errs.CodeOf(err) == errs.TooMany {
			refused++
		}
	}
	tried := h.hashed.Load() - before + twinHashed.Load()
	if tried > 20 || refused != 40-int(tried) {
		t.Errorf("%d of 40 guesses were evaluated and %d refused, want at most 20 evaluated", tried, refused)
	}
	if _, err := h.signIn(t, "a@example.com", goodPassword, Browser{Address: "198.51.100.7"}); err != nil {
		t.Errorf("the owner from another address: %v", err)
	}
	_, err := h.signIn(t, "a@example.com", goodPassword, Browser{Address: "192.0.2.66"})
	wantCode(t, "the guesser's address", err, errs.TooMany, "")
}

func TestSignIn_AnIPv6UserIsOneAddress(t *testing.T) {
	for address, want := range map[string]string{
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::9": "2001:db8:1:2::/64",
		"::ffff:192.0.2.1": "192.0.2.1", "192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::/64", "odd": "odd",
	} {
		if got := network(address); got != want {
			t.Errorf("network(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestSignIn_OverlongInputCostsNothing(t *testing.T) {
	h := newHouse(t)
	before := h.hashed.Load()
	_, err := h.signIn(t, "a@example.com", strings.Repeat("p", 1<<20), Browser{})
	wantCode(t, "a password of 1 MiB", err, errs.Invalid, "account.wrong_credentials")
	_, err = h.signIn(t, strings.Repeat("e", 10_000)+"@example.com", "password", Browser{})
	wantCode(t, "an address of 10,000 characters", err, errs.Invalid, "account.email_invalid")
	if h.hashed.Load() != before || h.count(t, `SELECT count(*) FROM rate_limits`) != 0 {
		t.Error("over-long input was worked on")
	}
}

func TestSignIn_AWaitingRequestIsToldToComeBack(t *testing.T) {
	h := newHouse(t, wide, func(d *Deps) { d.HashSlots = 1 })
	h.hasher.wait = 20 * time.Millisecond
	release, err := h.hasher.turn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.signIn(t, "a@example.com", "password", Browser{})
	wantCode(t, "while the only slot is taken", err, errs.Unavailable, "account.busy")
	release()
	_, err = h.signIn(t, "a@example.com", "password", Browser{})
	wantCode(t, "with a free slot", err, errs.Invalid, "")
}

func TestSessions_IdleAndAbsoluteLifeAreSettings(t *testing.T) {
	h := newHouse(t, wide, func(d *Deps) { d.Idle, d.Absolute = 40*time.Millisecond, time.Hour })
	h.member(t, "a@example.com")
	token, _ := h.mustSignIn(t, "a@example.com", goodPassword)
	time.Sleep(60 * time.Millisecond)
	_, err := h.Open(t.Context(), token)
	wantCode(t, "an idle session", err, errs.Unauthenticated, "")

	h.Idle, h.Absolute = time.Hour, 40*time.Millisecond
	token, _ = h.mustSignIn(t, "a@example.com", goodPassword)
	time.Sleep(60 * time.Millisecond)
	_, err = h.Open(t.Context(), token)
	wantCode(t, "a session past its end", err, errs.Unauthenticated, "")
}

func TestCreateAdmin_SignsInAsStaff(t *testing.T) {
	h := newHouse(t, wide)
	h.Service = New(h.Deps) // real hashes
	err := CreateAdmin(t.Context(), h.db.Owner, "Admin@Example.com", secret.New(goodPassword), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	err = CreateAdmin(t.Context(), h.db.Owner, "admin@example.com", secret.New(goodPassword), time.Now())
	wantCode(t, "the same admin again", err, errs.Conflict, "account.email_taken")
	err = CreateAdmin(t.Context(), h.db.Owner, "x", secret.New("short"), time.Now())
	wantCode(t, "a bad address", err, errs.Invalid, "account.email_invalid")

	signedIn, err := h.signIn(t, "admin@example.com", goodPassword, Browser{})
	if err != nil || !signedIn.Staff {
		t.Fatalf("SignIn = %+v, %v; want staff", signedIn, err)
	}
	if session := h.mustOpen(t, signedIn.Token); !session.IsAdmin || session.Role != models.Role("") {
		t.Errorf("session = %+v, want an admin without a role", session)
	}
}
