package i18n

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"mooring/internal/oauth"
)

func printers(tb testing.TB) (zh, en *Printer) {
	tb.Helper()
	b, err := NewBundle()
	if err != nil {
		tb.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 20, 30, 0, 0, time.UTC)
	return b.Printer(Chinese).At(now), b.Printer(English).At(now)
}

func TestMatch(t *testing.T) {
	b, err := NewBundle()
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{
		"": English, "fr": English, "*": English, "en-GB,en;q=0.9": English, "zh": Chinese, "zh-CN,zh;q=0.9,en;q=0.8": Chinese,
		"zh-TW": Chinese, "zh-Hant-HK": Chinese, "fr,zh;q=0.5": Chinese, "en;q=0.2,zh-CN;q=0.9": Chinese, "\x00;;q=x": English,
	} {
		if got := b.Match(header); got != want {
			t.Errorf("Match(%q) = %q, want %q", header, got, want)
		}
	}
}

func TestTimes(t *testing.T) {
	zh, en := printers(t)
	at := time.Date(2026, 3, 1, 18, 5, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{zh.Date(at), "2026年3月2日"}, {en.Date(at), "1 Mar 2026"},
		{zh.DateTime(at), "2026年3月2日 02:05（UTC+8）"}, {en.DateTime(at), "1 Mar 2026, 18:05 UTC"},
		{zh.Clock(at), "2026-03-02 02:05"}, {en.Clock(at), "1 Mar 2026, 18:05"},
		{zh.Ago(at), "2 小时前"}, {en.Ago(at), "2 hours ago"}, {en.Ago(at.Add(90 * time.Minute)), "55 minutes ago"},
		{en.Ago(at.Add(84 * time.Minute)), "1 hour ago"}, {en.Ago(at.Add(3 * time.Hour)), "just now"},
		{en.Ago(at.AddDate(0, 0, -1)), "1 day ago"}, {en.Ago(at.AddDate(0, -2, 0)), "1 Jan 2026"},
		{en.Stamp(at), "2026-03-01T18:05:00Z"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// TestZones: the clock of somewhere jumps at 01:00 UTC on 29 March 2026, and other clocks do not.
func TestZones(t *testing.T) {
	zh, en := printers(t)
	before := time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC)
	after := before.Add(time.Minute)
	berlin, kolkata, newfoundland := en.In("Europe/Berlin"), zh.In("Asia/Kolkata"), en.In("America/St_Johns")
	for _, c := range []struct{ got, want string }{
		{berlin.DateTime(before), "29 Mar 2026, 01:59 UTC+1"}, {berlin.DateTime(after), "29 Mar 2026, 03:00 UTC+2"},
		{berlin.Clock(before), "29 Mar 2026, 01:59 UTC+1"}, {berlin.Clock(after), "29 Mar 2026, 03:00 UTC+2"}, {berlin.Zone(), "Europe/Berlin"},
		{kolkata.DateTime(after), "2026年3月29日 06:30（UTC+5:30）"}, {kolkata.Clock(after), "2026-03-29 06:30"}, {kolkata.Zone(), "UTC+5:30"},
		{newfoundland.DateTime(after), "28 Mar 2026, 22:30 UTC−2:30"}, {newfoundland.Date(after), "28 Mar 2026"},
		{en.DateTime(after), "29 Mar 2026, 01:00 UTC"}, {en.Zone(), "UTC"}, {zh.Zone(), "UTC+8"},
		{zh.In("").Clock(after), "2026-03-29 09:00"}, {en.In("Local").Zone(), "UTC"}, {en.In("Moon/Tranquillity").Zone(), "UTC"},
		{berlin.At(before).Zone(), "Europe/Berlin"}, {berlin.Stamp(after), "2026-03-29T01:00:00Z"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// TestZones_AreAllKnown: what the settings offer can be chosen.
func TestZones_AreAllKnown(t *testing.T) {
	b, err := NewBundle()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Zones() {
		if region, _, _ := strings.Cut(name, "/"); !b.KnowsZone(name) || name != "UTC" && !b.tongues[English].known["zone."+strings.ToLower(region)] {
			t.Errorf("%s is offered, but not known or without a region", name)
		}
	}
	for _, name := range []string{"", "Local", "Moon/Tranquillity", "../zone1970.tab", "/etc/localtime"} {
		if b.KnowsZone(name) {
			t.Errorf("%q is taken for a time zone", name)
		}
	}
}

func TestMoneyIsExact(t *testing.T) {
	_, p := printers(t)
	for _, c := range []struct{ amount, currency, want string }{
		{"1234567.5", "USD", "1,234,567.50\u00a0USD"}, {"-5", "EUR", "−5.00\u00a0EUR"}, {"0", "USD", "0.00\u00a0USD"},
		{"0.123456789012345678", "ETH", "0.123456789012345678\u00a0ETH"}, {"12.3456", "USD", "12.3456\u00a0USD"},
		{"1000", "JPY", "1,000\u00a0JPY"}, {"1", "KWD", "1.000\u00a0KWD"}, {"99999999999999999999.99", "CNY", "99,999,999,999,999,999,999.99\u00a0CNY"},
		{"100", "", "100"}, {"5", "USDT", "5\u00a0USDT"},
	} {
		if got := p.Money(oauth.Money{Amount: decimal.RequireFromString(c.amount), Currency: c.currency}); got != c.want {
			t.Errorf("Money(%s %s) = %q, want %q", c.amount, c.currency, got, c.want)
		}
	}
	if got := p.Number(-1234567); got != "−1,234,567" {
		t.Errorf("Number = %q", got)
	}
}

func TestT_SaysWhatIsMissing(t *testing.T) {
	_, p := printers(t)
	for _, got := range []string{p.T("common.nothing"), p.T("common.date_time", "date", "x")} {
		if got[:len("⟨")] != "⟨" {
			t.Errorf("T = %q, want the key in angle quotes", got)
		}
	}
}

func BenchmarkT_Plain(b *testing.B) {
	_, p := printers(b)
	for b.Loop() {
		_ = p.T("common.brand")
	}
}

func BenchmarkT_WithPlaceholders(b *testing.B) {
	_, p := printers(b)
	for b.Loop() {
		_ = p.T("common.ago_minutes", "count", 5)
	}
}
