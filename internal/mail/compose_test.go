package mail_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"mooring/internal/i18n"
	"mooring/internal/mail"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestCompose_Golden(t *testing.T) {
	composer := newComposer(t)
	for _, lang := range []string{"zh-CN", "en"} {
		for _, kind := range []mail.Kind{mail.SignUp, mail.Reset, mail.Known, mail.Closed, mail.Alarm} {
			letter, err := composer.Compose(mail.Note{
				Kind: kind, To: "a@example.com", Language: lang, URL: "https://mooring.example/x/TOKEN",
				SignInURL: "https://mooring.example/login", Life: 24 * time.Hour,
			})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, string(kind)+"."+lang+".golden", "Subject: "+letter.Subject+"\n\n"+letter.Text+"\n"+letter.HTML)
		}
	}
}

func TestCompose_GoldenInvitations(t *testing.T) {
	composer := newComposer(t)
	for _, lang := range []string{"zh-CN", "en"} {
		for kind, life := range map[mail.Kind]time.Duration{mail.Invite: 7 * 24 * time.Hour, mail.Step: time.Hour} {
			letter, err := composer.Compose(mail.Note{
				Kind: kind, To: "a@example.com", Language: lang, URL: "https://mooring.example/invitations/TOKEN",
				From: "finch@harbour.example", Life: life,
			})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, string(kind)+"."+lang+".golden", "Subject: "+letter.Subject+"\n\n"+letter.Text+"\n"+letter.HTML)
		}
	}
}

func TestCompose_GoldenAboutConnections(t *testing.T) {
	composer := newComposer(t)
	for _, lang := range []string{"zh-CN", "en"} {
		for _, kind := range []mail.Kind{
			mail.NeedsYou, mail.Recovered, mail.Expiring, mail.Changed, mail.Revealed, mail.ReviewStarted, mail.ReviewApproved,
			mail.ReviewMore, mail.ReviewRejected, mail.LinkAsked,
		} {
			letter, err := composer.Compose(mail.Note{
				Kind: kind, To: "a@example.com", Language: lang, URL: "https://mooring.example/connections/ID",
				About: mail.About{
					Business: "Harbour Ltd", Provider: "AsiaBill", Account: "12***89", Who: "m***@e***", Why: "WHY.", Next: "NEXT.", Block: "BLOCK", Days: 7,
					At: time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC), SettingsURL: "https://mooring.example/settings#notices",
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, string(kind)+"."+lang+".golden", "Subject: "+letter.Subject+"\n\n"+letter.Text+"\n"+letter.HTML)
		}
	}
}

func TestCompose_GoldenDigest(t *testing.T) {
	composer := newComposer(t)
	for _, lang := range []string{"zh-CN", "en"} {
		letter, err := composer.Compose(mail.Note{
			Kind: mail.Digest, To: "a@example.com", Language: lang, URL: "https://mooring.example/admin",
			Lines: []mail.Line{{Text: "FIRST.", URL: "https://mooring.example/admin/first"}, {Text: "SECOND.", URL: "https://mooring.example/admin/second?a=b"}},
			About: mail.About{
				At: time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC), Until: time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC),
				SettingsURL: "https://mooring.example/settings#digest",
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "digest."+lang+".golden", "Subject: "+letter.Subject+"\n\n"+letter.Text+"\n"+letter.HTML)
	}
}

// TestCompose_HostileNamesAreNames: a business may be called anything, and a provider may send any account.
func TestCompose_HostileNamesAreNames(t *testing.T) {
	letter, err := newComposer(t).Compose(mail.Note{
		Kind: mail.NeedsYou, To: "a@example.com", Language: "en", URL: "https://mooring.example/connections/ID",
		About: mail.About{
			Business: "<a href=//evil.example>win</a> https://evil.example/win\r\nBcc: b@evil.example \u202e" + strings.Repeat("x", 500),
			Provider: "P\r\nBcc: b@evil.example", Account: "</p><script>1</script>",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(letter.Subject, "\r\n") {
		t.Errorf("the subject has more than one line: %q", letter.Subject)
	}
	for _, never := range []string{"<script", "<a href=//", "\u202e", strings.Repeat("x", 61)} {
		if strings.Contains(letter.HTML, never) {
			t.Errorf("the HTML holds %q", never)
		}
	}
	for _, never := range []string{"evil.example", "https://evil", "\nBcc"} {
		if strings.Contains(letter.Text, never) || strings.Contains(letter.HTML, never) {
			t.Errorf("the letter holds %q:\n%s", never, letter.Text)
		}
	}
}

// TestCompose_EveryHostileNameIsAName: of whatever a provider or a person calls something, a letter has no more markup,
// addresses and lines in its head than of a calm name.
func TestCompose_EveryHostileNameIsAName(t *testing.T) {
	composer := newComposer(t)
	compose := func(kind mail.Kind, name string) mail.Letter {
		letter, err := composer.Compose(mail.Note{
			Kind: kind, To: "a@example.com", Language: "zh-CN", URL: "https://mooring.example/connections/ID", From: name,
			About: mail.About{Business: name, Provider: name, Account: name},
		})
		if err != nil {
			t.Fatal(err)
		}
		return letter
	}
	for _, kind := range []mail.Kind{mail.Invite, mail.Step, mail.NeedsYou, mail.Recovered, mail.Expiring, mail.Changed} {
		calm := compose(kind, "calm")
		for _, name := range oauthtest.Hostile() {
			got := compose(kind, name)
			if strings.ContainsFunc(got.Subject, unicode.IsControl) {
				t.Errorf("%s of %q: the subject is %q", kind, name, got.Subject)
			}
			if strings.Count(got.HTML, "<") != strings.Count(calm.HTML, "<") || strings.Count(got.HTML, "://") != strings.Count(calm.HTML, "://") {
				t.Errorf("%s of %q has other elements or addresses:\n%s", kind, name, got.HTML)
			}
			if strings.Count(got.Text, "://") != strings.Count(calm.Text, "://") || strings.Count(got.Text, "\n") != strings.Count(calm.Text, "\n") {
				t.Errorf("%s of %q has other lines or addresses:\n%s", kind, name, got.Text)
			}
		}
	}
}

func TestCompose_UnknownKindIsAnError(t *testing.T) {
	if letter, err := newComposer(t).Compose(mail.Note{Kind: "poem", Language: "en"}); err == nil {
		t.Errorf("Compose = %+v, want an error", letter)
	}
}

// TestLetter_TakesTheWholeWay is the path of a real mail: catalogue, forms, SMTP, and what arrives.
func TestLetter_TakesTheWholeWay(t *testing.T) {
	capture, url, err := mail.StartCapture(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sender, err := mail.NewSMTP(secret.New(url), "Mooring <no-reply@example.com>")
	if err != nil {
		t.Fatal(err)
	}
	letter, err := newComposer(t).Compose(mail.Note{
		Kind: mail.Reset, To: "a@example.com", Language: "zh-CN", URL: "https://mooring.example/reset/TOKEN", Life: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	got := capture.Letters()[0]
	if got.Subject != letter.Subject || got.Text != letter.Text || got.HTML != letter.HTML || got.To != letter.To {
		t.Errorf("arrived %+v\nwant %+v", got, letter)
	}
}

func newComposer(t *testing.T) *mail.Composer {
	t.Helper()
	bundle, err := i18n.NewBundle()
	if err != nil {
		t.Fatal(err)
	}
	composer, err := mail.NewComposer(bundle)
	if err != nil {
		t.Fatal(err)
	}
	return composer
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it and run with -update\ngot:\n%s", name, got)
	}
}
