package simulator

import (
	"context"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"mooring/internal/simulator/bench"
)

func start(t *testing.T, o Options, addr string) (*Simulator, Addresses) {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	at, err := s.Start(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s, at
}

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// neighbours opens n ports that follow each other, so that a test may close and reuse them. They lie below the ports
// that the system gives to those who do not ask for one: while they are closed, no other test's connection takes them.
func neighbours(t *testing.T, n int) []net.Listener {
	t.Helper()
	for range 200 {
		first := 12_000 + rand.IntN(18_000)
		var open []net.Listener
		for i := range n {
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(first+i)))
			if err != nil {
				break
			}
			open = append(open, l)
		}
		if len(open) == n {
			return open
		}
		closeAll(open)
	}
	t.Fatal("there are no free ports side by side")
	return nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

func TestStart_AnswersOnConsecutivePorts(t *testing.T) {
	ports := neighbours(t, 6)
	closeAll(ports)
	_, at := start(t, Options{}, ports[0].Addr().String())
	if want := "http://" + ports[1].Addr().String(); at.Providers["asiabill"] != want {
		t.Errorf("asiabill at %s, want %s", at.Providers["asiabill"], want)
	}
	if status, _ := get(t, at.Providers["asiabill"]+"/_faults"); status != http.StatusOK {
		t.Errorf("fault menu: got %d", status)
	}
}

func TestIndex_ListsEverything(t *testing.T) {
	s, at := start(t, Options{}, "127.0.0.1:0")
	if _, err := s.AsiaBill.EnrolSample("http://localhost:8080/oauth/asiabill/callback", "Mooring"); err != nil {
		t.Fatal(err)
	}
	for lang, parts := range map[string][]string{
		"en":    {"Payment provider simulators", "Harbour &amp; Finch Ltd", "Super administrator"},
		"zh-CN": {"支付服务商模拟器", "深圳市蓝鲸科技有限公司", "超级管理员"},
	} {
		_, page := get(t, at.Index+"/?lang="+lang)
		parts = append(parts, at.Providers["asiabill"]+"/_faults", "admin / asiabill-10231", s.AsiaBill.Sample().ClientSecret)
		for _, part := range parts {
			if !strings.Contains(page, part) {
				t.Errorf("%s: the index lacks %q", lang, part)
			}
		}
	}
	_, page := get(t, strings.Replace(at.Index, "127.0.0.1", "localhost", 1))
	if !strings.Contains(page, strings.Replace(at.Providers["asiabill"], "127.0.0.1", "localhost", 1)+"/_faults") {
		t.Error("a visitor under localhost is led to another name")
	}
}

func TestStart_RefusesWhatIsNotThisMachine(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:65535"} {
		s, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Start(t.Context(), addr); err == nil {
			t.Errorf("%s was taken", addr)
		}
	}
}

func TestStart_BusyPortIsAnErrorAndLeavesNothingOpen(t *testing.T) {
	ports := neighbours(t, 2)
	free, busy := ports[0], ports[1]
	defer func() { _ = busy.Close() }()
	addr := free.Addr().String()
	_ = free.Close()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Start(t.Context(), addr); err == nil {
		t.Fatal("started on a busy port")
	}
	again, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatalf("the index's port stayed open: %v", err)
	}
	_ = again.Close()
}

func TestStop_LetsHungCallsGo(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	at, err := s.Start(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AsiaBill.Board.Set(bench.Rule{Name: bench.FaultHang}); err != nil {
		t.Fatal(err)
	}
	left := make(chan struct{})
	go func() {
		defer close(left)
		if res, err := http.Get(at.Providers["asiabill"] + "/openApi/chargebacks"); err == nil {
			_ = res.Body.Close()
		}
	}()
	for entries, _ := s.AsiaBill.Ledger.After(0); len(entries) == 0; entries, _ = s.AsiaBill.Ledger.After(0) {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
	<-left
	if err := s.Stop(ctx); err != nil {
		t.Errorf("a second stop: %v", err)
	}
}

func TestRestart_KeepsTheSampleClient(t *testing.T) {
	dir := t.TempDir()
	first, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	second, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if first.AsiaBill.Sample() != second.AsiaBill.Sample() {
		t.Error("the sample client changed")
	}
	info, err := os.Stat(filepath.Join(dir, "simulators", "asiabill.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("state file: %v %v", info, err)
	}
}

// TestArrows: the simulators import the standard library and each other, nothing else.
func TestArrows(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name := strings.Trim(spec.Path.Value, `"`)
			first, _, _ := strings.Cut(name, "/")
			ours := name == "mooring/internal/simulator" || strings.HasPrefix(name, "mooring/internal/simulator/")
			if (first == "mooring" || strings.Contains(first, ".")) && !ours {
				t.Errorf("%s imports %s", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
