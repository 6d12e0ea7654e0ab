package bench

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

//go:embed templates/*.html
var shared embed.FS

//go:embed simulator.css
var style []byte

//go:embed mark.svg
var mark []byte

// Page is the shell around every page. A page's own struct embeds it.
type Page struct {
	Lang     Lang
	Title    Text
	Provider Text // zero on the index page
	Path     string
	Keep     url.Values // what of the address must survive a change of language
	Active   int        // faults that are on
	Sheet    string     // the style sheet's address
}

// L picks the language in a template: {{.L "中文" "English"}}. Both stand together, so neither can be missing.
func (p Page) L(zh, en string) string { return Text{zh, en}.In(p.Lang) }

// In picks the language of a text in a template.
func (p Page) In(t Text) string { return t.In(p.Lang) }

// Switch is the address of this page in the other language. It is built here as a whole: inside a query a template
// would escape the "&" as well.
func (p Page) Switch(lang Lang) string {
	query := url.Values{"lang": {string(lang)}}
	for name, values := range p.Keep {
		if name != "lang" {
			query[name] = values
		}
	}
	return p.Path + "?" + query.Encode()
}

// shell lets Render fill in the embedded Page of any page struct.
func (p *Page) shell() *Page { return p }

// View is a page struct: a pointer to a struct that embeds Page.
type View interface{ shell() *Page }

// Pages renders. Every page gets a strict policy: no script, no inline style, forms only to itself and to the
// origins that are named.
type Pages struct {
	templates map[string]*template.Template
	sheet     []byte
	sheetName string
}

// newPages parses the shared pages and a provider's own.
func newPages(own fs.FS, extra []byte) (*Pages, error) {
	sheet := slices.Concat(style, extra)
	sum := sha256.Sum256(sheet)
	p := &Pages{templates: map[string]*template.Template{}, sheet: sheet, sheetName: "simulator-" + hex.EncodeToString(sum[:6]) + ".css"}
	layout, err := template.ParseFS(shared, "templates/layout.html")
	if err != nil {
		return nil, fmt.Errorf("simulator pages: %w", err)
	}
	for _, source := range []fs.FS{shared, own} {
		if err := p.parse(layout, source); err != nil {
			return nil, fmt.Errorf("simulator pages: %w", err)
		}
	}
	return p, nil
}

// NewPages makes pages without a bench, for the index.
func NewPages(own fs.FS, extra []byte) (*Pages, error) { return newPages(own, extra) }

func (p *Pages) parse(layout *template.Template, source fs.FS) error {
	if source == nil {
		return nil
	}
	files, err := fs.Glob(source, "templates/*.html")
	if err != nil {
		return err
	}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" {
			continue
		}
		set, err := template.Must(layout.Clone()).ParseFS(source, file)
		if err != nil {
			return err
		}
		p.templates[name] = set
	}
	return nil
}

// Render makes an answer of a page. formOrigins are the foreign origins its forms may end at by redirect: a browser
// checks form-action along the whole chain of redirects.
func (p *Pages) Render(status int, name string, v View, formOrigins ...string) Answer {
	v.shell().Sheet = "/_assets/" + p.sheetName
	var buf bytes.Buffer
	set, ok := p.templates[name]
	if !ok {
		return page(http.StatusInternalServerError, "no page "+name)
	}
	if err := set.ExecuteTemplate(&buf, "layout", v); err != nil {
		return page(http.StatusInternalServerError, "page "+name+" failed")
	}
	return Answer{Status: status, Header: pageHeader(formOrigins), Body: tidy(buf.Bytes())}
}

// tidy drops the empty lines and trailing blanks that conditions leave behind. No page holds preformatted text.
func tidy(html []byte) []byte {
	out := make([]byte, 0, len(html))
	for line := range bytes.Lines(html) {
		if line = bytes.TrimRight(line, " \t\r\n"); len(line) > 0 {
			out = append(append(out, line...), '\n')
		}
	}
	return out
}

func pageHeader(formOrigins []string) http.Header {
	forms := strings.Join(append([]string{"'self'"}, formOrigins...), " ")
	return http.Header{
		"Content-Type":    {"text/html; charset=utf-8"},
		"Cache-Control":   {"no-store"},
		"Referrer-Policy": {"no-referrer"},
		"Vary":            {"Accept-Language, Cookie"},
		"Content-Security-Policy": {"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; " +
			"frame-ancestors 'none'; form-action " + forms},
	}
}

// WriteTo sends an answer outside of Handle, for the pages that no fault may spoil.
func (a Answer) WriteTo(w http.ResponseWriter, r *http.Request) {
	rememberLanguage(w, r)
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // nothing can be done for a browser that has left
}

// Assets serves the style sheet, under a name that changes with it, and the mark.
func (p *Pages) Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var kind string
		var data []byte
		switch r.PathValue("file") {
		case p.sheetName:
			kind, data = "text/css; charset=utf-8", p.sheet
		case "mark.svg":
			kind, data = "image/svg+xml", mark
		default:
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "public, max-age=86400")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(data)
	})
}
