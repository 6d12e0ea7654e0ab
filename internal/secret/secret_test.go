package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"mooring/internal/secret"
)

func TestStringNeverPrintsItsValue(t *testing.T) {
	const value = "canary-7c1f"
	s := secret.New(value)
	holder := struct {
		Token secret.String
		Deep  []any
	}{s, []any{s, &s, map[string]secret.String{"k": s}}}

	var logged bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&logged, nil))
	logger.Info("x", "token", s, "holder", holder)
	asJSON, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}

	for name, got := range map[string]string{
		"%v": fmt.Sprintf("%v", holder), "%+v": fmt.Sprintf("%+v", holder), "%#v": fmt.Sprintf("%#v", s),
		"%q": fmt.Sprintf("%q", s), "error": fmt.Errorf("call: %v", s).Error(),
		"json": string(asJSON), "slog": logged.String(),
	} {
		if strings.Contains(got, value) {
			t.Errorf("%s shows the secret: %s", name, got)
		}
	}
	if got := s.Reveal(); got != value {
		t.Errorf("Reveal() = %q, want %q", got, value)
	}
}
