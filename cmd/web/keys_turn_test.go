package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mooring/internal/database/dbtest"
)

// TestKeys_AreTurnedBesideAServingProgram lets two programs serve, types what an operator types, and starts one with the old file.
func TestKeys_AreTurnedBesideAServingProgram(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	file := filepath.Join(t.TempDir(), "keyset.json")
	if err := os.WriteFile(file, []byte(newKeyset(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	old, _ := os.ReadFile(file)
	env := serveEnv(t, db, "KEYSET=", "KEYSET_FILE="+file)
	for range 2 {
		startWeb(t, env, "serve").await(t, servingLine)
	}
	typed := typing(t, env)
	first := regexp.MustCompile(`(\d+) +seals`).FindStringSubmatch(typed(0, "keys", "status"))
	if first == nil {
		t.Fatal("the status names no key that seals")
	}
	typed(1, "keys", "retire", first[1])
	if text := typed(0, "keys", "rotate"); !strings.Contains(text, "Everything is on key") || !strings.Contains(text, "web keys retire "+first[1]) {
		t.Errorf("rotating printed %s", text)
	}
	if text := typed(0, "connections", "revoke", "--all"); !strings.Contains(text, "Nothing was done") {
		t.Errorf("revoking without --yes printed %s", text)
	}
	typed(2, "connections", "revoke", "--provider", "nobody")
	if text := typed(0, "connections", "revoke", "--all", "--yes"); !strings.Contains(text, "The access of 0 connections was ended") {
		t.Errorf("revoking printed %s", text)
	}

	if err := os.WriteFile(file+".old", old, 0o600); err != nil {
		t.Fatal(err)
	}
	stale := startWeb(t, serveEnv(t, db, "KEYSET=", "KEYSET_FILE="+file+".old"), "serve")
	if code := stale.code(t); code != 1 || !strings.Contains(stale.out.String(), "lacks key") {
		t.Errorf("with the old file: code %d, %s", code, stale.out.String())
	}
}

// typing types commands as an operator does, and gives what they print.
func typing(t *testing.T, env []string) func(want int, args ...string) string {
	return func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		code := run(t.Context(), args, world{lookup: lookupIn(env), stdin: strings.NewReader(""), stdout: &out, stderr: &out})
		if code != want {
			t.Fatalf("web %s: code %d, want %d: %s", strings.Join(args, " "), code, want, out.String())
		}
		return out.String()
	}
}

func lookupIn(env []string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := len(env) - 1; i >= 0; i-- {
			if key, value, _ := strings.Cut(env[i], "="); key == name {
				return value, true
			}
		}
		return "", false
	}
}
