package database

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldest is the first PostgreSQL that has all we use (STRATEGY file_copy, no CREATE on public for everybody).
const oldest = 15

// errNoPrograms says what to do rather than what is wrong.
var errNoPrograms = errors.New("PostgreSQL's server programs (version 15 or newer) were not found: " +
	"install them (Debian and Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; macOS: brew install postgresql), " +
	"or set DATABASE_URL to a server of your own")

// programs is one installation of PostgreSQL's server programs.
type programs struct {
	dir   string
	major int
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// findPrograms looks on PATH and where the distributions put what they keep off PATH. It gives the newest, or the very
// version that made an existing data folder.
func findPrograms(ctx context.Context, wanted int) (programs, error) {
	var found []programs
	for _, dir := range programDirs() {
		if p, ok := inspect(ctx, dir); ok {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return programs{}, errNoPrograms
	}
	if wanted == 0 {
		return slices.MaxFunc(found, func(a, b programs) int { return a.major - b.major }), nil
	}
	i := slices.IndexFunc(found, func(p programs) bool { return p.major == wanted })
	if i < 0 {
		return programs{}, fmt.Errorf("the data was made by PostgreSQL %d, whose server programs are not installed (found: %s): install that version beside the others", wanted, versions(found))
	}
	return found[i], nil
}

func programDirs() []string {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil { // the others may not be beside the link
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",            // Debian
		"/usr/pgsql-*/bin",                     // PGDG on Fedora and its kin
		"/usr/local/pgsql/bin",                 // built from source
		"/opt/homebrew/opt/postgresql*/bin",    // macOS
		"/usr/local/opt/postgresql*/bin",       // macOS on Intel
		"/home/linuxbrew/.linuxbrew/opt/*/bin", // brew on Linux
	} {
		matches, _ := filepath.Glob(pattern) // fails on a malformed pattern only
		dirs = append(dirs, matches...)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs) // asking one takes longer than anything else here
}

// inspect asks the programs of a folder for their version. `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
func inspect(ctx context.Context, dir string) (programs, bool) {
	p := programs{dir: dir}
	for _, name := range []string{"postgres", "initdb"} {
		if _, err := exec.LookPath(p.path(name)); err != nil {
			return programs{}, false
		}
	}
	out, err := exec.CommandContext(ctx, p.path("postgres"), "--version").Output() //nolint:gosec // a program of the folders above
	if err != nil {
		return programs{}, false
	}
	number := regexp.MustCompile(`\(PostgreSQL\) (\d+)`).FindSubmatch(out)
	if number == nil {
		return programs{}, false
	}
	p.major, err = strconv.Atoi(string(number[1]))
	return p, err == nil && p.major >= oldest
}

func versions(found []programs) string {
	var names []string
	for _, p := range found {
		names = append(names, strconv.Itoa(p.major))
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// dataVersion is the major version that made a data folder; 0 when there is none.
func dataVersion(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("database: reading the version of %s: %w", data, err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("database: %s holds no PostgreSQL data of a version we know: %w", data, err)
	}
	return major, nil
}
