package oauth

import "time"

// unknownWindow is taken where a provider's documents do not say how far the clocks may differ: little enough that any
// provider with a window would bear it.
const unknownWindow = 2 * time.Minute

// ClockVerdict says what a measured difference of the clocks means.
type ClockVerdict string

// The verdicts.
const (
	ClockAgrees ClockVerdict = "agrees"
	ClockNear   ClockVerdict = "near" // beyond half of what the provider bears
	ClockOff    ClockVerdict = "off"  // refusals are to be expected
)

// Window is how far our clock may be from the provider's.
func (d Descriptor) Window() time.Duration {
	if d.ClockWindow > 0 {
		return d.ClockWindow
	}
	return unknownWindow
}

// JudgeClock judges a difference of the clocks by what this provider bears.
func (d Descriptor) JudgeClock(skew time.Duration) ClockVerdict {
	switch limit := d.Window(); {
	case skew.Abs() > limit:
		return ClockOff
	case skew.Abs() > limit/2:
		return ClockNear
	}
	return ClockAgrees
}
