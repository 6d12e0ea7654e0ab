package chainup

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"mooring/internal/simulator/bench"
)

// amount is a balance in hundred-millionths, which is as fine as the exchange reckons.
type amount int64

const one amount = 1e8

// text writes an amount with all its eight places.
func (a amount) text() string {
	digits := strconv.FormatInt(int64(a), 10)
	if len(digits) < 9 {
		digits = strings.Repeat("0", 9-len(digits)) + digits
	}
	return digits[:len(digits)-8] + "." + digits[len(digits)-8:]
}

// holding is what a user has of one coin. Locked is a lock-up beside the two, and no part of the total.
type holding struct {
	Symbol                 string
	Normal, Frozen, Locked amount
	Fiat                   bool
}

func (h holding) total() amount { return h.Normal + h.Frozen }

// inBTC is the value at a rate that stands still: this exchange has no market.
func (h holding) inBTC() amount {
	perBTC := map[string]int64{"BTC": 1, "ETH": 28, "USDT": 94_000, "USDC": 94_000, "TRX": 380_000, "CNY": 670_000}[h.Symbol]
	if perBTC == 0 {
		return 0
	}
	return h.total() / amount(perBTC)
}

// user is somebody who has an account at the exchange; names and numbers are invented.
type user struct {
	UID, Nick, Country, Mobile, Email, Password string

	About     bench.Text
	AuthType  int
	AuthLevel int // 0: not verified, 1: verified
	Since     time.Time
	Invite    string
	InvitedBy string // a uid, or none
	Frozen    bool
	coins     []holding
}

// number is the uid as the answers write it.
func (u user) number() int64 {
	n, err := strconv.ParseInt(u.UID, 10, 64)
	if err != nil { // the people below are all there are
		return 0
	}
	return n
}

// holdings are the balances of a day: a little is traded every night, and none is lost over it.
func (u user) holdings(now time.Time) []holding {
	day := now.UTC().Format(time.DateOnly)
	list := slices.Clone(u.coins)
	for i := range list {
		h := &list[i]
		moved := h.Normal / 1000 * amount(dieOf(u.UID+h.Symbol+day, 40))
		h.Normal, h.Frozen = h.Normal-moved, h.Frozen+moved
	}
	return list
}

// worth is the value of all coins in BTC.
func (u user) worth(now time.Time) amount {
	var sum amount
	for _, h := range u.holdings(now) {
		sum += h.inBTC()
	}
	return sum
}

// find looks a user up by uid, e-mail address or phone number.
func (s *Simulator) find(account string) (user, bool) {
	i := slices.IndexFunc(s.people, func(u user) bool {
		return account != "" && (account == u.UID || account == u.Mobile || strings.EqualFold(account, u.Email))
	})
	if i < 0 {
		return user{}, false
	}
	return s.people[i], true
}

// dieOf rolls a die that always falls the same way for the same key.
func dieOf(key string, sides int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // never fails
	return int(h.Sum32()>>1) % sides
}

func since(text string) time.Time {
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// crowd makes further users, for programs that need many accounts. Nobody signs in as one of them.
func crowd(n int) []user {
	all := make([]user, n)
	for i := range all {
		uid := strconv.Itoa(20_000_000 + i)
		all[i] = user{
			UID: uid, Nick: "crowd-" + uid, Country: "+86", Email: uid + "@crowd.example", AuthType: 1, AuthLevel: 1,
			Since: since("2024-01-01 00:00:00"), Invite: "C" + uid, coins: []holding{{Symbol: "USDT", Normal: amount(i+1) * one}},
		}
	}
	return all
}

// people are the sample users. The passwords are no secrets: the login page offers them.
func people() []user {
	return []user{
		{
			UID: "10002318", Nick: "mulan_trade", Country: "+86", Mobile: "13800010231", Email: "mulan@exchange.example", Password: "chainup-10002318",
			About:    bench.Text{ZH: "四种币，已实名", EN: "Four coins, verified"},
			AuthType: 1, AuthLevel: 1, Since: since("2021-03-18 09:24:11"), Invite: "MULAN8",
			coins: []holding{
				{Symbol: "BTC", Normal: 1_48203117, Frozen: 2500000},
				{Symbol: "ETH", Normal: 23_90011002, Frozen: 1_00000000},
				{Symbol: "USDT", Normal: 48_210_55000000, Frozen: 1_200_00000000, Locked: 5_000 * one},
				{Symbol: "TRX", Normal: 182_004_12345678},
			},
		},
		{
			UID: "10004471", Nick: "Harbour Desk", Country: "+44", Mobile: "7700900471", Email: "desk@harbour.example", Password: "chainup-10004471",
			About:    bench.Text{ZH: "两种币，大额", EN: "Two coins, large amounts"},
			AuthType: 2, AuthLevel: 1, Since: since("2022-11-02 16:40:00"), Invite: "HARBR2", InvitedBy: "10002318",
			coins: []holding{
				{Symbol: "USDC", Normal: 9_007_199_254_74099301, Frozen: 0},
				{Symbol: "CNY", Normal: 66_800_00000000, Frozen: 500 * one, Fiat: true},
			},
		},
		{
			UID: "10009906", Nick: "新手小池", Country: "+86", Mobile: "13900019906", Email: "xiaochi@exchange.example", Password: "chainup-10009906",
			About: bench.Text{ZH: "新用户，未实名，没有余额", EN: "A new user: not verified, no balance"},
			Since: since("2025-12-30 22:05:48"), Invite: "XCHI01", InvitedBy: "10004471",
		},
		{
			UID: "10007755", Nick: "frozen_fox", Country: "+65", Mobile: "80007755", Email: "fox@exchange.example", Password: "chainup-10007755",
			About:    bench.Text{ZH: "已被冻结，不能授权", EN: "Frozen: cannot authorise"},
			AuthType: 1, AuthLevel: 1, Since: since("2020-07-07 07:07:07"), Invite: "FOX777", Frozen: true,
			coins: []holding{{Symbol: "BTC", Normal: 12_00000000}},
		},
	}
}
