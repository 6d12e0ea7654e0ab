package accounts

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mooring/internal/errs"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/secret"
)

func signUp(email string) SignUpRequest {
	return SignUpRequest{BusinessName: "Harbour", Email: email, Password: secret.New(goodPassword), Language: "en"}
}

func TestSignUp_WithMailAnswersTheSameWhetherOrNotTheAddressExists(t *testing.T) {
	h := newHouse(t, wide)
	h.member(t, "known@example.com")

	var answers []string
	for _, email := range []string{"known@example.com", "new@example.com"} {
		hashes, queued := h.hashed.Load(), len(h.post.queued)
		signedUp, err := h.SignUp(t.Context(), signUp(email))
		answers = append(answers, fmt.Sprint(signedUp.Session, len(signedUp.Proof.Reveal()), err, h.hashed.Load()-hashes, len(h.post.queued)-queued))
		h.deliver(t)
	}
	if want := fmt.Sprint((*SignedIn)(nil), 43, nil, 1, 1); answers[0] != want || answers[1] != want {
		t.Errorf("known: %s; new: %s; want both %s", answers[0], answers[1], want)
	}
	kinds := []mail.Kind{h.post.notes[1].Kind, h.post.notes[2].Kind}
	if kinds[0] != mail.Known || kinds[1] != mail.SignUp {
		t.Errorf("mails %v, want the difference in the mail: known, signup", kinds)
	}
	if note := h.post.notes[1]; note.URL != "http://localhost:8080/forgot" || note.SignInURL != "http://localhost:8080/login" {
		t.Errorf("the mail to a known address leads to %q and %q", note.URL, note.SignInURL)
	}
	if n := h.count(t, `SELECT count(*) FROM one_time_links WHERE purpose = 'known' AND (password_hash <> '' OR token_hash IS NOT NULL)`); n != 0 {
		t.Error("a stranger's password or a token was kept for a known address")
	}
}

func TestCompleteSignUp_MakesTheTenantOnce(t *testing.T) {
	h := newHouse(t, wide)
	signedUp, err := h.SignUp(t.Context(), signUp("a@example.com"))
	if err != nil {
		t.Fatal(err)
	}
	token := h.deliver(t)
	for range 3 { // scanners may look as often as they like
		if link, err := h.SignUpPending(t.Context(), token); err != nil || link.BusinessName != "Harbour" {
			t.Fatalf("SignUpPending = %+v, %v", link, err)
		}
	}
	signedIn, err := h.CompleteSignUp(t.Context(), CompleteRequest{Token: token, Proof: signedUp.Proof})
	if err != nil || signedIn == nil {
		t.Fatalf("CompleteSignUp = %+v, %v; want a session for the browser that filled in the form", signedIn, err)
	}
	if session := h.mustOpen(t, signedIn.Token); session.TenantName != "Harbour" || session.Role != models.Owner || session.Language != "en" {
		t.Errorf("session = %+v, want the owner of Harbour", session)
	}
	_, err = h.CompleteSignUp(t.Context(), CompleteRequest{Token: token, Proof: signedUp.Proof})
	wantCode(t, "the second use", err, errs.NotFound, "")
	_, err = h.SignUpPending(t.Context(), token)
	wantCode(t, "looking after the use", err, errs.NotFound, "")
}

func TestCompleteSignUp_SignsNoOtherBrowserIn(t *testing.T) {
	h := newHouse(t, wide)
	other, err := h.SignUp(t.Context(), signUp("other@example.com"))
	if err != nil {
		t.Fatal(err)
	}
	for name, proof := range map[string]secret.String{"none": {}, "another-link": other.Proof, "invented": secret.New(strings.Repeat("A", 43))} {
		email := name + "@example.com"
		if _, err := h.SignUp(t.Context(), signUp(email)); err != nil {
			t.Fatal(err)
		}
		signedIn, err := h.CompleteSignUp(t.Context(), CompleteRequest{Token: h.deliver(t), Proof: proof})
		if err != nil || signedIn != nil {
			t.Errorf("with proof %s: %v, %v; holding the mailbox must not open an account whose password somebody else chose", name, signedIn, err)
		}
		h.mustSignIn(t, email, goodPassword)
	}
}

