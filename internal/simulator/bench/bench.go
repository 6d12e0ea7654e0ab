// Package bench is what every simulated provider stands on: the fault board and its page, the ledger of calls, the
// clock that can be shifted, the small state file, the two-language pages, and the guards around all of it.
//
// It knows no provider. Each provider's own package owns its documents: its addresses, its
// rules, its data and its own faults; it hands its endpoints to Handle and mounts the rest with Mount. Package
// simulator, one floor up, owns the ports and the index page.
//
// A call goes through Handle like this: the body is read, the transport faults that are switched on for the stage are
// taken from the board, the endpoint answers (unless a fault answers for it), the ledger writes the line, the answer
// is spoilt as the faults demand, and sent.
package bench

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"time"
)

// Stage is the part of a journey that a call belongs to. Faults are limited to stages.
type Stage string

// The stages that providers have in common.
const (
	Authorize Stage = "authorize" // the browser's pages, up to the redirect back
	Token     Stage = "token"     // getting and refreshing tokens
	Read      Stage = "read"      // calls that read data

	Outside Stage = "" // what belongs to no documented call; no fault ever spoils it
)

// About is what the pages say of a provider.
type About struct {
	Slug      string // stands in no address; it names the state file and the control answers
	Title     Text
	Summary   Text
	Settings  []Field // what a client must be configured with
	Endpoints []Endpoint
	Accounts  []Account
}

// Field is one labelled value that can be copied.
type Field struct {
	Label Text
	Value string
}

// Endpoint is one documented address.
type Endpoint struct {
	Method, Path string
	Note         Text
}

// Account is a sample account that somebody can sign in with.
type Account struct {
	Business Text
	Note     Text
	Fields   []Field
}

// Options make a Bench.
type Options struct {
	Title     Text
	Faults    []Fault // the provider's own, beside those that all providers have
	Templates fs.FS   // the provider's pages: *.html, each defining "main"
	Style     []byte  // added to the bench's style sheet
	Now       func() time.Time
	Log       *slog.Logger
}

// Bench is one provider's bench.
type Bench struct {
	Board  *Board
	Ledger *Ledger
	Clock  *Clock
	Pages  *Pages

	title Text
	log   *slog.Logger
}

// New makes a bench. Every need must be given: a simulator that guesses its clock cannot be tested.
func New(o Options) (*Bench, error) {
	if o.Now == nil || o.Log == nil {
		return nil, errors.New("bench: a clock and a log are needed")
	}
	board, err := newBoard(append(commonFaults(), o.Faults...))
	if err != nil {
		return nil, err
	}
	pages, err := newPages(o.Templates, o.Style)
	if err != nil {
		return nil, err
	}
	clock := &Clock{now: o.Now}
	return &Bench{Board: board, Ledger: newLedger(), Clock: clock, Pages: pages, title: o.Title, log: o.Log}, nil
}

// Mount adds what every provider's port has beside its documented addresses.
func (b *Bench) Mount(mux *http.ServeMux) {
	mux.Handle("GET /_assets/{file}", b.Pages.Assets())
	mux.Handle("GET /_elsewhere", b.Handle(Outside, followed))
	mux.Handle("GET /_faults", b.Guard(http.HandlerFunc(b.showFaults)))
	mux.Handle("POST /_faults", b.Guard(http.HandlerFunc(b.changeFaults)))
	b.mountControl(mux)
}

// Page is the shell around one of this provider's pages.
func (b *Bench) Page(r *http.Request, title Text) Page {
	return Page{
		Lang: Language(r), Title: title, Provider: b.title, Path: r.URL.Path, Keep: r.URL.Query(),
		Active: len(b.Board.Active()),
	}
}
