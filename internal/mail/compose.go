package mail

import (
	"bytes"
	_ "embed" // the two forms of a letter
	"fmt"
	htmltemplate "html/template"
	texttemplate "text/template"

	"mooring/internal/i18n"
)

//go:embed letter.html
var htmlForm string

//go:embed letter.txt
var textForm string

// Composer turns notes into letters.
type Composer struct {
	bundle *i18n.Bundle
	html   *htmltemplate.Template
	text   *texttemplate.Template
}

// page is what both forms show. The words are the catalogue's, the URL ours.
type page struct {
	Lang    string
	Subject string
	Intro   string
	Lines   []Line // of a digest, and steps to do
	Button  string
	URL     string
	Hint    string // how long the link works, or where else to go
	NotYou  string
	Footer  string
}

// NewComposer reads the forms of letters.
func NewComposer(bundle *i18n.Bundle) (*Composer, error) {
	html, err := htmltemplate.New("letter.html").Parse(htmlForm)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	text, err := texttemplate.New("letter.txt").Parse(textForm)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return &Composer{bundle: bundle, html: html, text: text}, nil
}

// Compose writes the letter of a note in its language.
func (c *Composer) Compose(n Note) (Letter, error) {
	p, err := c.page(n)
	if err != nil {
		return Letter{}, err
	}
	var text, html bytes.Buffer
	if err := c.text.Execute(&text, p); err != nil {
		return Letter{}, fmt.Errorf("mail: writing the text: %w", err)
	}
	if err := c.html.Execute(&html, p); err != nil {
		return Letter{}, fmt.Errorf("mail: writing the HTML: %w", err)
	}
	return Letter{To: n.To, Subject: p.Subject, Text: text.String(), HTML: html.String()}, nil
}
