package connect

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// unwatched is where nobody observes.
type unwatched struct{}

// Refused implements Watch.
func (unwatched) Refused(string, oauth.Kind, bool) {}

// Answered implements Watch.
func (unwatched) Answered(context.Context, string, oauth.Block, json.RawMessage) {}

// Paused implements Watch.
func (unwatched) Paused(string) (time.Time, bool) { return time.Time{}, false }

// Skew implements Watch.
func (unwatched) Skew(string) (time.Duration, bool) { return 0, false }

// pausedRest is after what time a sync looks again whether its provider is still paused.
const pausedRest = 15 * time.Minute

// mayBegin refuses to begin at a provider that the staff have paused. Who is on the way already may come back.
func (s *Service) mayBegin(slug string) error {
	if _, paused := s.Watch.Paused(slug); paused {
		return errs.New(errs.Conflict, "error.paused")
	}
	return nil
}

// observed counts a refusal and gives what the platform notes of it, to be written with the failure itself: a code that
// nothing explains, and what was sent and measured where our clock or our signature was refused.
func (s *Service) observed(provider string, cause error) (also []models.Statement) {
	e, ok := errors.AsType[*oauth.Error](cause)
	if !ok {
		return nil
	}
	d, _, _ := s.Describe(provider)
	known := e.Code == "" || d.Explains(e.Code)
	s.Watch.Refused(provider, e.Kind, known)
	if !known {
		also = append(also, models.UnknownCode(provider, e.ShortCode(), e.Kind, s.Now()))
	}
	switch e.Kind {
	case oauth.ClockSkew, oauth.Signature, oauth.Replay:
		also = append(also, models.Refusal(provider, e.Kind, e.ShortCode(), e.Facts, s.Now()))
	}
	return also
}
