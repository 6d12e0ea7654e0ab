package i18n

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"mooring/internal/oauth"
)

// Date gives a day: "1 Mar 2026", "2026年3月1日".
func (p *Printer) Date(t time.Time) string {
	if p.tag == Chinese {
		return t.In(p.zone).Format("2006年1月2日")
	}
	return t.In(p.zone).Format("2 Jan 2006")
}

// Clock gives day and time, for tables whose head names the Zone. Where that has a summer time, one clock can show the
// same hour twice, so each time tells its offset.
func (p *Printer) Clock(t time.Time) string {
	layout := "2 Jan 2006, 15:04"
	if p.tag == Chinese {
		layout = "2006-01-02 15:04"
	}
	text := t.In(p.zone).Format(layout)
	if p.shifts() {
		text += " " + p.Offset(t)
	}
	return text
}

// DateTime gives day, time and offset.
func (p *Printer) DateTime(t time.Time) string {
	return p.T("common.date_time", "date", p.Date(t), "time", t.In(p.zone).Format("15:04"), "zone", p.Offset(t))
}

// Stamp gives the time for a machine, as in <time datetime>.
func (p *Printer) Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Past says whether a time is over.
func (p *Printer) Past(t time.Time) bool { return p.now.After(t) }

// Ago says how long something is past, roughly; what is older than a month gets its date.
func (p *Printer) Ago(t time.Time) string {
	d := p.now.Sub(t)
	switch {
	case d < time.Minute:
		return p.T("common.ago_now")
	case d < time.Hour:
		return p.T("common.ago_minutes", "count", int(d/time.Minute))
	case d < 24*time.Hour:
		return p.T("common.ago_hours", "count", int(d/time.Hour))
	case d < 31*24*time.Hour:
		return p.T("common.ago_days", "count", int(d/(24*time.Hour)))
	}
	return p.Date(t)
}

// Until says how far off something is, roughly; what is further than a day gets its date.
func (p *Printer) Until(t time.Time) string {
	d := t.Sub(p.now)
	switch {
	case d < time.Minute:
		return p.T("common.until_now")
	case d < time.Hour:
		return p.T("common.until_minutes", "count", int(d/time.Minute))
	case d < 24*time.Hour:
		return p.T("common.until_hours", "count", int(d/time.Hour))
	}
	return p.Date(t)
}

// Number groups thousands: 12,345.
func (p *Printer) Number(n int) string {
	if n < 0 {
		return "−" + group(strconv.Itoa(-n))
	}
	return group(strconv.Itoa(n))
}

// Money gives an amount exactly, never rounded, with at least the decimals its currency is written with.
func (p *Printer) Money(m oauth.Money) string {
	whole, fraction, _ := strings.Cut(m.Amount.Abs().String(), ".")
	for len(fraction) < minorDigits(m.Currency) {
		fraction += "0"
	}
	text := group(whole)
	if fraction != "" {
		text += "." + fraction
	}
	if m.Amount.IsNegative() {
		text = "−" + text
	}
	if m.Currency != "" {
		text += "\u00a0" + m.Currency // no line break between amount and currency
	}
	return text
}

func group(digits string) string {
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// minorDigits is how many decimals ISO 4217 gives a currency. Anything else with three letters has two; a coin's amount
// is shown as it came.
func minorDigits(currency string) int {
	none := []string{"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
	three := []string{"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
	coins := []string{"BTC", "ETH", "TRX", "BNB", "SOL", "XRP", "LTC", "DOT", "ADA"}
	switch {
	case len(currency) != 3 || slices.Contains(none, currency) || slices.Contains(coins, currency):
		return 0
	case slices.Contains(three, currency):
		return 3
	}
	return 2
}
