package handlers

import (
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/errs"
)

const (
	maxStreams = 2000             // of this replica; a page without its stream still works by reload
	heartbeat  = 15 * time.Second // proxies end what is silent for longer
	streamLife = 10 * time.Minute // then the browser connects anew, and its session is looked at again
)

// stream answers with server-sent events: "changed" each time something about the topic has changed. It carries no data;
// the page asks for itself again. What runs out by itself is told when it does: until is when, zero for never.
func (s *Server) stream(c *gin.Context, topic uuid.UUID, until time.Time) error {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		return errs.New(errs.Unavailable, "error.unavailable")
	}
	changed, cancel := s.Wakes.Subscribe(topic)
	defer cancel()

	conn := http.NewResponseController(c.Writer)
	if err := conn.SetReadDeadline(time.Time{}); err != nil { // the server's own would end the request's context
		return errs.Wrap(errs.Internal, "error.internal", err)
	}
	c.Header("Content-Type", "text/event-stream")
	c.Header("X-Accel-Buffering", "no")
	c.Status(http.StatusOK)
	// What changed between the page and this moment is not missed: the page asks once more when the stream is open.
	s.tell(c, conn, changed, until)
	return nil
}

func (s *Server) tell(c *gin.Context, conn *http.ResponseController, changed <-chan struct{}, until time.Time) {
	var over <-chan time.Time
	if left := until.Sub(s.Now()); left > 0 {
		over = time.After(left + time.Second) // the page must find it ended, not about to
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	end := time.NewTimer(streamLife)
	defer end.Stop()
	line := "retry: 2000\nevent: hello\ndata:\n\n"
	for {
		if err := conn.SetWriteDeadline(time.Now().Add(2 * heartbeat)); err != nil {
			return
		}
		if _, err := io.WriteString(c.Writer, line); err != nil {
			return
		}
		if err := conn.Flush(); err != nil {
			return
		}
		select {
		case <-changed:
			line = "event: changed\ndata:\n\n"
		case <-over:
			line = "event: changed\ndata:\n\n"
		case <-beat.C:
			line = ":\n\n"
		case <-end.C:
			return
		case <-s.ending:
			return
		case <-c.Request.Context().Done():
			return
		}
	}
}