func TestCompleteSignUp_OfTwoLinksToOneAddressTheFirstWins(t *testing.T) {
	h := newHouse(t, wide)
	var tokens []secret.String
	for range 2 {
		if _, err := h.SignUp(t.Context(), signUp("a@example.com")); err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, h.deliver(t))
	}
	if _, err := h.CompleteSignUp(t.Context(), CompleteRequest{Token: tokens[1]}); err != nil {
		t.Fatal(err)
	}
	_, err := h.CompleteSignUp(t.Context(), CompleteRequest{Token: tokens[0]})
	wantCode(t, "the other link", err, errs.Conflict, "account.already_complete")
	if n := h.count(t, `SELECT count(*) FROM tenants`); n != 1 {
		t.Errorf("%d tenants, want 1", n)
	}
}

func TestSendLink_AgainKillsTheTokenBefore(t *testing.T) {
	h := newHouse(t, wide)
	if _, err := h.SignUp(t.Context(), signUp("a@example.com")); err != nil {
		t.Fatal(err)
	}
	first, second := h.deliver(t), h.deliver(t)
	_, err := h.SignUpPending(t.Context(), first)
	wantCode(t, "the first token", err, errs.NotFound, "")
	if _, err := h.SignUpPending(t.Context(), second); err != nil {
		t.Errorf("the second token: %v", err)
	}
}

func TestSignUp_WithoutMailCompletesAtOnce(t *testing.T) {
	h := newHouse(t, wide, withoutMail)
	signedUp, err := h.SignUp(t.Context(), signUp("a@example.com"))
	if err != nil || signedUp.Session == nil || !signedUp.Proof.IsEmpty() {
		t.Fatalf("SignUp = %v, %v", signedUp, err)
	}
	if session := h.mustOpen(t, signedUp.Session.Token); session.Email != "a@example.com" || session.TenantName != "Harbour" {
		t.Errorf("session = %+v", session)
	}
	before := h.hashed.Load()
	_, err = h.SignUp(t.Context(), signUp("A@example.com"))
	wantCode(t, "a known address", err, errs.Invalid, "account.email_taken")
	if h.hashed.Load()-before != 1 {
		t.Error("the known address was found before the hash was paid for")
	}
}

func TestSignUp_NamesEveryFaultAtItsField(t *testing.T) {
	h := newHouse(t)
	_, err := h.SignUp(t.Context(), SignUpRequest{BusinessName: " \u200b", Email: "a@b@c", Password: secret.New("short")})
	faults, ok := errors.AsType[Faults](err)
	if !ok || len(faults) != 3 {
		t.Fatalf("SignUp = %v, want three faults", err)
	}
	var fields []string
	for _, fault := range faults {
		fields = append(fields, errs.As(fault).Field)
	}
	if got := strings.Join(fields, " "); got != "business_name email password" {
		t.Errorf("faults at %s", got)
	}
	if h.hashed.Load() != 0 {
		t.Error("a refused sign-up was hashed")
	}
}

func TestSignUp_FromOneAddressIsLimited(t *testing.T) {
	h := newHouse(t)
	var err error
	for i := range 80 {
		request := signUp(fmt.Sprintf("m%d@example.com", i))
		request.Browser.Address = "192.0.2.9"
		if _, err = h.SignUp(t.Context(), request); err != nil {
			break
		}
	}
	wantCode(t, "mass registration", err, errs.TooMany, "account.too_many")
}

func TestMails_ToOneMailboxAreLimitedWithoutTelling(t *testing.T) {
	h := newHouse(t)
	for i := range 12 {
		err := h.Forgot(t.Context(), "victim@example.com", "en", Browser{Address: fmt.Sprintf("192.0.2.%d", i)})
		if err != nil {
			t.Fatalf("request %d: %v, want the same answer as ever", i+1, err)
		}
	}
	if got := len(h.post.queued); got != DefaultLimits().MailAddressee.Burst {
		t.Errorf("%d mails queued, want %d", got, DefaultLimits().MailAddressee.Burst)
	}
}
