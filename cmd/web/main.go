// Command web is Mooring: the program that serves, and the commands that operate it.
//
// This room is the composition root. It reads the configuration, starts what is needed in order, hands everybody their
// needs and stops it all again; it decides nothing about merchants, money or pages. serve.go is the way through. demo is
// the same way with other settings. providers.go is the list of providers and the only importer of their packages.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], world{
		lookup: os.LookupEnv, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
	}))
}

// world is what a command may touch of the process it runs in.
type world struct {
	lookup func(name string) (value string, set bool)
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// commands is the command line. The environment says everything else; `web doctor` explains it.
type commands struct {
	Serve       serveCmd       `cmd:"" help:"Serve the application. Everything is configured by the environment; all faults are told at once."`
	Demo        demoCmd        `cmd:"" help:"Try it: a private PostgreSQL, the providers' simulators and sample merchants, with nothing to configure."`
	Migrate     migrateCmd     `cmd:"" help:"Bring the database up to date, as the owner that MIGRATE_DATABASE_URL names."`
	Simulate    simulateCmd    `cmd:"" help:"Run the providers' simulators alone, on SIMULATOR_ADDR and the ports after it."`
	Doctor      doctorCmd      `cmd:"" help:"Check the configuration, the database, the keys and the providers, and say what to do next."`
	Keys        keysCmd        `cmd:"" help:"Master keysets."`
	Admin       adminCmd       `cmd:"" help:"The platform's staff."`
	Connections connectionsCmd `cmd:"" help:"Many connections at once."`
	Audit       auditCmd       `cmd:"" help:"The history, and the proof that nobody changed it."`
}

// misuse is an error of the person who typed the command.
type misuse struct{ error }

// errTold ends a command with code 1 after it has said itself what is wrong.
var errTold = errors.New("told already")

// run carries out one command and gives its exit code: 0 success, 2 wrong use, 1 failure with a sentence on stderr. The
// first SIGTERM or SIGINT asks the command to end; a second one ends the process at once.
func run(ctx context.Context, args []string, w world) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, stop)

	helped := false
	parser, err := kong.New(&commands{}, kong.Name("web"),
		kong.Description("Mooring lets merchants connect their payment-provider accounts."),
		kong.Writers(w.stdout, w.stderr),
		kong.Exit(func(int) { helped = true }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(w))
	if err != nil {
		return failed(w, "web", err)
	}
	command, err := parser.Parse(args)
	switch {
	case helped:
		return 0
	case err != nil:
		return failed(w, "web", misuse{fmt.Errorf("%w (see `web --help`)", err)})
	}
	if err := command.Run(); err != nil {
		return failed(w, "web "+command.Command(), err)
	}
	return 0
}

// failed says what went wrong and gives the exit code for it.
func failed(w world, who string, err error) int {
	if !errors.Is(err, errTold) {
		fmt.Fprintf(w.stderr, "%s: %s\n", who, err)
	}
	if _, ok := errors.AsType[misuse](err); ok {
		return 2
	}
	return 1
}
