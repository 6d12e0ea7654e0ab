package accounts

import (
	"slices"
	"strings"
	"testing"

	"mooring/internal/errs"
	"mooring/internal/secret"
)

func TestPasswords_DifferingAtByte73AreDifferent(t *testing.T) {
	h := newHasher(1)
	long := strings.Repeat("0123456789", 8)
	hash, err := h.Create(t.Context(), secret.New(long))
	if err != nil {
		t.Fatal(err)
	}
	other := []byte(long)
	other[72] = 'x'
	for password, want := range map[string]bool{long: true, string(other): false} {
		if got, err := h.Compare(t.Context(), secret.New(password), hash); err != nil || got != want {
			t.Errorf("Compare(%q) = %t, %v; want %t", password, got, err, want)
		}
	}
	if got, err := h.Compare(t.Context(), secret.New(long), ""); err != nil || got {
		t.Errorf("nobody's hash: %t, %v; want no match and no error", got, err)
	}
	want := "$argon2id$v=19$m=19456,t=2,p=1$"
	if !strings.HasPrefix(hash, want) || !strings.HasPrefix(h.nobody, want) || len(hash) != len(h.nobody) {
		t.Errorf("hash %.40s and nobody's %.40s must cost the same", hash, h.nobody)
	}
}

func TestCheckNewPassword(t *testing.T) {
	for _, tc := range []struct{ password, key string }{
		{"correct horse battery", ""},
		{"正确的马电池订书钉啊啊", ""},
		{strings.Repeat("ab1", 85), ""},
		{"short", "account.password_short"},
		{"九个字符不够长的啊", "account.password_short"},
		{strings.Repeat("ab1", 86), "account.password_long"},
		{"abcdefghi\xff\xfe", "account.password_unreadable"},
		{"owner@example.com", "account.password_own"},
		{"Owner@Example.com1", "account.password_own"},
		{"Harbour Trading 2026!", "account.password_own"},
		{"Mooring2026", "account.password_own"},
		{"Password123", "account.password_common"},
		{"1234567890", "account.password_common"},
		{"zxcvbnmasdfghjkl", "account.password_common"},
		{"aaaaaaaaaaaaaaaa", "account.password_common"},
		{"ababababababab", "account.password_common"},
	} {
		err := checkNewPassword(secret.New(tc.password), "password", "owner@example.com", "Harbour Trading")
		if tc.key == "" && err == nil {
			continue
		}
		if tc.key == "" || err == nil || errs.As(err).Key != tc.key {
			t.Errorf("%q: %v, want %q", tc.password, err, tc.key)
		}
	}
}

func TestCommonPasswords_AreSortedLowerCaseAndLongEnough(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(commonPasswords, "\n"), "\n")
	if !slices.IsSorted(lines) {
		t.Error("the list is not sorted")
	}
	for _, line := range lines {
		if len(line) < MinPassword || strings.ToLower(line) != line {
			t.Errorf("%q can never match", line)
		}
	}
}

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		" A@Example.COM\n": "a@example.com", "ｌｉ@ｅｘａｍｐｌｅ.ｃｏｍ": "li@example.com", "李四@例子.中国": "李四@例子.中国",
		"a+b.c@sub.example.com": "a+b.c@sub.example.com",
	} {
		if got, err := Canonical(in); err != nil || got != want {
			t.Errorf("Canonical(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "a", "@", "a@", "@b", "a@x@y", "a b@c", "a@b\x00", "a\r\nBcc: x@y", "Name <a@b.com>", "<a@b.com>", "a@b.com,c@d.com",
		`"a b"@c.com`, "a\u202e@b.com", "a\u200b@b.com", "\xff@b.com", "a@b..com", strings.Repeat("a", 250) + "@b.com",
	} {
		if got, err := Canonical(in); err == nil {
			t.Errorf("Canonical(%q) = %q, want a refusal", in, got)
		}
	}
}

func TestDescribe(t *testing.T) {
	for agent, want := range map[string]Client{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0": {"Edge", "Windows"},
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.0 Safari/605.1.15":                     {"Safari", "macOS"},
		"Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36":                                  {"Chrome", "Android"},
		"<script>": {}, "": {},
	} {
		if got := describe(agent); got != want {
			t.Errorf("describe(%q) = %+v, want %+v", agent, got, want)
		}
	}
}
