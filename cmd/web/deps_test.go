package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "mooring/"

// arrows are the only imports of ours that a room may have, tests aside. A room that ends in "/…" speaks for those
// inside it which have no line of their own. A new arrow is a decision: draw it in ARCHITECTURE.md too.
var arrows = map[string][]string{
	"cmd/web": { // the composition root puts everything together
		"internal/accounts", "internal/audit", "internal/config", "internal/connect", "internal/database", "internal/dispatch", "internal/errs", "internal/handlers", "internal/i18n",
		"internal/jobs", "internal/keys", "internal/mail", "internal/models", "internal/notices", "internal/oauth", "internal/oauth/…", "internal/outbound", "internal/secret",
		"internal/simulator", "internal/simulator/…", "internal/vault", "internal/watch",
	},
	"bench/…": { // measuring programs put together what they measure, and the stranger beside it
		"internal/connect", "internal/database", "internal/jobs", "internal/keys", "internal/models", "internal/oauth", "internal/oauth/…", "internal/outbound",
		"internal/secret", "internal/simulator/…", "internal/vault",
	},
	"bench/lists": { // it measures pages, with everything that stands behind them
		"internal/accounts", "internal/connect", "internal/database", "internal/dispatch", "internal/handlers", "internal/i18n", "internal/models",
		"internal/oauth", "internal/oauth/…", "internal/secret", "internal/vault",
	},
	"internal/handlers": {
		"internal/accounts", "internal/audit", "internal/connect", "internal/dispatch", "internal/errs", "internal/i18n", "internal/mail", "internal/models",
		"internal/notices", "internal/oauth", "internal/secret", "static", "templates",
	},
	"internal/jobs":              {"internal/accounts", "internal/connect", "internal/errs", "internal/mail", "internal/models", "internal/oauth"},
	"internal/accounts":          {"internal/errs", "internal/i18n", "internal/mail", "internal/models", "internal/secret", "internal/vault"},
	"internal/audit":             {"internal/models"},
	"internal/connect":           {"internal/errs", "internal/models", "internal/oauth", "internal/secret", "internal/vault"},
	"internal/dispatch":          {"internal/errs", "internal/models", "internal/oauth", "internal/outbound", "internal/secret", "internal/vault"},
	"internal/keys":              {"internal/errs", "internal/models", "internal/vault"},
	"internal/watch":             {"internal/models", "internal/oauth", "internal/outbound"},
	"internal/models":            {"internal/errs", "internal/oauth", "internal/secret", "internal/vault"},
	"internal/notices":           {"internal/errs", "internal/i18n", "internal/mail", "internal/models", "internal/oauth"},
	"internal/oauth":             {"internal/secret"},
	"internal/oauth/oauthtest":   {"internal/oauth", "internal/outbound", "internal/secret"},
	"internal/oauth/…":           {"internal/oauth", "internal/outbound", "internal/secret"},
	"internal/outbound":          {"internal/oauth", "internal/secret"}, // of oauth only what a call and its answer are
	"internal/config":            {"internal/oauth", "internal/secret"},
	"internal/mail":              {"internal/i18n", "internal/secret"},
	"internal/i18n":              {"internal/oauth"}, // of oauth only what money is
	"internal/vault":             {"internal/secret"},
	"internal/database":          {"migrations"},
	"internal/database/dbtest":   {"internal/database", "migrations"},
	"internal/database/dbtest/…": {"internal/database"},
	"internal/simulator":         {"internal/simulator/…"},
	"internal/simulator/…":       {"internal/simulator/bench"},
	"bench/hang":                 {"internal/database", "internal/vault"}, // it drives the program from outside, and adds to its database
	"internal/errs":              {},
	"internal/secret":            {},
	"migrations":                 {},
	"static":                     {},
	"templates":                  {},
}

// keepers are the only rooms that may import a library, so that everybody else is free of its ways.
var keepers = map[string][]string{
	"github.com/gin-gonic/gin":        {"internal/handlers"},
	"github.com/gorilla/":             {"internal/handlers"},
	"gorm.io/":                        {"internal/models"},
	"github.com/riverqueue/river":     {"internal/jobs", "internal/database"}, // database migrates its tables
	"github.com/pressly/goose":        {"internal/database"},
	"github.com/tink-crypto/":         {"internal/vault"},
	"github.com/failsafe-go/":         {"internal/outbound"},
	"github.com/alecthomas/kong":      {"cmd/web"},
	"github.com/wneessen/go-mail":     {"internal/mail"},
	"github.com/emersion/go-smtp":     {"internal/mail"},
	"github.com/chromedp/":            {},
	"github.com/alexedwards/argon2id": {"internal/accounts"},
	"github.com/go-webauthn/":         {"internal/accounts"},
	"github.com/pquerna/otp":          {"internal/accounts"},
	"github.com/nicksnyder/go-i18n/":  {"internal/i18n"},
	"database/sql":                    {"internal/models"},
	"github.com/jackc/pgx/v5/stdlib":  {"internal/models", "internal/database"},
	"math/rand":                       {"internal/simulator", "internal/simulator/bench", "bench/refresh", "bench/keys"}, // nothing of ours may be guessable
	"html/template":                   {"internal/handlers", "internal/mail", "internal/simulator/bench"},
	"text/template":                   {"internal/mail", "internal/i18n"},
}

