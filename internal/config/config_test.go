package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"mooring/internal/config"
	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// pier and quay are two providers as their descriptors would ask for things.
func descriptors() []oauth.Descriptor {
	https := func(value string) error {
		u, err := url.Parse(value)
		if err != nil {
			return err
		}
		if u.Scheme != "https" {
			return errors.New("an https address")
		}
		return nil
	}
	quoting := func(value string) error {
		if value == "fast" {
			return nil
		}
		return fmt.Errorf("bad value %s", value)
	}
	return []oauth.Descriptor{
		{Slug: "pier", Settings: []oauth.Setting{
			{Name: "BASE_URL", Required: true, Check: https, Help: oauth.Text{EN: "where the pier is"}},
			{Name: "CLIENT_SECRET", Required: true, Secret: true, Check: quoting, Help: oauth.Text{EN: "the secret"}},
			{Name: "ZONE", Default: "Asia/Shanghai"},
		}},
		{Slug: "quay", Settings: []oauth.Setting{
			{Name: "KEY", Required: true, Secret: true},
			{Name: "MODE", Default: "fast", Check: quoting, Help: oauth.Text{EN: "fast or slow"}},
		}},
	}
}

// world is an environment for a test: variables, files and a keyset check that accepts one text.
func world(vars, files map[string]string) config.Env {
	return config.Env{
		Lookup: func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
		ReadFile: func(path string) ([]byte, error) {
			if text, ok := files[path]; ok {
				return []byte(text), nil
			}
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		},
		CheckKeyset: func(text []byte) error {
			if string(text) != "good-keyset" {
				return fmt.Errorf("cannot read %s", text)
			}
			return nil
		},
		CheckOutbound: func(entries []string) error {
			if slices.Contains(entries, hidden) {
				return fmt.Errorf("cannot read %v", entries)
			}
			return nil
		},
		CheckMail: func(url secret.String, from string) error {
			if !strings.HasPrefix(url.Reveal(), "smtp") {
				return fmt.Errorf("cannot read %s", url.Reveal())
			}
			return nil
		},
	}
}

func complete() map[string]string {
	return map[string]string{
		"DATABASE_URL":          "postgres://app:pw-app@db/mooring",
		"PLATFORM_DATABASE_URL": "postgres://platform:pw-platform@db/mooring",
		"MIGRATE_DATABASE_URL":  "postgres://owner:pw-owner@db/mooring",
		"PUBLIC_URL":            "https://Mooring.example.com/",
		"KEYSET":                "good-keyset",
	}
}

func with(changes map[string]string) map[string]string {
	vars := complete()
	for name, value := range changes {
		if vars[name] = value; value == "(unset)" {
			delete(vars, name)
		}
	}
	return vars
}

func TestLoadOfACompleteEnvironment(t *testing.T) {
	vars := with(map[string]string{
		"KEYSET": "(unset)", "KEYSET_FILE": "/run/keyset",
		"TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7",
		"OUTBOUND_ALLOW":  "127.0.0.1:9000 10.1.0.0/16",
		"SMTP_URL_FILE":   "/run/smtp", "MAIL_FROM": "Mooring <m@example.com>",
		"METRICS_ADDR": "", "LOG_LEVEL": "debug", "LOG_FORMAT": "text", "REFRESH_AHEAD": "90s",
		"PIER_BASE_URL": "https://pier.test", "PIER_ENVIRONMENT": "live", "QUAY_KEY_FILE": "/run/quay",
		"DATA_DIR": "/var/lib/mooring",
	})
	files := map[string]string{"/run/keyset": "good-keyset\n", "/run/smtp": "smtps://u:p@mail.test:465\n", "/run/quay": "quay-key\r\n"}
	c, err := config.Load(world(vars, files), config.Serving, descriptors())
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"public URL", c.PublicURL, "https://mooring.example.com"},
		{"secure", c.Secure, true},
		{"listen", c.ListenAddr, "127.0.0.1:8080"},
		{"metrics", c.MetricsAddr, ""},
		{"simulator", c.SimulatorAddr, "127.0.0.1:8090"},
		{"keyset", c.Keyset.Reveal(), "good-keyset"},
		{"keyset file", c.KeysetFile, "/run/keyset"},
		{"proxies", fmt.Sprint(c.TrustedProxies), "[10.0.0.0/8 192.0.2.7/32]"},
		{"allow", fmt.Sprint(c.OutboundAllow), "[127.0.0.1:9000 10.1.0.0/16]"},
		{"smtp", c.SMTPURL.Reveal(), "smtps://u:p@mail.test:465"},
		{"level", c.LogLevel, slog.LevelDebug},
		{"format", c.LogFormat, "text"},
		{"refresh ahead", c.RefreshAhead, 90 * time.Second},
		{"audit", c.AuditDir, "/var/lib/mooring/audit"},
		{"private", c.Database.Private(), false},
		{"owner", c.Database.Owner.Reveal(), "postgres://owner:pw-owner@db/mooring"},
	} {
		if check.got != check.want {
			t.Errorf("%s = %v, want %v", check.what, check.got, check.want)
		}
	}
	pier, quay := c.Providers[0], c.Providers[1]
	if pier.Offered() || fmt.Sprint(pier.Missing) != "[PIER_CLIENT_SECRET]" || pier.Environment != oauth.Live {
		t.Errorf("pier = %+v, want not offered for PIER_CLIENT_SECRET alone, live", pier)
	}
	if got := pier.Settings.Get("ZONE"); got != "Asia/Shanghai" {
		t.Errorf("pier ZONE = %q, want the default", got)
	}
	if !quay.Offered() || quay.Settings.Get("KEY") != "quay-key" || quay.Environment != oauth.Test {
		t.Errorf("quay = %+v, want offered, test, with the key from its file", quay)
	}
	if strings.Contains(fmt.Sprintf("%+v", c), "pw-") {
		t.Error("printing the configuration shows a password")
	}
}

