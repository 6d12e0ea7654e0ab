package connect

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"math"
	"time"

	"mooring/internal/models"
	"mooring/internal/oauth"
)

const (
	// syncEvery is how often a connection is fetched where the provider's descriptor does not say.
	syncEvery = time.Hour
	// syncJitter is the part by which each interval is longer at most, so that what was connected together does not fall
	// due together for ever.
	syncJitter = 0.2
	// shortestPause and longestPause bound what a provider's Retry-After may ask for.
	shortestPause = 10 * time.Second
	longestPause  = time.Hour
)

// Every is how often a provider's connections are fetched by themselves.
func Every(d oauth.Descriptor) time.Duration {
	if d.SyncEvery > 0 {
		return d.SyncEvery
	}
	return syncEvery
}

// spread makes a time span longer by chance.
func spread(d time.Duration) time.Duration {
	var chance [2]byte
	_, _ = rand.Read(chance[:]) // it never fails
	return d + time.Duration(syncJitter*float64(d)*float64(binary.BigEndian.Uint16(chance[:]))/math.MaxUint16)
}

// restAfter is how long a connection rests after so many passing failures in a row: an outage of minutes passes
// unnoticed, and one of days costs no more than the ordinary interval.
func restAfter(failures int, cause error, interval time.Duration) time.Duration {
	if e, ok := errors.AsType[*oauth.Error](cause); ok && e.RetryAfter > 0 {
		return max(shortestPause, min(e.RetryAfter, longestPause))
	}
	steps := []time.Duration{shortestPause, time.Minute, 5 * time.Minute, 20 * time.Minute}
	if failures < len(steps) {
		return min(steps[failures], interval)
	}
	return interval
}

// heals says whether a trouble that trying again at once cannot mend may still pass without anybody coming here: a
// permission given at the provider, a setting of ours put right. A credential that was refused stays so until the person
// reconnects, and asking on with it would only be held against the merchant.
func heals(state models.State, reason string) bool {
	switch state {
	case models.NeedsYou:
		return reason == string(oauth.Permission)
	case models.Ours:
		return reason != ReasonSealedBroken
	}
	return true
}
