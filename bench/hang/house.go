package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/database"
)

// providers are the simulators in the order of their ports, after the index's.
func providers() []string {
	return []string{"asiabill", "redemption", "zhiyun", "cardwallet", "chainup"}
}

// house is the program under load, with a way to its pages, its database and its simulators.
type house struct {
	dir, base, control string
	hung               string
	process            *exec.Cmd
	db                 *pgxpool.Pool
	browser            *http.Client
	pages              []string
}

// open builds and starts the program and signs in.
func open(ctx context.Context, hung string) (h *house, err error) {
	dir, err := os.MkdirTemp("", "mooring-hang-")
	if err != nil {
		return nil, err
	}
	h = &house{dir: dir, hung: hung}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "web"), "./cmd/web") //nolint:gosec // a folder of our own
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("building ./cmd/web, from the repository's root: %w", err)
	}
	if err := h.start(ctx); err != nil {
		return nil, err
	}
	owner, _, _, _, err := database.RunningURLs(filepath.Join(dir, "data", "postgres"))
	if err != nil {
		return nil, err
	}
	if h.db, err = pgxpool.New(ctx, owner); err != nil {
		return nil, err
	}
	if err := h.addConnections(ctx); err != nil {
		return nil, err
	}
	return h, h.signIn(ctx)
}

// start runs the demo on free ports until it says that it is ready.
func (h *house) start(ctx context.Context) error {
	web, err := freePorts(1)
	if err != nil {
		return err
	}
	sims, err := freePorts(len(providers()) + 1)
	if err != nil {
		return err
	}
	h.base = fmt.Sprintf("http://localhost:%d", web)
	for i, slug := range providers() {
		if slug == h.hung {
			h.control = fmt.Sprintf("http://127.0.0.1:%d/_control/faults", sims+1+i)
		}
	}
	if h.control == "" {
		return fmt.Errorf("there is no provider %q", h.hung)
	}
	h.process = exec.CommandContext(ctx, filepath.Join(h.dir, "web"), "demo") //nolint:gosec // what was just built
	h.process.Env = append(h.process.Environ(), "DATA_DIR="+filepath.Join(h.dir, "data"), "LOG_LEVEL=error",
		fmt.Sprintf("LISTEN_ADDR=127.0.0.1:%d", web), fmt.Sprintf("SIMULATOR_ADDR=127.0.0.1:%d", sims), "METRICS_ADDR=")
	h.process.Cancel = func() error { return h.process.Process.Signal(syscall.SIGTERM) }
	out, err := h.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := h.process.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return nil
		}
	}
	return errors.New("the demo ended before it was ready")
}

// freePorts gives the first of so many ports in a row that nobody listens on at the moment.
func freePorts(count int) (int, error) {
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		at, err := netip.ParseAddrPort(l.Addr().String())
		_ = l.Close()
		if err == nil && portsAreFree(int(at.Port()), count) {
			return int(at.Port()), nil
		}
	}
	return 0, errors.New("no free ports in a row")
}

func portsAreFree(first, count int) bool {
	for port := first; port < first+count; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}

// signIn goes through the form, as the demo's second merchant, and finds the pages to measure.
func (h *house) signIn(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	h.browser = &http.Client{Jar: jar, Timeout: 20 * time.Second}
	form := url.Values{"email": {"finch@harbour.example"}, "password": {"harbour-finch-2026"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.base+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := h.send(r); err != nil {
		return err
	}
	h.pages = []string{"/overview", "/connections", "/activity", "/settings"}
	for _, slug := range providers() {
		h.pages = append(h.pages, "/connect/"+slug)
	}
	rows, err := h.db.Query(ctx, `SELECT '/connections/' || c.id FROM connections c WHERE c.tenant_id = `+tenantOf, "finch@harbour.example")
	if err != nil {
		return err
	}
	for rows.Next() {
		var page string
		if err := rows.Scan(&page); err != nil {
			return err
		}
		h.pages = append(h.pages, page)
	}
	return rows.Err()
}

// send asks and insists on a page.
func (h *house) send(r *http.Request) error {
	answer, err := h.browser.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s", r.Method, r.URL.Path, answer.Status)
	}
	return nil
}

// hang switches the fault.
func (h *house) hang(ctx context.Context, on bool) error {
	method := http.MethodDelete
	if on {
		method = http.MethodPut
	}
	r, err := http.NewRequestWithContext(ctx, method, h.control+"/hang", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	return h.send(r)
}

// machine says what the figures belong to.
func (h *house) machine(ctx context.Context) string {
	server, processor := "unknown", "unknown"
	_ = h.db.QueryRow(ctx, `SHOW server_version`).Scan(&server)
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(text), "model name\t: "); ok {
			processor, _, _ = strings.Cut(rest, "\n")
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	commit, _ := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	return fmt.Sprintf("commit %s · %s · PostgreSQL %s · %s/%s · %d × %s · load before %s\n",
		strings.TrimSpace(string(commit)), runtime.Version(), server, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor,
		strings.Join(strings.Fields(string(load))[:min(3, len(strings.Fields(string(load))))], " "))
}

// close ends the program and removes what it left.
func (h *house) close() {
	if h.db != nil {
		h.db.Close()
	}
	if h.process != nil && h.process.Process != nil {
		_ = h.process.Process.Signal(syscall.SIGTERM)
		_ = h.process.Wait()
	}
	_ = os.RemoveAll(h.dir)
}