func TestLoadNeedsNothingOnThePrivateDatabaseButKeysAndAddress(t *testing.T) {
	c, err := config.Load(world(map[string]string{"PUBLIC_URL": "http://localhost:8080", "KEYSET": "good-keyset"}, nil), config.Serving, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Database.Private() || c.Secure || c.MetricsAddr != "127.0.0.1:9090" {
		t.Errorf("got %+v", c)
	}
	for _, purpose := range []config.Purpose{config.Owning, config.Simulating} {
		if _, err := config.Load(world(nil, nil), purpose, descriptors()); err != nil {
			t.Errorf("purpose %d of an empty environment: %v", purpose, err)
		}
	}
}

// Every value below holds the word that must not come back.
const hidden = "hidden-0123"

func TestLoadRefusesWithTheNameAndNeverTheValue(t *testing.T) {
	for _, test := range []struct {
		name string
		vars map[string]string
		want []string // variables named in the error, all of them
	}{
		{"no public address", map[string]string{"PUBLIC_URL": "(unset)"}, []string{"PUBLIC_URL"}},
		{"plain http", map[string]string{"PUBLIC_URL": "http://" + hidden + ".example.com"}, []string{"PUBLIC_URL"}},
		{"a path", map[string]string{"PUBLIC_URL": "https://example.com/" + hidden}, []string{"PUBLIC_URL"}},
		{"a query", map[string]string{"PUBLIC_URL": "https://example.com?" + hidden}, []string{"PUBLIC_URL"}},
		{"a user", map[string]string{"PUBLIC_URL": "https://" + hidden + "@example.com"}, []string{"PUBLIC_URL"}},
		{"no scheme", map[string]string{"PUBLIC_URL": hidden}, []string{"PUBLIC_URL"}},
		{"no keys", map[string]string{"KEYSET": "(unset)"}, []string{"KEYSET"}},
		{"bad keys", map[string]string{"KEYSET": hidden}, []string{"KEYSET"}},
		{"keys twice", map[string]string{"KEYSET_FILE": hidden}, []string{"KEYSET"}},
		{"no key file", map[string]string{"KEYSET": "", "KEYSET_FILE": "/" + hidden}, []string{"KEYSET_FILE"}},
		{"bad key file", map[string]string{"KEYSET": "", "KEYSET_FILE": "/bad"}, []string{"KEYSET_FILE"}},
		{"empty key file", map[string]string{"KEYSET": "", "KEYSET_FILE": "/empty"}, []string{"KEYSET_FILE"}},
		{"not PostgreSQL", map[string]string{"DATABASE_URL": "mysql://u:" + hidden + "@db/m"}, []string{"DATABASE_URL"}},
		{"broken address", map[string]string{"DATABASE_URL": "postgres://u:" + hidden + "%zz@db/m"}, []string{"DATABASE_URL"}},
		{"no platform role", map[string]string{"PLATFORM_DATABASE_URL": ""}, []string{"PLATFORM_DATABASE_URL"}},
		{"only the owner", map[string]string{"DATABASE_URL": "", "PLATFORM_DATABASE_URL": ""}, []string{"DATABASE_URL"}},
		{"listen", map[string]string{"LISTEN_ADDR": hidden}, []string{"LISTEN_ADDR"}},
		{"listen port", map[string]string{"LISTEN_ADDR": "127.0.0.1:99999"}, []string{"LISTEN_ADDR"}},
		{"metrics", map[string]string{"METRICS_ADDR": "http://" + hidden}, []string{"METRICS_ADDR"}},
		{"simulator", map[string]string{"SIMULATOR_ADDR": "127.0.0.1:65533"}, []string{"SIMULATOR_ADDR"}},
		{"proxies", map[string]string{"TRUSTED_PROXIES": "10.0.0.0/8," + hidden}, []string{"TRUSTED_PROXIES"}},
		{"outbound", map[string]string{"OUTBOUND_ALLOW": hidden}, []string{"OUTBOUND_ALLOW"}},
		{"mail", map[string]string{"SMTP_URL": "http://u:" + hidden + "@mail", "MAIL_FROM": "m@example.com"}, []string{"SMTP_URL"}},
		{"no sender", map[string]string{"SMTP_URL": "smtp://mail.test"}, []string{"MAIL_FROM"}},
		{"sender", map[string]string{"MAIL_FROM": hidden}, []string{"MAIL_FROM"}},
		{"level", map[string]string{"LOG_LEVEL": hidden}, []string{"LOG_LEVEL"}},
		{"format", map[string]string{"LOG_FORMAT": hidden}, []string{"LOG_FORMAT"}},
		{"no time", map[string]string{"REFRESH_AHEAD": hidden}, []string{"REFRESH_AHEAD"}},
		{"too short a time", map[string]string{"REFRESH_AHEAD": "1ms"}, []string{"REFRESH_AHEAD"}},
		{"environment", map[string]string{"PIER_ENVIRONMENT": hidden}, []string{"PIER_ENVIRONMENT"}},
		{"setting", map[string]string{"PIER_BASE_URL": "http://" + hidden}, []string{"PIER_BASE_URL"}},
		{"setting quoted", map[string]string{"PIER_BASE_URL": "https://" + hidden + "/%zz"}, []string{"PIER_BASE_URL"}},
		{"secret quoted", map[string]string{"PIER_CLIENT_SECRET": hidden}, []string{"PIER_CLIENT_SECRET"}},
		{"secret file", map[string]string{"PIER_CLIENT_SECRET_FILE": "/" + hidden}, []string{"PIER_CLIENT_SECRET_FILE"}},
		{"plain quoted", map[string]string{"QUAY_MODE": hidden}, []string{"QUAY_MODE"}},
		{"two lines", map[string]string{"LOG_LEVEL": "info\n" + hidden}, []string{"LOG_LEVEL"}},
		{"many at once", map[string]string{"PUBLIC_URL": hidden, "KEYSET": hidden, "LISTEN_ADDR": hidden, "PIER_ENVIRONMENT": hidden, "LOG_LEVEL": hidden},
			[]string{"PUBLIC_URL", "KEYSET", "LISTEN_ADDR", "PIER_ENVIRONMENT", "LOG_LEVEL"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := config.Load(world(with(test.vars), map[string]string{"/bad": hidden, "/empty": "\n"}), config.Serving, descriptors())
			faults, ok := errors.AsType[config.Faults](err)
			if !ok {
				t.Fatalf("error = %v, want Faults", err)
			}
			var got []string
			for _, f := range faults {
				got = append(got, f.Name)
			}
			slices.Sort(got)
			slices.Sort(test.want)
			if !slices.Equal(got, test.want) {
				t.Errorf("faults name %v, want %v", got, test.want)
			}
			if strings.Contains(err.Error(), hidden) || strings.Contains(err.Error(), "pw-") {
				t.Errorf("the error repeats a value: %v", err)
			}
		})
	}
}

func TestOwningNeedsTheOwner(t *testing.T) {
	vars := map[string]string{"DATABASE_URL": "postgres://app@db/m"}
	if _, err := config.Load(world(vars, nil), config.Owning, nil); err == nil || !strings.Contains(err.Error(), "MIGRATE_DATABASE_URL") {
		t.Errorf("error = %v, want one about MIGRATE_DATABASE_URL", err)
	}
	vars = map[string]string{"MIGRATE_DATABASE_URL": "postgres://owner@db/m"}
	if _, err := config.Load(world(vars, nil), config.Owning, nil); err != nil {
		t.Errorf("the owner alone is enough to migrate: %v", err)
	}
}

func TestPlainHTTPIsAcceptedForThisMachineOnly(t *testing.T) {
	for address, ok := range map[string]bool{
		"http://localhost:8080": true, "http://127.0.0.1": true, "http://[::1]:80": true,
		"http://localhost.example.com": false, "http://127.0.0.1.nip.io": false, "http://10.0.0.1": false,
	} {
		_, err := config.Load(world(with(map[string]string{"PUBLIC_URL": address}), nil), config.Serving, nil)
		if (err == nil) != ok {
			t.Errorf("%s: error = %v, accepted should be %v", address, err, ok)
		}
	}
}
