package cardwallet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"mooring/internal/simulator/bench"
)

// Topic is one of the six callbacks. Only their names are known; what they carry is believable and no more.
type Topic struct {
	Name  string     `json:"name"`
	Title bench.Text `json:"title"`
}

// The two topics that are about money on its way.
const (
	recharge = "wallet_recharge"
	withdraw = "wallet_withdraw"
)

// Topics are the six.
func Topics() []Topic {
	return []Topic{
		{"card_authorization", bench.Text{ZH: "卡片授权订单", EN: "Card authorisation order"}},
		{"card_status", bench.Text{ZH: "卡片销卡、冻结、解冻", EN: "Card cancelled, frozen or unfrozen"}},
		{"wallet_review", bench.Text{ZH: "钱包审核", EN: "Wallet review"}},
		{recharge, bench.Text{ZH: "钱包充值", EN: "Wallet recharge"}},
		{withdraw, bench.Text{ZH: "钱包提现", EN: "Wallet withdrawal"}},
		{"merchant_review", bench.Text{ZH: "商户账户审核", EN: "Merchant account review"}},
	}
}

// The manners of a callback.
const (
	honest  = "honest"  // what it says has happened
	twice   = "twice"   // the same one two times
	lie     = "lie"     // nothing has happened
	foreign = "foreign" // names another merchant
	garbage = "garbage" // is no JSON
	large   = "large"   // has two mebibytes
)

// Manner is how a callback is sent.
type Manner struct {
	Name  string
	Title bench.Text
}

// Manners lists them.
func Manners() []Manner {
	return []Manner{
		{honest, bench.Text{ZH: "如实", EN: "Honest"}}, {twice, bench.Text{ZH: "重复两次", EN: "Twice"}},
		{lie, bench.Text{ZH: "虚假：什么也没有发生", EN: "A lie: nothing has happened"}}, {foreign, bench.Text{ZH: "写着另一家商户", EN: "Names another merchant"}},
		{garbage, bench.Text{ZH: "不是 JSON", EN: "No JSON"}}, {large, bench.Text{ZH: "两 MiB", EN: "Two MiB"}},
	}
}

// Callback is what is to be sent.
type Callback struct {
	ClientID string `json:"client_id"`
	Topic    string `json:"topic"`
	Manner   string `json:"manner"` // empty: honest
	URL      string `json:"url"`    // empty: where the merchant's callbacks go
}

// Delivery is what became of one.
type Delivery struct {
	At      time.Time  `json:"at"`
	Topic   bench.Text `json:"topic"`
	Account string     `json:"account"`
	Manner  string     `json:"manner"`
	Status  int        `json:"status"`  // 0: no answer
	Success bool       `json:"success"` // answered 2xx and "success"; the documents do not say what counts
	Took    int64      `json:"took_ms"`
}