// goPackage is what `go list` says of one of our packages.
type goPackage struct {
	ImportPath, Dir, Doc string
	GoFiles, Imports     []string
}

func (p goPackage) room() string { return strings.TrimPrefix(p.ImportPath, module) }

func ourPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Doc,GoFiles,Imports", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			packages = append(packages, p)
		}
	}
	if len(packages) < 15 {
		t.Fatalf("only %d packages found", len(packages))
	}
	return packages
}

// line finds the room's line in the table, its own or that of the nearest "/…" above it.
func line(room string) (targets []string, ok bool) {
	if targets, ok = arrows[room]; ok {
		return targets, true
	}
	for above := room; strings.Contains(above, "/"); {
		above = above[:strings.LastIndex(above, "/")]
		if targets, ok = arrows[above+"/…"]; ok {
			return targets, true
		}
	}
	return nil, false
}

func allowed(targets []string, target string) bool {
	return slices.ContainsFunc(targets, func(t string) bool {
		above, open := strings.CutSuffix(t, "…")
		return t == target || open && strings.HasPrefix(target, above)
	})
}

func TestDeps_ArrowsPointOneWay(t *testing.T) {
	t.Parallel()
	for _, p := range ourPackages(t) {
		targets, ok := line(p.room())
		if !ok {
			t.Errorf("%s is a room that the table of arrows does not know", p.room())
			continue
		}
		for _, i := range p.Imports {
			if target, ours := strings.CutPrefix(i, module); ours && !allowed(targets, target) {
				t.Errorf("%s -> %s is an arrow that nobody has drawn", p.room(), target)
			}
		}
	}
}

func TestDeps_TheTableNamesRoomsThatExist(t *testing.T) {
	t.Parallel()
	rooms := map[string]bool{}
	for _, p := range ourPackages(t) {
		rooms[p.room()] = true
	}
	for room := range maps.Keys(arrows) {
		if !strings.HasSuffix(room, "…") && !rooms[room] {
			t.Errorf("the table of arrows speaks of %s, which does not exist", room)
		}
	}
}

func TestDeps_LibrariesHaveTheirKeepers(t *testing.T) {
	t.Parallel()
	for _, p := range ourPackages(t) {
		for _, i := range p.Imports {
			for library, rooms := range keepers {
				if (i == library || strings.HasPrefix(i, strings.TrimSuffix(library, "/")+"/")) && !keeps(rooms, p.room()) {
					t.Errorf("%s imports %s, which belongs to %v alone", p.room(), i, rooms)
				}
			}
		}
	}
}

// keeps lets the simulator's rooms pass as one: it is a stranger's program that happens to live here.
func keeps(rooms []string, room string) bool {
	return slices.Contains(rooms, room) || strings.HasPrefix(room, "internal/simulator")
}

func TestDeps_EveryPackageSaysWhatItOwns(t *testing.T) {
	t.Parallel()
	for _, p := range ourPackages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.room())
		}
	}
}

// TestDeps_TheEnvironmentIsReadInOnePlace looks for the functions themselves: config is handed one of them by main.
func TestDeps_TheEnvironmentIsReadInOnePlace(t *testing.T) {
	t.Parallel()
	readers := []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}
	may := []string{"cmd/web/main.go", "internal/database/dbtest/server.go"} // the second is for tests only
	for _, p := range ourPackages(t) {
		for _, name := range p.GoFiles {
			where := p.room() + "/" + name
			if slices.Contains(may, where) || p.room() == "internal/config" {
				continue
			}
			eachCall(t, filepath.Join(p.Dir, name), func(pkg, function string, line int) {
				if (pkg == "os" || pkg == "syscall") && slices.Contains(readers, function) {
					t.Errorf("%s:%d reads the environment with %s.%s", where, line, pkg, function)
				}
			})
		}
	}
}

// eachCall visits what a file uses of other packages, by the package's usual name.
func eachCall(t *testing.T, path string, visit func(pkg, name string, line int)) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				visit(x.Name, s.Sel.Name, files.Position(s.Pos()).Line)
			}
		}
		return true
	})
}
