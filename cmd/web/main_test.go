package main

import (
	"errors"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"mooring/internal/database/dbtest"
)

// TestMain makes the program a command for the tests: scripts and Go tests start it as web.
func TestMain(m *testing.M) {
	testscript.Main(withDatabase{m}, map[string]func(){"web": main})
}

// withDatabase stops the tests' PostgreSQL after them.
type withDatabase struct{ m *testing.M }

// Run implements testscript.TestingM.
func (w withDatabase) Run() int { return dbtest.Main(w.m) }

func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Deadline:            time.Now().Add(2 * time.Minute),
		Cmds:                map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits},
		Setup: func(e *testscript.Env) error {
			e.Setenv("DATA_DIR", e.WorkDir+"/data")
			return nil
		},
	})
}

// exits runs a program that must end by itself within two seconds and with this code: `exits 2 web sail`.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program [argument...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	began := time.Now()
	err = ts.Exec(args[1], args[2:]...)
	if took := time.Since(began); took > 2*time.Second {
		ts.Fatalf("%v took %v", args[1:], took)
	}
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, want)
	}
}