// sender is the way out: brief, and not led elsewhere.
func sender() *http.Client {
	return &http.Client{
		Timeout:       5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Send sends a callback and says what became of it. An honest recharge or withdrawal moves the money first.
func (s *Simulator) Send(ctx context.Context, k Callback) ([]Delivery, error) {
	m, topic, err := s.resolve(&k)
	if err != nil {
		return nil, err
	}
	if k.Manner == honest || k.Manner == twice {
		if err := s.happen(m, k.Topic); err != nil {
			return nil, err
		}
	}
	body, err := s.notice(m, k)
	if err != nil {
		return nil, err
	}
	times := 1
	if k.Manner == twice {
		times = 2
	}
	var sent []Delivery
	for range times {
		d := Delivery{At: s.Clock.Now().UTC(), Topic: topic.Title, Account: m.ClientID, Manner: k.Manner}
		began := time.Now()
		d.Status, d.Success = s.deliver(ctx, k.URL, body)
		d.Took = time.Since(began).Milliseconds()
		sent = append(sent, d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range sent {
		s.deliveries = append([]Delivery{d}, s.deliveries[:min(len(s.deliveries), 19)]...)
	}
	return sent, nil
}

// resolve fills in what a callback leaves open, and checks the rest.
func (s *Simulator) resolve(k *Callback) (merchant, Topic, error) {
	m, ok := s.find(k.ClientID)
	if !ok {
		return m, Topic{}, errors.New("there is no merchant with this client_id")
	}
	if k.Manner == "" {
		k.Manner = honest
	}
	known := false
	for _, manner := range Manners() {
		known = known || manner.Name == k.Manner
	}
	if !known {
		return m, Topic{}, fmt.Errorf("there is no manner %q", k.Manner)
	}
	if k.URL == "" {
		s.mu.Lock()
		k.URL = s.state.Callbacks[m.ClientID]
		s.mu.Unlock()
	}
	if k.URL == "" {
		return m, Topic{}, errors.New("the merchant has no callback address")
	}
	if err := checkCallback(k.URL); err != nil {
		return m, Topic{}, err
	}
	for _, t := range Topics() {
		if t.Name == k.Topic {
			return m, t, nil
		}
	}
	return m, Topic{}, fmt.Errorf("there is no topic %q", k.Topic)
}

// happen moves the money that a callback is about, so that a read afterwards finds it moved.
func (s *Simulator) happen(m merchant, topic string) error {
	if len(m.Wallets) == 0 || topic != recharge && topic != withdraw {
		return nil
	}
	w := m.Wallets[0]
	move := moved{WalletID: w.ID, At: s.Clock.Now(), Type: "RECHARGE", Units: w.moves(topic)}
	if topic == withdraw {
		move.Type, move.Units = "WITHDRAW", -move.Units
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Moves[m.ClientID] = append(s.state.Moves[m.ClientID], move)
	return s.store.Save(s.state)
}

// moves is the amount that a callback is about.
func (w wallet) moves(topic string) int64 {
	if topic == withdraw {
		return w.TopUp / 20
	}
	return w.TopUp / 10
}

// notice writes a callback's body. There is no signature, since no rule of signing is known.
func (s *Simulator) notice(m merchant, k Callback) ([]byte, error) {
	switch k.Manner {
	case garbage:
		return []byte("<notice>this is no JSON"), nil
	case large:
		return []byte(`{"topic":"` + k.Topic + `","remark":"` + strings.Repeat("x", 2<<20) + `"}`), nil
	case foreign:
		m = s.another(m)
	}
	s.mu.Lock()
	s.notices++
	number := s.notices
	s.mu.Unlock()
	now := s.Clock.Now()
	about := object{{"merchantId", m.ID}, {"status", "SUCCESS"}}
	if strings.HasPrefix(k.Topic, "card_") {
		about = append(about, field{"cardId", snowflake(opened(), number)}, field{"cardStatus", "FROZEN"})
	}
	if len(m.Wallets) > 0 {
		w := m.Wallets[0]
		about = append(about, field{"walletId", w.ID}, field{"currency", w.Currency}, field{"amount", decimal(w.moves(k.Topic), w.Decimals)})
	}
	return json.Marshal(object{
		{"notifyId", snowflake(now, number)}, {"topic", k.Topic}, {"clientId", m.ClientID}, {"notifyTime", now.In(zone()).Format(dataLayout)}, {"data", about},
	})
}

// deliver posts a body and reads the first few letters of the answer.
func (s *Simulator) deliver(ctx context.Context, address string, body []byte) (status int, success bool) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, false
	}
	r.Header.Set("Content-Type", "application/json;charset=UTF-8")
	res, err := s.out.Do(r)
	if err != nil {
		return 0, false
	}
	defer func() { _ = res.Body.Close() }() // it has been read as far as it matters
	answer, err := io.ReadAll(io.LimitReader(res.Body, 64))
	if err != nil {
		return res.StatusCode, false
	}
	return res.StatusCode, res.StatusCode/100 == 2 && strings.EqualFold(strings.Trim(string(answer), " \r\n\""), "success")
}

// controlCallback handles "POST /_control/callbacks".
func (s *Simulator) controlCallback(w http.ResponseWriter, r *http.Request) {
	var in Callback
	if err := bench.ReadJSON(w, r, &in); err != nil {
		bench.WriteError(w, err)
		return
	}
	sent, err := s.Send(r.Context(), in)
	if err != nil {
		bench.WriteError(w, err)
		return
	}
	bench.WriteJSON(w, http.StatusOK, sent)
}
