package cardwallet

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

const (
	dataLayout = "2006-01-02 15:04:05"
	kept       = 90 * 24 * time.Hour // how far back movements can be asked for
	settles    = 6 * time.Hour       // how long a withdrawal is under way, its amount frozen
)

// opened is where every wallet's history begins. A balance is the sum of all that moved since then, so that what the
// list shows adds up to what the wallet shows, today and in a year.
func opened() time.Time { return time.Date(2025, 11, 3, 0, 0, 0, 0, zone()) }

// movement is one FlowItem.
type movement struct {
	ID      int64
	At      time.Time
	Type    string // RECHARGE, WITHDRAW, CARD_CONSUME, CARD_REFUND, FEE
	Units   int64  // negative: out
	After   int64
	OrderNo string
	Remark  string
	Settled time.Time // a withdrawal's end; zero: at once
}

// moved is what a callback of the page moved, beside the invented history.
type moved struct {
	WalletID int64     `json:"wallet_id"`
	At       time.Time `json:"at"`
	Type     string    `json:"type"`
	Units    int64     `json:"units"`
}

// balance is a wallet at a moment.
type balance struct{ Total, Frozen int64 }

// history gives a wallet's movements up to now, oldest first, and what is in it then.
func (w wallet) history(now time.Time, extra []moved) ([]movement, balance) {
	var list []movement
	var b balance
	for date := opened(); !date.After(now); date = date.AddDate(0, 0, 1) {
		list = w.day(list, date, &b.Total)
	}
	list = slices.DeleteFunc(list, func(m movement) bool { return m.At.After(now) })
	for i, e := range extra {
		if e.WalletID == w.ID && !e.At.After(now) {
			list = append(list, w.movement(e.At, e.Type, e.Units, 9000+i, "callback page"))
		}
	}
	slices.SortStableFunc(list, func(a, b movement) int { return a.At.Compare(b.At) })
	b.Total = 0
	for i := range list {
		b.Total += list[i].Units
		list[i].After = b.Total
		if list[i].Settled.After(now) {
			b.Frozen -= list[i].Units
		}
	}
	b.Total += b.Frozen // what is on its way out is still there
	return list, b
}

// day adds one day's movements. The same wallet and day always give the same, as long as the days before do.
func (w wallet) day(list []movement, date time.Time, sum *int64) []movement {
	key := strconv.FormatInt(w.ID, 10) + "|" + date.Format(time.DateOnly)
	dice := rand.New(rand.NewChaCha8(sha256.Sum256([]byte(key)))) // it must fall the same way every time
	add := func(second int, kind string, units int64, remark string) {
		m := w.movement(date.Add(time.Duration(second)*time.Second), kind, units, len(list)%1000, remark)
		list, *sum = append(list, m), *sum+units
	}
	if *sum < 2*w.TopUp/3 {
		add(8*3600+dice.IntN(1800), "RECHARGE", w.TopUp, "bank transfer")
	}
	spends := make([]int, w.Cards/2+dice.IntN(w.Cards+1))
	for i := range spends {
		spends[i] = 9*3600 + dice.IntN(13*3600)
	}
	slices.Sort(spends)
	for _, second := range spends {
		units := w.Typical/4 + dice.Int64N(w.Typical*2)
		add(second, "CARD_CONSUME", -units, shops()[dice.IntN(len(shops()))])
		if dice.IntN(15) == 0 {
			add(second+3600, "CARD_REFUND", units, "refund")
		}
	}
	if date.Day() == 1 {
		add(7*3600, "FEE", -w.Typical/5, "monthly fee")
	}
	if date.Weekday() == time.Friday && *sum > w.TopUp {
		add(17*3600+dice.IntN(3600), "WITHDRAW", -w.TopUp/4, "to bank account")
	}
	return list
}

func (w wallet) movement(at time.Time, kind string, units int64, seq int, remark string) movement {
	m := movement{
		ID: snowflake(at, int(w.ID%7)*1000/7+seq), At: at, Type: kind, Units: units, Remark: remark,
		OrderNo: fmt.Sprintf("%s%s%06d", kind[:2], at.In(zone()).Format("20060102150405"), (w.ID+int64(seq))%1_000_000),
	}
	if kind == "WITHDRAW" {
		m.Settled = at.Add(settles)
	}
	return m
}

// snowflake is a number of 19 digits that grows with time.
func snowflake(at time.Time, seq int) int64 {
	const epoch = 1288834974657
	return (at.UnixMilli()-epoch)<<22 | int64(seq&0xfff)
}

func shops() []string {
	return []string{"ADS PLATFORM EXAMPLE", "CLOUD HOSTING EXAMPLE", "SHIPPING LABELS EXAMPLE", "SOFTWARE SUBSCRIPTION EXAMPLE", "DOMAIN NAMES EXAMPLE"}
}

// status is how a movement stands at a moment.
func (m movement) status(now time.Time) string {
	if m.Settled.After(now) {
		return "PROCESSING"
	}
	return "SUCCESS"
}

// decimal writes an amount that is given in the currency's smallest unit.
func decimal(units int64, decimals int) string {
	sign := ""
	if units < 0 {
		sign, units = "-", -units
	}
	text := strconv.FormatInt(units, 10)
	for len(text) <= decimals {
		text = "0" + text
	}
	if decimals == 0 {
		return sign + text
	}
	return sign + text[:len(text)-decimals] + "." + text[len(text)-decimals:]
}
