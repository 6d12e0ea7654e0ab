package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// mountControl adds the JSON control API:
//
//	GET    /_control/faults          the menu and what is on
//	PUT    /_control/faults          {"active":[rule, ...]}: these and no others
//	PUT    /_control/faults/{name}   a rule without its name: this one besides the others
//	DELETE /_control/faults          all off
//	DELETE /_control/faults/{name}   this one off
//	GET    /_control/calls?after=N   the calls after number N, and the counters
//	DELETE /_control/calls           forget calls and counters
//	GET    /_control/clock           the provider's time
//	PUT    /_control/clock           {"offset_seconds": n} from the true time
//	DELETE /_control/clock           the true time again
func (b *Bench) mountControl(mux *http.ServeMux) {
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /_control/faults":           b.listFaults,
		"PUT /_control/faults":           b.replaceFaults,
		"DELETE /_control/faults":        b.clearFaults,
		"PUT /_control/faults/{name}":    b.setFault,
		"DELETE /_control/faults/{name}": b.unsetFault,
		"GET /_control/calls":            b.listCalls,
		"DELETE /_control/calls":         b.clearCalls,
		"GET /_control/clock":            b.showClock,
		"PUT /_control/clock":            b.setClock,
		"DELETE /_control/clock":         b.resetClock,
	} {
		mux.Handle(pattern, b.Guard(handler))
	}
}

type faultList struct {
	Menu   []Fault  `json:"menu"`
	Active []Active `json:"active"`
}

// listFaults handles "GET /_control/faults".
func (b *Bench) listFaults(w http.ResponseWriter, _ *http.Request) {
	WriteJSON(w, http.StatusOK, faultList{b.Board.Menu(), b.Board.Active()})
}

// replaceFaults handles "PUT /_control/faults".
func (b *Bench) replaceFaults(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Active []Rule `json:"active"`
	}
	err := ReadJSON(w, r, &in)
	if err == nil {
		err = b.Board.Replace(in.Active)
	}
	b.answerFaults(w, r, err)
}

// setFault handles "PUT /_control/faults/{name}".
func (b *Bench) setFault(w http.ResponseWriter, r *http.Request) {
	var rule Rule
	err := ReadJSON(w, r, &rule)
	if err == nil {
		rule.Name = r.PathValue("name")
		err = b.Board.Set(rule)
	}
	b.answerFaults(w, r, err)
}

// clearFaults handles "DELETE /_control/faults".
func (b *Bench) clearFaults(w http.ResponseWriter, r *http.Request) {
	b.Board.Clear()
	b.listFaults(w, r)
}

// unsetFault handles "DELETE /_control/faults/{name}".
func (b *Bench) unsetFault(w http.ResponseWriter, r *http.Request) {
	b.answerFaults(w, r, b.Board.Unset(r.PathValue("name")))
}

func (b *Bench) answerFaults(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		WriteError(w, err)
		return
	}
	b.listFaults(w, r)
}

// listCalls handles "GET /_control/calls".
func (b *Bench) listCalls(w http.ResponseWriter, r *http.Request) {
	after := 0
	if text := r.URL.Query().Get("after"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			WriteError(w, errors.New("after must be a number"))
			return
		}
		after = n
	}
	calls, counters := b.Ledger.After(after)
	WriteJSON(w, http.StatusOK, struct {
		Calls    []Entry  `json:"calls"`
		Counters Counters `json:"counters"`
	}{calls, counters})
}

// clearCalls handles "DELETE /_control/calls".
func (b *Bench) clearCalls(w http.ResponseWriter, r *http.Request) {
	b.Ledger.Clear()
	b.listCalls(w, r)
}

// showClock handles "GET /_control/clock".
func (b *Bench) showClock(w http.ResponseWriter, _ *http.Request) {
	WriteJSON(w, http.StatusOK, struct {
		Now           time.Time `json:"now"`
		OffsetSeconds int64     `json:"offset_seconds"`
	}{b.Clock.Now().UTC(), int64(b.Clock.Offset() / time.Second)})
}

// setClock handles "PUT /_control/clock".
func (b *Bench) setClock(w http.ResponseWriter, r *http.Request) {
	var in struct {
		OffsetSeconds *int64 `json:"offset_seconds"`
	}
	if err := ReadJSON(w, r, &in); err != nil {
		WriteError(w, err)
		return
	}
	if in.OffsetSeconds == nil {
		WriteError(w, errors.New("offset_seconds is missing"))
		return
	}
	limit := int64(maxOffset / time.Second)
	if *in.OffsetSeconds < -limit || *in.OffsetSeconds > limit {
		WriteError(w, fmt.Errorf("offset_seconds must be within %d", limit))
		return
	}
	b.Clock.Shift(time.Duration(*in.OffsetSeconds) * time.Second)
	b.showClock(w, r)
}

// resetClock handles "DELETE /_control/clock".
func (b *Bench) resetClock(w http.ResponseWriter, r *http.Request) {
	b.Clock.Shift(0)
	b.showClock(w, r)
}

// ReadJSON reads a control request strictly: the right type, one value, no unknown field.
func ReadJSON(w http.ResponseWriter, r *http.Request, v any) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return errors.New("the body must be application/json")
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("the body is not understood: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the body holds more than one value")
	}
	return nil
}

// WriteJSON answers a control request.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	a := JSON(status, v)
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // nothing can be done for a caller that has left
}

// WriteError answers a control request that was wrong.
func WriteError(w http.ResponseWriter, err error) {
	WriteJSON(w, http.StatusUnprocessableEntity, struct {
		Error string `json:"error"`
	}{err.Error()})
}
