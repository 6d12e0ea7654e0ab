package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"sync"
	"time"
)

// ledgerSize is how many calls are remembered; counters go on counting beyond it.
const ledgerSize = 2000

// Fingerprint names a secret without telling it: lower-hex SHA-256. A test that holds the code finds its line by it.
func Fingerprint(secret string) string {
	if secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Entry is one call. It holds no secret, no query and no body.
type Entry struct {
	Seq       int       `json:"seq"`
	At        time.Time `json:"at"` // the provider's clock
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Stage     Stage     `json:"stage,omitempty"`
	Status    int       `json:"status"`            // 0: no answer was sent
	Outcome   string    `json:"outcome"`           // one word, or a few joined by underscores
	Client    string    `json:"client,omitempty"`  // client_id
	Account   string    `json:"account,omitempty"` // the provider's account
	RequestID string    `json:"request_id,omitempty"`
	Code      string    `json:"code_sha256,omitempty"`
	Faults    []string  `json:"faults,omitempty"`
}

// Counters count since the start, or since the ledger was last cleared.
type Counters struct {
	Calls          int            `json:"calls"`
	Stages         map[Stage]int  `json:"stages"` // "": calls to no documented address
	Outcomes       map[string]int `json:"outcomes"`
	TokenExchanges map[string]int `json:"token_exchanges"` // by the code's SHA-256: how often it was presented
	TokensIssued   map[string]int `json:"tokens_issued"`   // by the code's SHA-256: how often it was honoured
}

// OutcomeIssued is the outcome of a token call that was honoured.
const OutcomeIssued = "issued"

// Ledger remembers the calls.
type Ledger struct {
	mu      sync.Mutex
	seq     int
	entries []Entry
	counts  Counters
}

func newLedger() *Ledger { return &Ledger{counts: newCounters()} }

func newCounters() Counters {
	return Counters{
		Stages: map[Stage]int{}, Outcomes: map[string]int{},
		TokenExchanges: map[string]int{}, TokensIssued: map[string]int{},
	}
}

// add writes a line. It is written before the answer is sent, so that whoever has the answer finds the line.
func (l *Ledger) add(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	e.Seq = l.seq
	if len(l.entries) == ledgerSize {
		l.entries = slices.Delete(l.entries, 0, ledgerSize/10)
	}
	l.entries = append(l.entries, e)
	l.counts.Calls++
	l.counts.Stages[e.Stage]++
	l.counts.Outcomes[e.Outcome]++
	if e.Stage == Token && e.Code != "" {
		l.counts.TokenExchanges[e.Code]++
		if e.Outcome == OutcomeIssued {
			l.counts.TokensIssued[e.Code]++
		}
	}
}

// After lists the remembered calls with a greater number, oldest first, and the counters.
func (l *Ledger) After(seq int) ([]Entry, Counters) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := slices.IndexFunc(l.entries, func(e Entry) bool { return e.Seq > seq })
	list := []Entry{}
	if from >= 0 {
		list = slices.Clone(l.entries[from:])
	}
	counts := l.counts
	counts.Stages, counts.Outcomes = maps.Clone(counts.Stages), maps.Clone(counts.Outcomes)
	counts.TokenExchanges, counts.TokensIssued = maps.Clone(counts.TokenExchanges), maps.Clone(counts.TokensIssued)
	return list, counts
}

// Clear forgets calls and counters; numbers go on.
func (l *Ledger) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries, l.counts = nil, newCounters()
}
