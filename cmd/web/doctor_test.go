package main

import (
	"strings"
	"syscall"
	"testing"

	"mooring/internal/database/dbtest"
)

// doctor runs "web doctor" and gives its exit code and what it printed.
func doctor(t *testing.T, env []string) (code int, text string) {
	t.Helper()
	p := startWeb(t, env, "doctor")
	return p.code(t), p.out.String()
}

func TestDoctorOfAHealthyHouse(t *testing.T) {
	t.Parallel()
	sim := startWeb(t, []string{"SIMULATOR_ADDR=127.0.0.1:0", "DATA_DIR=" + t.TempDir()}, "simulate")
	provider := sim.await(t, `asiabill +(http://\S+)`)[1]
	env := serveEnv(t, dbtest.New(t), "PUBLIC_URL=https://mooring.example.com",
		"SMTP_URL=smtps://u:hidden-0123@mail.mooring.example", "MAIL_FROM=m@mooring.example",
		"ASIABILL_OAUTH_URL="+provider, "ASIABILL_OPENAPI_URL="+provider, "OUTBOUND_ALLOW="+strings.TrimPrefix(provider, "http://"),
		"ASIABILL_CLIENT_ID=partner", "ASIABILL_CLIENT_SECRET=hidden-0123")
	code, text := doctor(t, env)
	if code != 0 {
		t.Errorf("code %d, want 0", code)
	}
	for _, want := range []string{
		"DATABASE_URL answers", "PLATFORM_DATABASE_URL answers", "the schema is current", "nothing is sealed yet",
		"PUBLIC_URL is https", "https://mooring.example.com/oauth/asiabill/callback", "offered, environment test",
		"its clock and ours agree", "ASIABILL_OAUTH_URL is plain http", "SMTP_URL and MAIL_FROM are set", "0 faults to mend",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("doctor does not say %q", want)
		}
	}
	if strings.Contains(text, "hidden-0123") || strings.Contains(text, "partner") || strings.Contains(text, provider) {
		t.Error("doctor shows a value")
	}
	if t.Failed() {
		t.Log(text)
	}
	if code := sim.end(t, syscall.SIGTERM); code != 0 {
		t.Errorf("simulate: code %d after SIGTERM, want 0", code)
	}
}

func TestDoctorFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	for _, test := range []struct {
		name string
		env  []string
		want string
	}{
		{"a strong role", serveEnv(t, db, "DATABASE_URL="+db.OwnerURL), "fail  database    DATABASE_URL: "},
		{"no schema", serveEnv(t, dbtest.NewEmpty(t)), "fail  migrations"},
		{"no server", serveEnv(t, db, "DATABASE_URL=postgres://app@127.0.0.1:9/mooring?sslmode=disable"), "fail  database    DATABASE_URL: "},
		{"no settings", serveEnv(t, db, "KEYSET=", "PUBLIC_URL="), "KEYSET is missing"},
		{"half a provider", serveEnv(t, db, "ASIABILL_CLIENT_ID=partner"), "warn  asiabill    not offered: ASIABILL_CLIENT_SECRET"},
		{"everybody a proxy", serveEnv(t, db, "TRUSTED_PROXIES=0.0.0.0/0"), "TRUSTED_PROXIES trusts everybody"},
	} {
		code, text := doctor(t, test.env)
		if wantCode := strings.Count(test.want, "fail") + strings.Count(test.want, "missing"); code != wantCode {
			t.Errorf("%s: code %d, want %d", test.name, code, wantCode)
		}
		if !strings.Contains(text, test.want) || !strings.Contains(text, "-> ") {
			t.Errorf("%s: doctor does not say %q:\n%s", test.name, test.want, text)
		}
	}
}

// A doctor who has looked has changed nothing: the next one finds the same, and the first keyset served is the right one.
func TestDoctorLeavesNoCanaryBehind(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	if code, text := doctor(t, serveEnv(t, db)); code != 0 {
		t.Fatalf("code %d:\n%s", code, text)
	}
	p := startWeb(t, serveEnv(t, db), "serve") // with another keyset
	p.await(t, servingLine)
}
