// Package simulator runs the providers as a stranger would write them from their documents: strict, believable, and
// able to misbehave on demand. It knows nothing of the application that is tried against it and imports none of it.
//
// This package owns the ports and the index page. Package bench is what all providers stand on (faults, ledger, clock,
// pages, guards); each provider is a package of its own beside it. A further provider is its package and one line in
// New; the lines' order is the order of the ports:
//
//	first      the index: every simulator, its address, sample accounts, fault menu
//	second     AsiaBill, for both its oauth and its openapi host
//	and so on
package simulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"mooring/internal/simulator/asiabill"
	"mooring/internal/simulator/bench"
	"mooring/internal/simulator/cardwallet"
	"mooring/internal/simulator/chainup"
	"mooring/internal/simulator/redemption"
	"mooring/internal/simulator/zhiyun"
)

// Options make a Simulator.
type Options struct {
	Dir     string           // where clients and issued tokens are kept over a restart; empty: nowhere
	Now     func() time.Time // nil: the true time
	Log     *slog.Logger     // nil: silence
	Exposed bool             // listen where it is told to, even beyond this machine (inside a container)

	RetryScale float64 // stretches the documented pauses between callbacks; 0: as documented
}

// Simulator is all providers.
type Simulator struct {
	// AsiaBill is open to the program that starts it, to register the application: EnrolSample or Register.
	AsiaBill *asiabill.Simulator
	// CardWallet is open as well, for its sample merchants' credentials and its callbacks: Clients, SetCallback, Send.
	CardWallet *cardwallet.Simulator

	// Redemption is open to the program that starts it: Samples, PlatformKeyPEM, Agree.
	Redemption *redemption.Simulator

	// Zhiyun is open to the program that starts it: Sample, Register, Issue.
	Zhiyun *zhiyun.Simulator

	// ChainUp is open to the program that starts it, to register the application: EnrolSample, Register, Authorise.
	ChainUp *chainup.Simulator

	rooms   []room
	pages   *bench.Pages
	exposed bool
	log     *slog.Logger

	mu        sync.Mutex
	servers   []*http.Server
	addresses Addresses
	stop      context.CancelFunc
}

// room is one provider as this package sees it.
type room struct {
	slug    string
	handler http.Handler
	about   func(base string) bench.About
	board   *bench.Board
}

// preparer is a handler that has a word to say about its server and gives the listener to serve on.
type preparer interface {
	Prepare(server *http.Server, l net.Listener) net.Listener
}

// Addresses say where everything answers, as http://host:port.
type Addresses struct {
	Index     string
	Providers map[string]string // by slug
}

// New makes the simulators and reads what earlier ones kept. Nothing listens yet.
func New(o Options) (*Simulator, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	dir := o.Dir
	if dir != "" {
		dir = filepath.Join(dir, "simulators")
	}
	asia, err := asiabill.New(asiabill.Options{Dir: dir, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	redeem, err := redemption.New(redemption.Options{Dir: dir, Now: o.Now, Log: o.Log, RetryScale: o.RetryScale})
	if err != nil {
		return nil, err
	}
	cards, err := cardwallet.New(cardwallet.Options{Dir: dir, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	cloud, err := zhiyun.New(zhiyun.Options{Dir: dir, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	exchange, err := chainup.New(chainup.Options{Dir: dir, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	pages, err := indexPages()
	if err != nil {
		return nil, err
	}
	return &Simulator{
		AsiaBill: asia, CardWallet: cards, Redemption: redeem, Zhiyun: cloud, ChainUp: exchange, pages: pages, exposed: o.Exposed, log: o.Log,
		rooms: []room{
			{asiabill.Slug, asia.Handler(), asia.About, asia.Board},
			{redemption.Slug, redeem.Handler(), redeem.About, redeem.Board},
			{zhiyun.Slug, cloud.Handler(), cloud.About, cloud.Board},
			{cardwallet.Slug, cards.Handler(), cards.About, cards.Board},
			{chainup.Slug, exchange.Handler(), exchange.About, exchange.Board},
		},
	}, nil
}

// Start listens on firstAddr and the ports that follow it, one for each provider, and returns when all of them are
// open. Port 0 takes free ones. The context bounds the start only; Stop ends what was started.
func (s *Simulator) Start(ctx context.Context, firstAddr string) (Addresses, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		return Addresses{}, errors.New("simulator: already started")
	}
	listeners, err := s.listen(ctx, firstAddr)
	if err != nil {
		return Addresses{}, err
	}
	s.addresses = Addresses{Index: address(listeners[0]), Providers: map[string]string{}}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.serve(running, listeners[0], s.index())
	for i, r := range s.rooms {
		s.addresses.Providers[r.slug] = address(listeners[i+1])
		s.serve(running, listeners[i+1], r.handler)
	}
	return s.addresses, nil
}

// Stop ends everything that Start began; calls that a fault holds up are let go.
func (s *Simulator) Stop(ctx context.Context) error {
	s.mu.Lock()
	servers, stop := s.servers, s.stop
	s.servers, s.stop = nil, nil
	s.mu.Unlock()
	if stop == nil {
		return nil
	}
	stop()
	var faults []error
	for _, server := range servers {
		if err := server.Shutdown(ctx); err != nil {
			faults = append(faults, fmt.Errorf("simulator: stop: %w", err))
			_ = server.Close() // the deadline has passed; what is left is cut off
		}
	}
	return errors.Join(faults...)
}

// listen opens the index's port and one for each provider, or none at all.
func (s *Simulator) listen(ctx context.Context, firstAddr string) ([]net.Listener, error) {
	host, first, err := s.split(firstAddr)
	if err != nil {
		return nil, err
	}
	var open []net.Listener
	for i := range len(s.rooms) + 1 {
		port := 0
		if first != 0 {
			port = first + i
		}
		var config net.ListenConfig
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			for _, earlier := range open {
				_ = earlier.Close() // nobody has used it yet
			}
			return nil, fmt.Errorf("simulator: %w", err)
		}
		open = append(open, l)
	}
	return open, nil
}

// split reads the first address. The simulators hand out tokens to whoever asks nicely: they stay on this machine
// unless told otherwise.
func (s *Simulator) split(firstAddr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(firstAddr)
	if err != nil {
		return "", 0, fmt.Errorf("simulator address: %w", err)
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 0 || port+len(s.rooms) > 65535 {
		return "", 0, fmt.Errorf("simulator address %q: no such port", firstAddr)
	}
	ip := net.ParseIP(host)
	if !s.exposed && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, fmt.Errorf("simulator address %q is not a loopback address", firstAddr)
	}
	return host, port, nil
}

// serve answers on a listener until Stop. A write may take as long as the slowest fault.
func (s *Simulator) serve(running context.Context, l net.Listener, h http.Handler) {
	server := &http.Server{
		Handler: h, BaseContext: func(net.Listener) context.Context { return running },
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 3 * time.Minute,
		IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if p, ok := h.(preparer); ok {
		l = p.Prepare(server, l)
	}
	s.servers = append(s.servers, server)
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("simulator stopped answering", "address", l.Addr().String(), "error", err)
		}
	}()
}

// address is where a browser on this machine reaches a listener; "every interface" is no address to call.
func address(l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "http://" + l.Addr().String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
