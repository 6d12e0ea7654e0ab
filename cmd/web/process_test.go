package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mooring/internal/database/dbtest"
	"mooring/internal/vault"
)

// process is a running web.
type process struct {
	cmd    *exec.Cmd
	out    *output // stdout and stderr, as a terminal would show them
	exited chan struct{}
}

// startWeb starts web with nothing in its environment but what is given.
func startWeb(tb testing.TB, env []string, args ...string) *process {
	tb.Helper()
	p := &process{cmd: exec.Command("web", args...), out: &output{}, exited: make(chan struct{})}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "METRICS_ADDR="}, env...)
	p.cmd.Dir = tb.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // its code is in ProcessState
		close(p.exited)
	}()
	tb.Cleanup(func() {
		select {
		case <-p.exited:
		default:
			_ = p.cmd.Process.Signal(syscall.SIGTERM)
			p.code(tb)
		}
		if tb.Failed() {
			tb.Logf("web %s printed:\n%s", strings.Join(args, " "), p.out)
		}
	})
	return p
}

// await waits until the output matches, and gives the match's groups.
func (p *process) await(tb testing.TB, pattern string) []string {
	tb.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if found := re.FindStringSubmatch(p.out.String()); found != nil {
			return found
		}
		select {
		case <-p.exited:
			if found := re.FindStringSubmatch(p.out.String()); found != nil {
				return found
			}
			tb.Fatalf("it ended without printing %q", pattern)
		default:
		}
	}
	tb.Fatalf("it did not print %q", pattern)
	return nil
}

// code waits for the end and gives the exit code; -1 for an end by a signal.
func (p *process) code(tb testing.TB) int {
	tb.Helper()
	select {
	case <-p.exited:
	case <-time.After(15 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exited
		tb.Error("it did not end in time")
	}
	return p.cmd.ProcessState.ExitCode()
}

// end sends a signal and gives the exit code.
func (p *process) end(tb testing.TB, signal syscall.Signal) int {
	tb.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		tb.Fatal(err)
	}
	return p.code(tb)
}

// output collects what a process prints while others read it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String gives all of it so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// servingLine is the event that serve writes when it answers.
const servingLine = `"msg":"serving","address":"([^"]+)"`

// serveEnv is a complete environment on a database of a test's own.
func serveEnv(tb testing.TB, db dbtest.DB, more ...string) []string {
	tb.Helper()
	return append([]string{
		"DATABASE_URL=" + db.AppURL, "PLATFORM_DATABASE_URL=" + db.PlatformURL,
		"KEYSET=" + newKeyset(tb), "PUBLIC_URL=http://localhost:8080", "LISTEN_ADDR=127.0.0.1:0",
	}, more...)
}

func newKeyset(tb testing.TB) string {
	tb.Helper()
	text, err := vault.NewKeyset()
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// get asks and gives status and body.
func get(tb testing.TB, address string) (status int, body string) {
	tb.Helper()
	client := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(address)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// processesIn finds processes that work in a folder, which PostgreSQL's do in its data folder.
func processesIn(tb testing.TB, dir string) []string {
	tb.Helper()
	var found []string
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		tb.Fatal(err)
	}
	for _, link := range links {
		if cwd, err := os.Readlink(link); err == nil && strings.HasPrefix(cwd, dir) {
			found = append(found, link)
		}
	}
	return found
}

// awaitNobody waits until no process works in a folder: after a kill -9 PostgreSQL ends by itself, in a moment.
func awaitNobody(tb testing.TB, dir string) {
	tb.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(processesIn(tb, dir)) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("still working in %s: %v", dir, processesIn(tb, dir))
		}
	}
}
