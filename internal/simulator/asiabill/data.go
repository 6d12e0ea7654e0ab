package asiabill

import (
	"crypto/sha256"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// history is how many days back there is data: 30 to show, and those before whose chargebacks fall into the 30.
const history = 60

// transaction is one row of GET /openApi/transactions. The field names are those of the documents' payment event;
// amounts are texts, times are in the provider's zone and say none.
type transaction struct {
	MerNo           string `json:"merNo"`
	GatewayNo       string `json:"gatewayNo"`
	OrderNo         string `json:"orderNo"`
	TradeNo         string `json:"tradeNo"`
	TradeDate       string `json:"tradeDate"`
	TransactionType string `json:"transactionType"`
	OrderAmount     string `json:"orderAmount"`
	OrderCurrency   string `json:"orderCurrency"`
	OrderStatus     string `json:"orderStatus"` // success, fail, pending
	OrderInfo       string `json:"orderInfo"`
	PaymentMethod   string `json:"paymentMethod"`
	WebSite         string `json:"webSite"`
	Remark          string `json:"remark"`

	at time.Time
}

// chargeback is one row of GET /openApi/chargebacks; the field names are those of the documents' chargeback event.
type chargeback struct {
	MerNo          string         `json:"merNo"`
	GatewayNo      string         `json:"gatewayNo"`
	OrderNo        string         `json:"orderNo"`
	TradeNo        string         `json:"tradeNo"`
	BatchNo        string         `json:"batchNo"`
	Amount         string         `json:"amount"`
	Currency       string         `json:"currency"`
	OrderAmount    string         `json:"orderAmount"`
	OrderCurrency  string         `json:"orderCurrency"`
	Reason         string         `json:"reason"`
	NoticeDate     string         `json:"noticeDate"`
	ChargebackInfo chargebackInfo `json:"chargebackInfo"`

	at time.Time
}

type chargebackInfo struct {
	CPDDate       string `json:"cpdDate"`
	ReplyDeadline string `json:"replyDeadline"`
}

func (t transaction) matches(f filter) bool {
	return f.holds(t.at, t.GatewayNo, t.OrderNo, t.TradeNo)
}

func (b chargeback) matches(f filter) bool {
	return f.holds(b.at, b.GatewayNo, b.OrderNo, b.TradeNo)
}

// holds is the filter that both lists share; both ends of the window belong to it.
func (f filter) holds(at time.Time, gatewayNo, orderNo, tradeNo string) bool {
	return !at.Before(f.From) && !at.After(f.To) &&
		(f.Gateway == "" || f.Gateway == gatewayNo) &&
		(f.OrderNo == "" || f.OrderNo == orderNo) &&
		(f.TradeNo == "" || f.TradeNo == tradeNo)
}

// transactions are the merchant's orders up to now, newest first.
func (m merchant) transactions(now time.Time) []transaction {
	var list []transaction
	today := now.In(zone())
	for back := range history {
		for _, t := range m.day(today.AddDate(0, 0, -back)) {
			if !t.at.After(now) {
				list = append(list, t.asOf(now))
			}
		}
	}
	return list
}

// day makes one day's orders, latest first. The same merchant and day always give the same, so that a page looked at
// twice shows the same past.
func (m merchant) day(date time.Time) []transaction {
	if m.Daily == 0 {
		return nil
	}
	key := m.No + "|" + date.Format(time.DateOnly)
	dice := rand.New(rand.NewChaCha8(sha256.Sum256([]byte(key)))) // it must fall the same way every time
	year, month, dayOfMonth := date.Date()
	midnight := time.Date(year, month, dayOfMonth, 0, 0, 0, 0, zone())
	count := max(1, m.Daily/2+dice.IntN(m.Daily))
	seconds := make([]int, count)
	for i := range seconds {
		seconds[i] = 7*3600 + dice.IntN(16*3600) // shops sleep at night
	}
	slices.Sort(seconds)
	list := make([]transaction, count)
	for i, second := range seconds {
		at := midnight.Add(time.Duration(second) * time.Second)
		list[count-1-i] = m.order(dice, at, i+1)
	}
	return list
}

func (m merchant) order(dice *rand.Rand, at time.Time, number int) transaction {
	g := m.Gateways[dice.IntN(len(m.Gateways))]
	status, info := "success", "Transaction Approved"
	if dice.IntN(100) < 9 {
		status, info = "fail", refusals()[dice.IntN(len(refusals()))]
	}
	remark := ""
	if dice.IntN(12) == 0 {
		remark = "gift wrapping"
	}
	return transaction{
		MerNo: m.No, GatewayNo: g.No, WebSite: g.Site, TransactionType: "Sale", PaymentMethod: "Credit Card",
		OrderNo:     fmt.Sprintf("%s%s%04d", m.Prefix, at.Format("20060102"), number),
		TradeNo:     fmt.Sprintf("%s%08d", at.Format("20060102150405"), dice.IntN(1e8)),
		TradeDate:   at.Format(dataLayout),
		OrderAmount: decimal(g.Typical/3+dice.Int64N(g.Typical*2), g.Decimals), OrderCurrency: g.Currency,
		OrderStatus: status, OrderInfo: info, Remark: remark, at: at,
	}
}

const dataLayout = "2006-01-02 15:04:05"

// asOf shows every seventh of the last day's orders as not settled yet.
func (t transaction) asOf(now time.Time) transaction {
	if t.OrderStatus == "success" && now.Sub(t.at) < 24*time.Hour && dieOf(t.TradeNo, 7) == 0 {
		t.OrderStatus, t.OrderInfo = "pending", "Payment processing"
	}
	return t
}

// chargebacks are the notices up to now, newest first: about every third day an order of one or two weeks before.
func (m merchant) chargebacks(now time.Time) []chargeback {
	var list []chargeback
	today := now.In(zone())
	for back := range history {
		orders := m.day(today.AddDate(0, 0, -back))
		i := slices.IndexFunc(orders, func(t transaction) bool { return t.OrderStatus == "success" })
		if i < 0 || dieOf(orders[i].TradeNo, 3) != 0 {
			continue
		}
		if b := orders[i].disputed(); !b.at.After(now) {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b chargeback) int { return b.at.Compare(a.at) })
	return list
}

// disputed is the chargeback of an order.
func (t transaction) disputed() chargeback {
	notice := t.at.AddDate(0, 0, 5+dieOf(t.TradeNo+"notice", 10)).Truncate(time.Hour).Add(25 * time.Minute)
	amount := t.OrderAmount
	if dieOf(t.TradeNo+"part", 4) == 0 {
		amount = half(amount)
	}
	return chargeback{
		MerNo: t.MerNo, GatewayNo: t.GatewayNo, OrderNo: t.OrderNo, TradeNo: t.TradeNo,
		BatchNo: strconv.Itoa(400_000 + dieOf(t.TradeNo+"batch", 500_000)),
		Amount:  amount, Currency: t.OrderCurrency, OrderAmount: t.OrderAmount, OrderCurrency: t.OrderCurrency,
		Reason: reasons()[dieOf(t.TradeNo+"reason", len(reasons()))], NoticeDate: notice.Format(dataLayout), at: notice,
		ChargebackInfo: chargebackInfo{
			CPDDate:       notice.AddDate(0, 0, -3).Format(dataLayout),
			ReplyDeadline: notice.AddDate(0, 0, 14).Format(time.DateOnly) + " 18:00:00",
		},
	}
}

func refusals() []string {
	return []string{"Insufficient funds", "Do not honor", "3D authentication failed", "Card expired"}
}

func reasons() []string {
	return []string{
		"10.4-Other Fraud-Card Absent Environment", "13.1-Merchandise/Services Not Received",
		"13.3-Not as Described or Defective Merchandise", "4837-No Cardholder Authorization",
		"4853-Cardholder Dispute", "D4755-Non-Receipt of Goods or Services",
	}
}

// dieOf rolls a die that always falls the same way for the same key.
func dieOf(key string, sides int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // never fails
	return int(h.Sum32()>>1) % sides
}

// decimal writes an amount that is given in the currency's smallest unit.
func decimal(units int64, decimals int) string {
	text := strconv.FormatInt(units, 10)
	if decimals == 0 {
		return text
	}
	for len(text) <= decimals {
		text = "0" + text
	}
	return text[:len(text)-decimals] + "." + text[len(text)-decimals:]
}

// half is about half of an amount, in whole units of the currency.
func half(amount string) string {
	whole, fraction, hasFraction := strings.Cut(amount, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 2 {
		return amount
	}
	text := strconv.FormatInt(n/2, 10)
	if hasFraction {
		text += "." + strings.Repeat("0", len(fraction))
	}
	return text
}
