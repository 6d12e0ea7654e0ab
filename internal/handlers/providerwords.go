package handlers

import (
	"slices"
	"strconv"
	"time"

	"mooring/internal/models"
	"mooring/internal/oauth"
)

// Status says whether a provider is offered.
func (r ProviderRow) Status() Badge {
	switch {
	case r.PausedAt != nil:
		return Badge{"wait", "clock", r.T("provider.status_paused")}
	case !r.Offered:
		return Badge{"", "off", r.T("provider.status_off")}
	}
	return Badge{"good", "check", r.T("provider.status_on")}
}

// New is how much waits to be looked at.
func (r ProviderRow) New() int { return r.NewCodes + r.NewDrift }

// StateCount is how many connections are in a state.
type StateCount struct {
	Badge Badge
	Count string
	Zero  bool
}

// Counts are the connections by state.
func (r ProviderRow) Counts() []StateCount {
	var counts []StateCount
	for _, state := range []models.State{models.Connected, models.NeedsYou, models.Provider, models.Ours, models.Disconnected} {
		n := r.Connections[state]
		badge := r.StateBadge(models.Connection{State: state, SyncState: models.SyncIdle})
		if state == models.NeedsYou {
			badge.Text = r.T("provider.state_merchant")
		}
		counts = append(counts, StateCount{Badge: badge, Count: r.capped(n), Zero: n == 0})
	}
	return counts
}

// Linked is how many connections stand.
func (r ProviderRow) Linked() string {
	n := 0
	for state, of := range r.Connections {
		if state != models.Disconnected {
			n += of
		}
	}
	return r.capped(n)
}

// capped writes a count that may have stopped at its cap.
func (w Words) capped(n int) string {
	shown, more := models.Capped(n)
	return w.counted(shown, more)
}

// counted writes a count, and whether there are more.
func (w Words) counted(n int, more bool) string {
	if more {
		return w.T("provider.more_than", "count", w.Number(n))
	}
	return w.Number(n)
}

// Waiting is how many syncs wait or run.
func (r ProviderRow) Waiting() string { return r.capped(r.Queued) }

// Rate is how many calls failed.
type Rate struct {
	Calls, Failed int64
	Lines         []RateLine // by outcome and kind, the most frequent first
}

// RateLine is one outcome or kind.
type RateLine struct {
	Text  string
	Count string
	Bad   bool
}

// LastHour is this hour and the one before.
func (r ProviderRow) LastHour() Rate { return r.rate(r.Hour) }

// LastDay is the last 24 hours.
func (r ProviderRow) LastDay() Rate { return r.rate(r.Day) }

func (r ProviderRow) rate(tallies []models.Tally) Rate {
	var rate Rate
	for _, t := range tallies {
		bad := true
		if t.What == models.CountedCall {
			bad = !slices.Contains([]string{"ok", "client_error", "cancelled"}, t.Word)
			rate.Calls += t.Count
			if bad {
				rate.Failed += t.Count
			}
		}
		rate.Lines = append(rate.Lines, RateLine{Text: r.tallied(t), Count: r.Number(int(t.Count)), Bad: bad})
	}
	return rate
}

func (r ProviderRow) tallied(t models.Tally) string {
	key := "provider." + t.What + "_" + t.Word
	if !r.Has(key) {
		return t.Word
	}
	return r.T(key)
}

// RateText is the share of calls that failed, in a few words.
func (r ProviderRow) RateText(rate Rate) string {
	if rate.Calls == 0 {
		return r.T("provider.no_calls")
	}
	tenths := (rate.Failed*1000 + rate.Calls/2) / rate.Calls
	percent := strconv.FormatInt(tenths/10, 10) + "." + strconv.FormatInt(tenths%10, 10) + " %"
	return r.T("provider.rate", "percent", percent, "count", int(rate.Calls))
}

// Clock judges the measured difference of the clocks: of the replicas, the one that is worst off.
func (r ProviderRow) Clock() Badge {
	worst, measured := time.Duration(0), false
	for _, replica := range r.Replicas {
		if replica.Samples > 0 && (!measured || replica.Skew.Abs() > worst.Abs()) {
			worst, measured = replica.Skew, true
		}
	}
	if !measured {
		return Badge{"", "dot", r.T("provider.clock_unknown")}
	}
	return r.ClockBadge(worst)
}

// ClockBadge judges one measure.
func (r ProviderRow) ClockBadge(skew time.Duration) Badge {
	switch r.Provider.JudgeClock(skew) {
	case oauth.ClockOff:
		return Badge{"bad", "alert", r.T("provider.clock_off", "skew", r.Span(skew))}
	case oauth.ClockNear:
		return Badge{"wait", "clock", r.T("provider.clock_near", "skew", r.Span(skew))}
	}
	return Badge{"good", "check", r.T("provider.clock_agrees", "skew", r.Span(skew))}
}

