package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
)

// Schedule says when a connection is fetched: by itself, and by hand.
type Schedule struct {
	Next    Moment // of the next fetch by itself; zero: see Instead
	Instead string // why there is none
	Every   string // beside Next: when exactly, and how often
	Paused  bool
	Pausing bool   // it can be paused: where the merchant must act, nothing is fetched anyway
	Limit   string // how often it can be fetched by hand
	Limited bool   // that often it was: Limit says when it can be again
}

// scheduleOf words it for a page.
func (w Words) scheduleOf(c connect.ConnectionView, now time.Time) Schedule {
	s := Schedule{Paused: c.SyncPausedAt != nil, Pausing: c.State != models.NeedsYou}
	switch {
	case s.Paused:
		s.Instead = w.T("sync.paused", "date", w.DateTime(*c.SyncPausedAt))
	case c.NextSyncAt == nil:
		s.Instead = w.T("sync.after_reconnect")
	default:
		s.Next = Moment{Ago: w.Until(*c.NextSyncAt), Exact: w.DateTime(*c.NextSyncAt), Stamp: w.Stamp(*c.NextSyncAt)}
		s.Every = s.Next.Exact + " · " + w.every(connect.Every(c.Provider))
	}
	s.Limit = w.T("sync.limit", "times", models.AskBurst, "minutes", int(models.AskBurst*models.AskEvery/time.Minute))
	if again := c.AskAgainAt(); again.After(now) {
		s.Limited = true
		s.Limit = w.T("sync.limited", "times", models.AskBurst, "until", w.Until(again), "time", w.DateTime(again))
	}
	return s
}

func (w Words) every(interval time.Duration) string {
	if interval < time.Hour {
		return w.T("sync.every_minutes", "count", int(interval.Round(time.Minute)/time.Minute))
	}
	return w.T("sync.every_hours", "count", int(interval.Round(time.Hour)/time.Hour))
}

// syncNow answers "POST /connections/:id/sync". Too often is answered with the page, which says when it is possible again.
func (s *Server) syncNow(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	err = s.Connect.RequestSync(c.Request.Context(), m.Store, id)
	switch {
	case errs.CodeOf(err) == errs.TooMany:
		return s.answerConnection(c, m, http.StatusTooManyRequests)
	case err != nil:
		return err
	}
	return seeOther(c, "/connections/"+id.String())
}

// pauseSync answers "POST /connections/:id/pause".
func (s *Server) pauseSync(c *gin.Context, m *Merchant) error {
	return s.schedule(c, m.Store.PauseSync, "sync.paused_flash")
}

// resumeSync answers "POST /connections/:id/resume".
func (s *Server) resumeSync(c *gin.Context, m *Merchant) error {
	return s.schedule(c, m.Store.ResumeSync, "sync.resumed_flash")
}

func (s *Server) schedule(c *gin.Context, change func(context.Context, uuid.UUID) error, flash string) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	if err := change(c.Request.Context(), id); err != nil {
		return err
	}
	s.cookies.flash(c, flash)
	return seeOther(c, "/connections/"+id.String())
}
