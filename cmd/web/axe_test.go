package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// tools is where npm puts the checkers; scripts/ensure-test-tools sees to it.
const tools = "../../node_modules"

// sizes are how a page is looked at in each language: every pair of language, theme and width is there once.
var sizes = map[string][]struct {
	theme string
	width int64
}{"zh-CN": {{"dark", 1280}, {"light", 320}}, "en": {{"light", 1280}, {"dark", 320}}}

// heaviest is how many bytes of HTML a page may have as the proxy sends it. Style, script and marks are 11 KB more, sent once.
const heaviest = 49_000

// weigh compresses a page as the proxy does.
func weigh(t *testing.T, page string) int {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(page)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Len()
}

// TestE2E_EveryPageIsAccessibleAndValid takes the tour of all pages in both languages: axe finds nothing that the Web
// Content Accessibility Guidelines 2.2 AA forbid, html-validate nothing in what the server sends, and nothing must be
// moved sideways to be read.
func TestE2E_EveryPageIsAccessibleAndValid(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join(tools, "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("axe-core is missing; `make test` installs it: %v", err)
	}
	base := startDemo(t)
	pages := t.TempDir()
	for _, language := range []string{"zh-CN", "en"} {
		tour(t, base, language, func(b *browser, name string) {
			evaluate[any](b, string(axe)+"; null")
			for _, size := range sizes[language] {
				b.do(chromedp.EmulateViewport(size.width, 900))
				b.media(emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: size.theme}}})
				at := fmt.Sprintf("%s (%s, %s, %d px)", name, language, size.theme, size.width)
				for _, found := range evaluate[[]string](b, `axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
					.then(r => r.violations.map(v => v.impact + " " + v.id + ": " + v.help + " " + v.nodes.map(n => n.html).join(" | ")))`) {
					t.Errorf("%s: %s", at, found)
				}
				b.inside(at)
			}
			b.do(chromedp.EmulateViewport(1280, 900))
			if lang := evaluate[string](b, `document.documentElement.lang`); lang != language {
				t.Errorf("%s says that it is in %q, want %q", name, lang, language)
			}
			sent := evaluate[string](b, `fetch(location.href).then(r => r.text())`)
			if weight := weigh(t, sent); weight > heaviest {
				t.Errorf("%s (%s) weighs %d bytes, more than %d", name, language, weight, heaviest)
			}
			file := filepath.Join(pages, fmt.Sprintf("%s.%s.html", name, language))
			if err := os.WriteFile(file, []byte(sent), 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
	config, err := filepath.Abs("testdata/html-validate.json")
	if err != nil {
		t.Fatal(err)
	}
	validate, err := filepath.Abs(filepath.Join(tools, ".bin", "html-validate"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(validate, "--config", config, "--formatter", "text", pages+"/*.html").CombinedOutput()
	if err != nil {
		t.Errorf("html-validate: %v\n%s", err, strings.ReplaceAll(string(out), pages+"/", ""))
	}
}
