package bench

import (
	"sync/atomic"
	"time"
)

// maxOffset bounds how far the clock can be shifted: far enough to outlive any token.
const maxOffset = 5 * 365 * 24 * time.Hour

// Clock is the provider's own clock. Shifting it moves everything: lifetimes, time windows, data, the Date header.
type Clock struct {
	now    func() time.Time
	offset atomic.Int64
}

// Now is the provider's time.
func (c *Clock) Now() time.Time { return c.now().Add(c.Offset()) }

// Offset is how far the clock is shifted.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// Shift sets the offset from the true time; it does not add to an earlier one.
func (c *Clock) Shift(offset time.Duration) { c.offset.Store(int64(offset)) }
