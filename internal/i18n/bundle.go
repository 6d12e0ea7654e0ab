// Package i18n owns the words of Mooring in both languages, and the way dates, times, numbers and money are written in
// them.
//
// The words lie in catalog/<topic>.<language>.toml, one flat key per message; a test keeps both languages complete and
// finds keys that nobody uses or nobody defined. A Printer speaks one language and is a value of the request, never
// global. A provider's own texts are oauth.Text; which language a request gets is decided in handlers.
package i18n

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"
)

//go:embed catalog/*.toml
var catalogs embed.FS

// The languages, by the tags that pages, cookies and rows carry.
const (
	Chinese = "zh-CN"
	English = "en"
)

// Languages lists the languages in the order a switch shows them.
func Languages() []string { return []string{Chinese, English} }

// Bundle holds the catalogues of all languages, read once.
type Bundle struct {
	tongues map[string]*tongue
	matcher language.Matcher
	atlas   *atlas
}

// tongue is one language, ready to speak.
type tongue struct {
	tag       string
	plain     map[string]string // messages without placeholders or plural forms
	plural    map[string]bool   // messages that need a count
	known     map[string]bool
	localizer *i18n.Localizer
	atlas     *atlas
	home      *time.Location // of readers who have chosen no zone
}

// NewBundle reads the catalogues. It fails on a file that does not parse, and on one whose name or key is odd.
func NewBundle() (*Bundle, error) {
	words := i18n.NewBundle(language.English)
	words.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	b := &Bundle{tongues: map[string]*tongue{}, atlas: &atlas{}}
	var tags []language.Tag
	for _, tag := range Languages() {
		home, err := b.atlas.find(homeZone(tag))
		if err != nil {
			return nil, err
		}
		b.tongues[tag] = &tongue{
			tag: tag, plain: map[string]string{}, plural: map[string]bool{}, known: map[string]bool{},
			localizer: i18n.NewLocalizer(words, tag), atlas: b.atlas, home: home,
		}
		tags = append(tags, language.MustParse(tag))
	}
	b.matcher = language.NewMatcher(tags)
	files, err := fs.Glob(catalogs, "catalog/*.toml")
	if err != nil {
		return nil, fmt.Errorf("i18n: %w", err)
	}
	for _, name := range files {
		if err := b.read(words, name); err != nil {
			return nil, fmt.Errorf("i18n: %s: %w", name, err)
		}
	}
	return b, nil
}

func (b *Bundle) read(words *i18n.Bundle, name string) error {
	text, err := catalogs.ReadFile(name)
	if err != nil {
		return err
	}
	file, err := words.ParseMessageFileBytes(text, path.Base(name))
	if err != nil {
		return err
	}
	t, ok := b.tongues[file.Tag.String()]
	if !ok {
		return fmt.Errorf("nobody speaks %q here", file.Tag)
	}
	for _, m := range file.Messages {
		if t.known[m.ID] {
			return fmt.Errorf("key %q stands twice", m.ID)
		}
		t.known[m.ID] = true
		switch {
		case m.One != "" || strings.Contains(m.Other, "{{.count}}"):
			t.plural[m.ID] = true
		case !strings.Contains(m.Other, "{{"):
			t.plain[m.ID] = m.Other
		}
	}
	return nil
}

// Match picks the language for an Accept-Language header. Whoever reads none of ours reads English.
func (b *Bundle) Match(acceptLanguage string) string {
	if len(acceptLanguage) > 200 { // browsers send a few dozen bytes
		return English
	}
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(wanted) == 0 {
		return English
	}
	_, at, confidence := b.matcher.Match(wanted...)
	if confidence == language.No {
		return English
	}
	return Languages()[at]
}

// Speaks says whether a tag is one of ours, exactly.
func (b *Bundle) Speaks(tag string) bool { return b.tongues[tag] != nil }

// Printer gives the printer of a language; a tag that is not ours speaks English. Relative times count from now on, and
// exact ones are those of where the language's readers are taken to live.
func (b *Bundle) Printer(tag string) *Printer {
	t, ok := b.tongues[tag]
	if !ok {
		t = b.tongues[English]
	}
	return &Printer{tongue: t, now: time.Now(), zone: t.home}
}
