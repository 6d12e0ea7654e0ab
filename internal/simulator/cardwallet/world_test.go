package cardwallet

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"mooring/internal/simulator/bench"
)

// noon is a Monday noon in Beijing.
func noon() time.Time { return time.Date(2026, 3, 16, 4, 0, 0, 0, time.UTC) }

// world is a simulator and its address.
type world struct {
	*testing.T
	sim *Simulator
	url string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldIn(t, "")
}

func newWorldIn(t *testing.T, dir string) *world {
	t.Helper()
	sim, err := New(Options{Dir: dir, Now: noon, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	return &world{t, sim, server.URL}
}

// answer is what came, with numbers to the letter.
type answer struct {
	Status int
	Header http.Header
	Text   string

	Success bool            `json:"success"`
	Code    any             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// data reads the answer's data.
func (a answer) data() map[string]any {
	v, _ := exactly(a.Data).(map[string]any)
	return v
}

// exactly decodes JSON without losing a digit.
func exactly(text []byte) any {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

func (w *world) do(method, path, body string, header ...string) answer {
	w.Helper()
	r, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.Fatal(err)
	}
	a := answer{Status: res.StatusCode, Header: res.Header, Text: string(text)}
	_ = json.Unmarshal(text, &a) // where it is JSON
	return a
}

func (w *world) client(i int) Client { return w.sim.Clients()[i] }

func params(c Client) url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ClientID}, "client_secret": {c.ClientSecret}}
}

func (w *world) ask(values url.Values) answer {
	w.Helper()
	return w.do("POST", tokenPath+"?"+values.Encode(), "")
}

// access gets a token for a merchant.
func (w *world) access(i int) string {
	w.Helper()
	a := w.ask(params(w.client(i)))
	access, ok := a.data()["access_token"].(string)
	if !ok {
		w.Fatalf("no token: %s", a.Text)
	}
	return access
}

// read makes a correct read.
func (w *world) read(path, access, body string) answer {
	w.Helper()
	return w.do("POST", path, body, "Authorization", "Bearer "+access, "Content-Type", "application/json")
}

func (w *world) fault(name string) {
	w.Helper()
	if err := w.sim.Board.Set(bench.Rule{Name: name}); err != nil {
		w.Fatal(err)
	}
}

// last is the newest line of the ledger.
func (w *world) last() bench.Entry {
	w.Helper()
	entries, _ := w.sim.Ledger.After(0)
	if len(entries) == 0 {
		w.Fatal("the ledger is empty")
	}
	return entries[len(entries)-1]
}

func (w *world) want(got, want any, what string) {
	w.Helper()
	if got != want {
		w.Errorf("%s: got %v, want %v", what, got, want)
	}
}
