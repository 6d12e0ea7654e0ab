package redemption

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"mooring/internal/simulator/bench"
)

// keptDeliveries is how many callbacks are remembered.
const keptDeliveries = 1000

// pauses is the documented schedule after a callback that was not answered with SUCCESS.
func pauses() []time.Duration {
	return []time.Duration{
		15 * time.Second, 30 * time.Second, 3 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute,
		time.Hour, 3 * time.Hour, 6 * time.Hour,
	}
}

// Delivery is one callback that was sent. It holds no openId and no signature.
type Delivery struct {
	At       time.Time `json:"at"` // the provider's clock
	SerialNo string    `json:"serial_no"`
	Try      int       `json:"try"`             // 1: the first
	Fault    string    `json:"fault,omitempty"` // what was wrong with it; empty: genuine
	Status   int       `json:"status"`          // 0: no answer
	Outcome  string    `json:"outcome"`         // success, refused, unreachable
}

// mission is a callback on its way.
type mission struct {
	link   link
	fault  string // the mischief in it; such a one is sent once, and no genuine one follows
	copies int    // of the first one, all at once
	delay  time.Duration
	after  bool // another openId follows after the success
	again  bool // retries repeat the first one byte by byte
	manner manner
}

// manner is how a body and its headers are written, where the documents leave it open.
type manner struct {
	signType, spaced, minimal bool
	openName                  string
}

// missionOf takes the faults of the call in which somebody agreed.
func missionOf(c *bench.Call, l link) mission {
	m := mission{link: l, copies: 1, manner: manner{openName: "openId"}}
	for _, name := range badCallbacks() {
		if _, on := c.Fault(name); on && m.fault == "" {
			m.fault = name
		}
	}
	if n, on := c.Fault(faultDuplicates); on {
		m.copies = n
	}
	if seconds, on := c.Fault(faultLate); on {
		m.delay = time.Duration(seconds) * time.Second
	}
	_, m.after = c.Fault(faultSecondOpenID)
	_, m.again = c.Fault(variantSameNonce)
	_, m.manner.signType = c.Fault(variantSignType)
	_, m.manner.spaced = c.Fault(variantSpaced)
	_, m.manner.minimal = c.Fault(variantMinimal)
	if _, on := c.Fault(variantOpenID); on {
		m.manner.openName = "openid"
	}
	if _, on := c.Fault(variantAlipayOpenID); on {
		m.manner.openName = "alipayOpenId"
	}
	return m
}

// dispatch sends a callback in the background, and again by the schedule, until the simulator is closed.
func (s *Simulator) dispatch(m mission) {
	if m.manner.openName == "" {
		m.manner.openName = "openId"
	}
	if m.link.CallbackURL == "" || m.fault == faultWithheld { // without an address nobody hears of it: so the documents
		return
	}
	if m.fault == "" {
		s.owe(m.link.SerialNo, true)
	}
	ctx := s.running()
	go func() {
		if pause(ctx, m.delay) {
			s.deliver(ctx, m)
		}
		if m.fault == "" && ctx.Err() == nil {
			s.owe(m.link.SerialNo, false)
		}
	}()
}

// owe writes down whether a link's callback is still to be sent, for a start after a stop. That it cannot be written
// down costs no more than that.
func (s *Simulator) owe(serialNo string, owed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.state.Links[serialNo]; ok && l.Owed != owed {
		l.Owed = owed
		_ = s.store.Save(s.state)
	}
}

// resume sends what an earlier start owed, by the schedule from its beginning.
func (s *Simulator) resume() {
	s.mu.Lock()
	var owed []link
	for _, l := range s.state.Links {
		if l.Owed {
			owed = append(owed, *l)
		}
	}
	s.mu.Unlock()
	for _, l := range owed {
		s.dispatch(mission{link: l, copies: 1})
	}
}

func (s *Simulator) deliver(ctx context.Context, m mission) {
	first, err := s.write(m)
	if err != nil {
		s.note(Delivery{SerialNo: m.link.SerialNo, Try: 1, Outcome: "not_written"})
		return
	}
	done := s.sendCopies(ctx, m, first)
	for try := 2; !done && m.fault == ""; try++ {
		if try-2 >= len(pauses()) || !pause(ctx, scaled(pauses()[try-2], s.scale)) {
			return
		}
		next := first
		if !m.again {
			if next, err = s.write(m); err != nil {
				return
			}
		}
		done = s.sendOne(ctx, m, next, try)
	}
	if done && m.after {
		m.link.OpenID = openID(m.link.MerchantID, "somebody else")
		if other, err := s.write(m); err == nil {
			m.fault = faultSecondOpenID
			s.sendOne(ctx, m, other, 1)
		}
	}
}

func scaled(d time.Duration, scale float64) time.Duration { return time.Duration(float64(d) * scale) }

func (s *Simulator) sendCopies(ctx context.Context, m mission, l letter) bool {
	results := make(chan bool)
	for range m.copies {
		go func() { results <- s.sendOne(ctx, m, l, 1) }()
	}
	done := false
	for range m.copies {
		done = <-results || done
	}
	return done
}

// sendOne sends a callback once. Only the body SUCCESS, in whatever case, is a success.
func (s *Simulator) sendOne(ctx context.Context, m mission, l letter, try int) bool {
	d := Delivery{SerialNo: m.link.SerialNo, Try: try, Fault: m.fault, Outcome: "unreachable"}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.link.CallbackURL, bytes.NewReader(l.body))
	if err == nil {
		req.Header = l.header.Clone()
		var res *http.Response
		if res, err = s.client.Do(req); err == nil {
			answer, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10)) // what was read before a fault decides
			_ = res.Body.Close()
			d.Status, d.Outcome = res.StatusCode, "refused"
			if res.StatusCode == http.StatusOK && strings.EqualFold(string(answer), "SUCCESS") {
				d.Outcome = "success"
			}
		}
	}
	if errors.Is(err, context.Canceled) {
		d.Outcome = "stopped"
	}
	s.note(d)
	return d.Outcome == "success"
}

// callbackClient speaks HTTP/1.1, which alone keeps the letters of header names, and follows nothing.
func callbackClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (s *Simulator) note(d Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.At = s.Clock.Now().UTC()
	if len(s.deliveries) == keptDeliveries {
		s.deliveries = slices.Delete(s.deliveries, 0, keptDeliveries/10)
	}
	s.deliveries = append(s.deliveries, d)
}

// pause waits; false means that the simulator is closed.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Deliveries are the callbacks that were sent, oldest first.
func (s *Simulator) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Delivery{}, s.deliveries...)
}

// listCallbacks handles "GET /_control/callbacks".
func (s *Simulator) listCallbacks(w http.ResponseWriter, _ *http.Request) {
	bench.WriteJSON(w, http.StatusOK, struct {
		Callbacks []Delivery `json:"callbacks"`
	}{s.Deliveries()})
}

// sendAgain handles "POST /_control/callbacks/{serialNo}": the genuine callback once more, for a link that was agreed to.
func (s *Simulator) sendAgain(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	kept, ok := s.state.Links[r.PathValue("serialNo")]
	var l link
	if ok {
		l = *kept
	}
	s.mu.Unlock()
	if l.Answer != agreed {
		bench.WriteError(w, errors.New("nobody has agreed to this serialNo"))
		return
	}
	s.dispatch(mission{link: l, copies: 1})
	w.WriteHeader(http.StatusAccepted)
}
