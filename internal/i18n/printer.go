package i18n

import (
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
)

// Printer speaks one language in one request, and tells times as they are where its reader lives.
type Printer struct {
	*tongue
	now  time.Time
	zone *time.Location
}

// At gives the same printer with another present moment, which relative times are measured from.
func (p *Printer) At(now time.Time) *Printer {
	return &Printer{tongue: p.tongue, now: now, zone: p.zone}
}

// Lang is the language's tag, for the page's lang attribute.
func (p *Printer) Lang() string { return p.tag }

// Has says whether there is a message of that key.
func (p *Printer) Has(key string) bool { return p.known[key] }

// T gives a message. The values of its placeholders follow as name, value pairs or as one map; "count" also picks the
// plural form. A key that is not in the catalogue is shown in angle quotes, which the tests look for.
func (p *Printer) T(key string, args ...any) string {
	if text, ok := p.plain[key]; ok {
		return text
	}
	if !p.known[key] {
		return "⟨" + key + "⟩"
	}
	data := placeholders(args)
	config := &i18n.LocalizeConfig{MessageID: key, TemplateData: data}
	if p.plural[key] {
		config.PluralCount = data["count"]
	}
	text, err := p.localizer.Localize(config)
	if err != nil || strings.Contains(text, "<no value>") {
		return "⟨" + key + "⟩"
	}
	return text
}

func placeholders(args []any) map[string]any {
	if len(args) == 1 {
		if m, ok := args[0].(map[string]any); ok {
			return m
		}
	}
	data := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		if name, ok := args[i].(string); ok {
			data[name] = args[i+1]
		}
	}
	return data
}
