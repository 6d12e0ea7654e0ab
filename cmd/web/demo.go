package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"mooring/internal/config"
	"mooring/internal/mail"
	"mooring/internal/simulator"
)

type demoCmd struct{}

// Run carries out "web demo": it starts what serve expects to find around it, writes an environment that says so, and
// serves.
func (demoCmd) Run(ctx context.Context, w world) error {
	began := time.Now()
	lookup := under(w.lookup, map[string]string{"LOG_LEVEL": "warn", "LOG_FORMAT": "text"})
	c, err := load(lookup, config.Simulating)
	if err != nil {
		return err
	}
	s := &stage{log: newLog(w.stderr, c), config: c}
	defer s.close(context.WithoutCancel(ctx))
	environment, err := s.set(ctx, lookup)
	if err != nil {
		return err
	}
	if c, err = load(environment, config.Serving); err != nil {
		return err
	}
	return serve(ctx, c, plan{
		log: s.log, demo: true, listener: s.listener, letters: s.letters.Letters, prepare: s.signUpSamples,
		announce: func(address string, _ time.Duration) { s.announce(w, address, time.Since(began)) },
	})
}

// stage is what stands around the program in a demo and in no other place.
type stage struct {
	config    config.Config
	log       *slog.Logger
	lock      *os.File
	listener  net.Listener
	letters   *mail.Capture
	simulator *simulator.Simulator
	at        simulator.Addresses
}

// set starts everything and gives the environment to serve in.
func (s *stage) set(ctx context.Context, lookup func(string) (string, bool)) (func(string) (string, bool), error) {
	var err error
	if s.lock, err = lockDir(s.config.DataDir); err != nil {
		return nil, err
	}
	if s.listener, err = listen("LISTEN_ADDR", s.config.ListenAddr); err != nil {
		return nil, err
	}
	keyset, err := developmentKeyset(s.config.DataDir)
	if err != nil {
		return nil, err
	}
	var smtp string
	if s.letters, smtp, err = mail.StartCapture(ctx); err != nil {
		return nil, err
	}
	if s.simulator, err = simulator.New(simulator.Options{Dir: s.config.DataDir, Log: s.log}); err != nil {
		return nil, err
	}
	if s.at, err = startSimulator(ctx, s.simulator, s.config.SimulatorAddr); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		return nil, err
	}
	lookup = under(lookup, map[string]string{"PUBLIC_URL": "http://localhost:" + port, "METRICS_ADDR": freeMetricsAddr()})
	lookup = over(lookup, map[string]string{
		"KEYSET": "", "KEYSET_FILE": keyset,
		"SMTP_URL": smtp, "SMTP_URL_FILE": "", "MAIL_FROM": "Mooring demo <demo@mooring.example>",
	})
	return s.simulated(lookup)
}

// simulated points every provider at its simulator, and nothing else may be reached.
func (s *stage) simulated(lookup func(string) (string, bool)) (func(string) (string, bool), error) {
	public, _ := lookup("PUBLIC_URL")
	enrolled, err := s.simulator.Enrol("Mooring demo", func(slug string) string {
		return strings.TrimRight(public, "/") + "/oauth/" + slug + "/callback"
	})
	if err != nil {
		return nil, fmt.Errorf("PUBLIC_URL: the simulators do not accept it: %w", err)
	}
	var hosts []string
	for _, address := range s.at.Providers {
		u, err := url.Parse(address)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, u.Host)
	}
	settings := map[string]string{"OUTBOUND_ALLOW": strings.Join(hosts, ",")}
	for slug, given := range enrolled {
		prefix := strings.ToUpper(slug) + "_"
		settings[prefix+"ENVIRONMENT"] = "test"
		for name, value := range given {
			settings[prefix+name], settings[prefix+name+"_FILE"] = value, ""
		}
	}
	return over(lookup, settings), nil
}

// announce says where to go and as whom.
func (s *stage) announce(w world, address string, took time.Duration) {
	var b strings.Builder
	fmt.Fprintf(&b, "\nMooring is ready at %s (%.1f s)\n\n", address, took.Seconds())
	for _, person := range samplePeople() {
		who := person.business
		if who == "" {
			who = "admin"
		}
		fmt.Fprintf(&b, "  %-24s %-22s %s\n", person.email, person.password, who)
	}
	fmt.Fprintf(&b, "\n  simulators  %s\n  data        %s\n\nCtrl-C ends all of it; the next start finds the data again.\n", s.at.Index, s.config.DataDir)
	fmt.Fprint(w.stdout, b.String())
}

func (s *stage) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if s.simulator != nil {
		_ = s.simulator.Stop(ctx)
	}
	if s.letters != nil {
		_ = s.letters.Close()
	}
	if s.listener != nil {
		_ = s.listener.Close()
	}
	if s.lock != nil {
		_ = s.lock.Close() // gives the data directory free
	}
}

// lockDir keeps a second demo out of the data directory before either touches anything in it. The lock ends with the
// process, however it ends.
func lockDir(dir string) (*os.File, error) {
	// Others may pass through, because PostgreSQL may have to run as another user; they may not look around.
	if err := os.MkdirAll(dir, 0o711); err != nil { //nolint:gosec // nothing can be listed, and every file in it is 0600
		return nil, fmt.Errorf("DATA_DIR: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "demo.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("DATA_DIR: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		_ = lock.Close()
		return nil, fmt.Errorf("another demo is running in the data directory %s; stop it or set DATA_DIR to another folder", dir)
	}
	return lock, err
}

// freeMetricsAddr is the usual address, or nothing where something else listens there: a demo does not fail for that.
func freeMetricsAddr() string {
	const usual = "127.0.0.1:9090"
	l, err := net.Listen("tcp", usual)
	if err != nil {
		return ""
	}
	_ = l.Close()
	return usual
}

// under gives variables to those who did not set them.
func under(lookup func(string) (string, bool), defaults map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if value, set := lookup(name); set {
			return value, true
		}
		value, set := defaults[name]
		return value, set
	}
}

// over sets variables whatever they were.
func over(lookup func(string) (string, bool), forced map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if value, set := forced[name]; set {
			return value, true
		}
		return lookup(name)
	}
}
