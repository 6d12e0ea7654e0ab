package accounts

import (
	"testing"
	"time"

	"mooring/internal/errs"
	"mooring/internal/secret"
)

// The vectors of RFC 6238, appendix B, cut to six digits.
func TestTOTP_CodesOfTheStandard(t *testing.T) {
	t.Parallel()
	raw := []byte("12345678901234567890")
	for at, code := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		now := time.Unix(at, 0)
		if step, right := checkTOTP(raw, code, 0, now); !right || step != at/30 {
			t.Errorf("%s at %d: %v, step %d", code, at, right, step)
		}
		if _, right := checkTOTP(raw, " "+code[:3]+" "+code[3:], 0, now); !right {
			t.Errorf("%s at %d is refused with spaces", code, at)
		}
		for off, want := range map[time.Duration]bool{30 * time.Second: true, -30 * time.Second: true, 61 * time.Second: false, -61 * time.Second: false} {
			if _, right := checkTOTP(raw, code, 0, now.Add(off)); right != want {
				t.Errorf("%s with a clock off by %v: %v", code, off, right)
			}
		}
		if _, right := checkTOTP(raw, code, at/30, now); right {
			t.Errorf("%s at %d was taken twice", code, at)
		}
	}
	if _, right := checkTOTP(raw, "", 0, time.Unix(59, 0)); right {
		t.Error("no code was taken for one")
	}
}

func TestRecovery_EachCodeOnceAndOnlyTheirs(t *testing.T) {
	t.Parallel()
	h := newHouse(t, wide)
	h.member(t, "a@example.com")
	h.member(t, "b@example.com")
	_, a := h.mustSignIn(t, "a@example.com", goodPassword)
	_, b := h.mustSignIn(t, "b@example.com", goodPassword)
	codes, err := h.RenewRecovery(t.Context(), a)
	if err != nil || len(codes) != recoveryCodes {
		t.Fatal(len(codes), err)
	}
	wantCode(t, "a code of somebody else's", h.tryCode(t.Context(), b.UserID, codes[0].Reveal()), errs.Invalid, "factor.code_wrong")
	if err := h.tryCode(t.Context(), a.UserID, " "+codes[0].Reveal()+" "); err != nil {
		t.Error("a recovery code was refused:", err)
	}
	wantCode(t, "the same again", h.tryCode(t.Context(), a.UserID, codes[0].Reveal()), errs.Invalid, "factor.code_wrong")
	if _, err := h.RenewRecovery(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "one of the old ones", h.tryCode(t.Context(), a.UserID, codes[1].Reveal()), errs.Invalid, "factor.code_wrong")
	if n := h.count(t, `SELECT count(*) FROM recovery_codes WHERE encode(code_hash, 'escape') LIKE $1`, "%"+codes[1].Reveal()+"%"); n != 0 {
		t.Error("a code can be read in the database")
	}
}

func TestTickets_BelongToOneSessionAndEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t, wide)
	h.member(t, "a@example.com")
	_, here := h.mustSignIn(t, "a@example.com", goodPassword)
	_, there := h.mustSignIn(t, "a@example.com", goodPassword)
	ticket, err := h.BeginTOTP(t.Context(), here)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.ShowTOTP(t.Context(), here, ticket); err != nil {
		t.Error("where it was begun:", err)
	}
	_, err = h.ShowTOTP(t.Context(), there, ticket)
	wantCode(t, "in another session", err, errs.Conflict, "factor.ticket_gone")
	if _, err := h.db.Owner.Exec(t.Context(), `UPDATE tickets SET expires_at = now()`); err != nil {
		t.Fatal(err)
	}
	_, err = h.ShowTOTP(t.Context(), here, ticket)
	wantCode(t, "too late", err, errs.Conflict, "factor.ticket_gone")
	_, err = h.ShowTOTP(t.Context(), here, secret.New("nothing"))
	wantCode(t, "an invented one", err, errs.Conflict, "factor.ticket_gone")
	if removed, err := h.Store.Sweep(t.Context()); err != nil || removed == 0 {
		t.Errorf("sweeping removed %d, %v; want the ticket", removed, err)
	}
}

func TestSignIn_ARightPasswordIsGoodForSoManyCodes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, wide)
	h.member(t, "a@example.com")
	_, who := h.mustSignIn(t, "a@example.com", goodPassword)
	if _, err := h.db.Owner.Exec(t.Context(), `INSERT INTO factors (user_id, id, kind, label, secret_sealed, created_at) VALUES ($1, $1, 'totp', 'App', '\x01', now())`, who.UserID); err != nil {
		t.Fatal(err)
	}
	signed, err := h.signIn(t, "a@example.com", goodPassword, Browser{})
	if err != nil || signed.Ticket.IsEmpty() || !signed.Token.IsEmpty() {
		t.Fatalf("%+v, %v; want a ticket and no session", signed, err)
	}
	for range 10 {
		_, err = h.SignInByCode(t.Context(), signed.Ticket, "000000", Browser{}, secret.String{})
		if errs.CodeOf(err) == errs.Conflict {
			t.Fatal("the ticket ended too early")
		}
	}
	_, err = h.SignInByCode(t.Context(), signed.Ticket, "000000", Browser{}, secret.String{})
	wantCode(t, "the eleventh", err, errs.Conflict, "factor.ticket_gone")
}
