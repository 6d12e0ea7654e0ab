package errs_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"mooring/internal/errs"
)

func TestCodeOf(t *testing.T) {
	known := errs.Wrap(errs.NotFound, "error.not_found", io.EOF)
	for _, tc := range []struct {
		name string
		err  error
		want errs.Code
	}{
		{"nil", nil, ""},
		{"unknown is internal", errors.New("boom"), errs.Internal},
		{"known", known, errs.NotFound},
		{"wrapped keeps its code", fmt.Errorf("reading: %w", known), errs.NotFound},
		{"outermost wins", errs.Wrap(errs.Conflict, "error.conflict", known), errs.Conflict},
	} {
		if got := errs.CodeOf(tc.err); got != tc.want {
			t.Errorf("%s: CodeOf = %q, want %q", tc.name, got, tc.want)
		}
	}
	if !errors.Is(known, io.EOF) {
		t.Error("the cause is lost")
	}
}

func TestAsHidesUnknownCausesFromThePerson(t *testing.T) {
	got := errs.As(errors.New("pq: relation users does not exist"))
	if got.Code != errs.Internal || got.Key != "error.internal" {
		t.Errorf("As = %q %q, want the internal error", got.Code, got.Key)
	}
}
