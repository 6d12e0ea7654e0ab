package accounts

import (
	"testing"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/secret"
)

func TestChangePassword_KeepsOwnSessionUnderANewTokenAndEndsTheOthers(t *testing.T) {
	h := newHouse(t, wide)
	h.member(t, "a@example.com")
	own, session := h.mustSignIn(t, "a@example.com", goodPassword)
	other, _ := h.mustSignIn(t, "a@example.com", goodPassword)
	change := PasswordChange{Current: secret.New("wrong"), New: secret.New("another good password")}

	_, err := h.ChangePassword(t.Context(), session, change)
	wantCode(t, "a wrong current password", err, errs.Invalid, "account.current_wrong")
	h.mustOpen(t, other)

	change.Current = secret.New(goodPassword)
	rotated, err := h.ChangePassword(t.Context(), session, change)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.mustOpen(t, rotated); got.ID != session.ID {
		t.Errorf("the session's id changed from %v to %v: attempts are bound to it", session.ID, got.ID)
	}
	for _, token := range []secret.String{own, other} {
		_, err := h.Open(t.Context(), token)
		wantCode(t, "a token from before", err, errs.Unauthenticated, "")
	}
	h.mustSignIn(t, "a@example.com", "another good password")
}

func TestSessions_ShowWhereAndEndThere(t *testing.T) {
	h := newHouse(t, wide)
	h.member(t, "a@example.com")
	h.member(t, "b@example.com")
	_, own := h.mustSignIn(t, "a@example.com", goodPassword)
	phone, err := h.signIn(t, "a@example.com", goodPassword, Browser{
		Address: "198.51.100.4", UserAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) MicroMessenger/8.0.60",
	})
	if err != nil {
		t.Fatal(err)
	}
	_, stranger := h.mustSignIn(t, "b@example.com", goodPassword)

	list, err := h.Sessions(t.Context(), own)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 {
		t.Fatalf("%d sessions, want A's own two", len(list))
	}
	for _, s := range list {
		want := Client{"WeChat", "iPhone"}
		if s.Current {
			want = Client{"Firefox", "Linux"}
		}
		if s.Client != want || s.Current != (s.ID == own.ID) {
			t.Errorf("session %+v, want %+v", s, want)
		}
	}
	phoneID := h.mustOpen(t, phone.Token).ID
	wantCode(t, "B ends A's session", h.EndSession(t.Context(), stranger, phoneID), errs.NotFound, "")
	wantCode(t, "nobody's session", h.EndSession(t.Context(), own, uuid.New()), errs.NotFound, "")
	if err := h.EndSession(t.Context(), own, phoneID); err != nil {
		t.Fatal(err)
	}
	_, err = h.Open(t.Context(), phone.Token)
	wantCode(t, "the phone", err, errs.Unauthenticated, "")
}

func TestChangeLanguage(t *testing.T) {
	h := newHouse(t, wide)
	h.member(t, "a@example.com")
	token, session := h.mustSignIn(t, "a@example.com", goodPassword)
	wantCode(t, "an unknown language", h.ChangeLanguage(t.Context(), session, "xx"), errs.Invalid, "account.language_unknown")
	for _, language := range []string{"zh-CN", "", "en"} {
		if err := h.ChangeLanguage(t.Context(), session, language); err != nil {
			t.Fatal(err)
		}
		if got := h.mustOpen(t, token).Language; got != language {
			t.Errorf("language = %q, want %q", got, language)
		}
	}
}
