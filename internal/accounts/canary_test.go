package accounts

import (
	"encoding/hex"
	"strings"
	"testing"

	"mooring/internal/secret"
)

// TestDump_HoldsNothingThatOpensAnAccount walks a whole life with real hashes and then reads every table as its owner.
func TestDump_HoldsNothingThatOpensAnAccount(t *testing.T) {
	h := newHouse(t, wide)
	h.Service = New(h.Deps) // real hashes
	h.member(t, "a@example.com")
	signUpToken := h.post.notes[0].URL
	token, session := h.mustSignIn(t, "a@example.com", goodPassword)
	rotated, err := h.ChangePassword(t.Context(), session, PasswordChange{Current: secret.New(goodPassword), New: secret.New("second canary password")})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Forgot(t.Context(), "a@example.com", "en", Browser{Address: "192.0.2.77"}); err != nil {
		t.Fatal(err)
	}
	resetToken := h.deliver(t)

	dump := h.dump(t)
	if !strings.Contains(dump, "$argon2id$") || !strings.Contains(dump, "a@example.com") {
		t.Fatal("the dump does not hold what it should")
	}
	for name, canary := range map[string]string{
		"first password": goodPassword, "second password": "second canary password", "session token": token.Reveal(),
		"rotated token": rotated.Reveal(), "reset token": resetToken.Reveal(), "sign-up token": signUpToken[strings.LastIndex(signUpToken, "/")+1:],
	} {
		if strings.Contains(dump, canary) || strings.Contains(dump, hex.EncodeToString([]byte(canary))) {
			t.Errorf("the database holds the %s", name)
		}
	}
}

func (h *house) dump(t *testing.T) string {
	t.Helper()
	rows, err := h.db.Owner.Query(t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`)
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	var dump strings.Builder
	for _, table := range tables {
		var text string
		if err := h.db.Owner.QueryRow(t.Context(), `SELECT coalesce(string_agg(r::text, E'\n'), '') FROM `+table+` r`).Scan(&text); err != nil {
			t.Fatal(err)
		}
		dump.WriteString(text + "\n")
	}
	return dump.String()
}