// ClockNext is what to do about the clocks, "" if nothing.
func (r ProviderRow) ClockNext() string {
	if class := r.Clock().Class; class == "bad" || class == "wait" {
		return r.T("provider.clock_next", "window", r.Span(r.Provider.Window()))
	}
	return ""
}

// Span writes a difference of time, sign and all, in the unit that tells most.
func (w Words) Span(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign = "−"
	}
	switch abs := d.Abs(); {
	case abs < 2*time.Minute:
		return w.T("provider.span_s", "n", sign+w.Number(int(abs.Round(time.Second)/time.Second)))
	case abs < 2*time.Hour:
		return w.T("provider.span_min", "n", sign+w.Number(int(abs.Round(time.Minute)/time.Minute)))
	default:
		return w.T("provider.span_h", "n", sign+w.Number(int(abs.Round(time.Hour)/time.Hour)))
	}
}

// BreakerBadge says whether calls go out.
func (w Words) BreakerBadge(state string) Badge {
	text := w.T("provider.breaker_" + state)
	switch state {
	case "open":
		return Badge{"bad", "no", text}
	case "half_open":
		return Badge{"wait", "turn", text}
	}
	return Badge{"good", "check", text}
}

// Breaker is the worst of the replicas'.
func (r ProviderRow) Breaker() Badge {
	if len(r.Replicas) == 0 {
		return Badge{"", "dot", r.T("provider.no_replica")}
	}
	for _, state := range []string{"open", "half_open"} {
		if slices.ContainsFunc(r.Replicas, func(s models.ReplicaSight) bool { return s.Breaker == state }) {
			return r.BreakerBadge(state)
		}
	}
	return r.BreakerBadge("closed")
}

// SettingBadge says whether a setting is there.
func (w Words) SettingBadge(s SettingState) Badge {
	switch {
	case s.Default:
		return Badge{"", "dot", w.T("provider.setting_default")}
	case s.Set:
		return Badge{"good", "check", w.T("provider.setting_set")}
	case s.Required:
		return Badge{"bad", "alert", w.T("provider.setting_missing")}
	}
	return Badge{"", "dot", w.T("provider.setting_unset")}
}

// ProbeBadge says how a test call ended.
func (w Words) ProbeBadge(r models.ProbeResult) Badge {
	if r.Outcome == "ok" {
		return Badge{"good", "check", w.T("provider.probe_ok", "ms", w.Number(int(r.Took.Milliseconds())))}
	}
	return Badge{"bad", "alert", w.T("provider.call_" + r.Outcome)}
}

// KindText names a kind of refusal.
func (w Words) KindText(kind oauth.Kind) string {
	if key := "provider.refusal_" + string(kind); w.Has(key) {
		return w.T(key)
	}
	return string(kind)
}

// FactLabel names a fact.
func (w Words) FactLabel(f oauth.Fact) string { return w.T("provider.fact_" + string(f.Name)) }

// FactValue writes a fact; what was not told is said to be so.
func (w Words) FactValue(f oauth.Fact) string {
	if f.Value == "?" {
		return w.T("provider.fact_untold")
	}
	return f.Value
}

// ChangeText says how a field differs.
func (w Words) ChangeText(d models.ProviderDrift) string {
	return w.T("provider.drift_"+d.Change, "type", w.T("provider.type_"+d.Type))
}

// Codes and drift that wait to be looked at come first; the others are folded away.

// NewCodes are those that nobody has acknowledged.
func (p ProviderPage) NewCodes() []models.ProviderCode { return codesBy(p.Codes, false) }

// OldCodes are the others.
func (p ProviderPage) OldCodes() []models.ProviderCode { return codesBy(p.Codes, true) }

func codesBy(all []models.ProviderCode, acknowledged bool) (some []models.ProviderCode) {
	for _, c := range all {
		if (c.AcknowledgedAt != nil) == acknowledged {
			some = append(some, c)
		}
	}
	return some
}

// NewDrift is what nobody has accepted.
func (p ProviderPage) NewDrift() []models.ProviderDrift { return driftBy(p.Drift, false) }

// OldDrift is the rest.
func (p ProviderPage) OldDrift() []models.ProviderDrift { return driftBy(p.Drift, true) }

func driftBy(all []models.ProviderDrift, acknowledged bool) (some []models.ProviderDrift) {
	for _, d := range all {
		if (d.AcknowledgedAt != nil) == acknowledged {
			some = append(some, d)
		}
	}
	return some
}
