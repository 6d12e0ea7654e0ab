package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxBody bounds what a provider reads of a request.
const maxBody = 64 << 10

// Call is one request on its way through an endpoint.
type Call struct {
	Request *http.Request
	Body    []byte
	Now     time.Time // the provider's clock at this call, clock faults included

	bench *Bench
	stage Stage
	entry Entry
}

// Answer is what an endpoint says. It is a value, so that a fault can spoil it before it is sent.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Handler is one endpoint.
type Handler func(*Call) Answer

// Fault takes a fault for this call, if it is on for its stage; the number is the fault's value.
func (c *Call) Fault(name string) (int, bool) {
	value, ok := c.bench.Board.take(name, c.stage)
	if ok {
		c.entry.Faults = append(c.entry.Faults, name)
	}
	return value, ok
}

// Client notes who calls.
func (c *Call) Client(id string) { c.entry.Client = id }

// Account notes whose data it is about.
func (c *Call) Account(id string) { c.entry.Account = id }

// RequestID notes the caller's own number of the call.
func (c *Call) RequestID(id string) { c.entry.RequestID = id }

// Code notes which one-time code was presented; only its fingerprint is kept.
func (c *Call) Code(code string) { c.entry.Code = Fingerprint(code) }

// Outcome notes how it ended.
func (c *Call) Outcome(outcome string) { c.entry.Outcome = outcome }

// Shell is the page around an answer of this call.
func (c *Call) Shell(title Text) Page { return c.bench.Page(c.Request, title) }

// JSON answers with a value.
func JSON(status int, v any) Answer {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // only a type that cannot be encoded: a fault in the simulator itself
		return Answer{Status: http.StatusInternalServerError, Header: http.Header{}}
	}
	header := http.Header{"Content-Type": {"application/json;charset=UTF-8"}, "Cache-Control": {"no-store"}}
	return Answer{Status: status, Header: header, Body: buf.Bytes()}
}

// Redirect answers 303. The caller has made sure that the address is one of its own or a registered one.
func Redirect(location string) Answer {
	header := http.Header{"Location": {location}, "Cache-Control": {"no-store"}}
	return Answer{Status: http.StatusSeeOther, Header: header}
}

// Handle makes an endpoint of a stage out of its handler.
func (b *Bench) Handle(stage Stage, h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &Call{Request: r, bench: b, stage: stage, Now: b.Clock.Now()}
		c.entry = Entry{At: c.Now.UTC(), Method: r.Method, Path: r.URL.Path, Stage: stage}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			b.tooLarge(w, c, err)
			return
		}
		c.Body = body
		rememberLanguage(w, r)
		c.shiftClock()
		if b.instead(w, c) {
			return
		}
		answer := h(c)
		late := c.spoil(&answer)
		c.entry.Status = answer.Status
		b.record(c)
		if wait(r.Context(), late) {
			send(w, c, answer)
		}
	})
}

// record writes the ledger's line and the log's.
func (b *Bench) record(c *Call) {
	if c.entry.Outcome == "" {
		c.entry.Outcome = "answered"
	}
	b.Ledger.add(c.entry)
	b.log.LogAttrs(c.Request.Context(), levelOf(c.entry.Status), "simulated call", attrs(c.entry)...)
}

func (b *Bench) tooLarge(w http.ResponseWriter, c *Call, err error) {
	status := http.StatusBadRequest
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		status = http.StatusRequestEntityTooLarge
	}
	c.entry.Status = status
	c.Outcome("body_refused")
	b.record(c)
	http.Error(w, http.StatusText(status), status)
}

// send writes an answer as it is.
func send(w http.ResponseWriter, c *Call, a Answer) {
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Date", c.Now.UTC().Format(http.TimeFormat))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // a client that has left is no concern of the provider's
}

// followed is where the redirect of FaultElsewhere leads: nobody should arrive.
func followed(c *Call) Answer {
	c.Outcome("followed_redirect")
	if c.Request.Header.Get("Authorization") != "" {
		c.Outcome("followed_redirect_with_authorization")
	}
	return JSON(http.StatusOK, map[string]string{"code": "00000", "message": "nobody should be here"})
}
