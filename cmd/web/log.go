package main

import (
	"io"
	"log/slog"

	"mooring/internal/config"
)

// newLog makes the one logger of the program: JSON lines unless text is asked for.
func newLog(w io.Writer, c config.Config) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}
