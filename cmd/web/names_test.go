package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAProviderIsNamedInItsPackageAndItsLineAlone reads everything that is built into the program, tests aside: a
// provider's slug and titles stand in its package, its simulator, its mark and its line of the list. The simulators' own
// registry knows them by name, as the one place that is allowed to.
func TestAProviderIsNamedInItsPackageAndItsLineAlone(t *testing.T) {
	root := "../.."
	files := builtIn(t, root)
	if len(files) < 200 {
		t.Fatalf("only %d files found", len(files))
	}
	for _, d := range descriptors(factories()) {
		homes := []string{
			"internal/oauth/" + d.Slug + "/", "internal/simulator/" + d.Slug + "/", "static/providers/" + d.Slug + ".svg",
			"cmd/web/providers.go", "internal/simulator/simulator.go", "internal/simulator/partner.go",
		}
		names := []string{d.Slug}
		for _, title := range []string{d.Title.ZH, d.Title.EN} {
			for _, name := range strings.FieldsFunc(title, func(r rune) bool { return strings.ContainsRune("()（）", r) }) {
				names = append(names, strings.ToLower(strings.TrimSpace(name)))
			}
		}
		found := 0
		for path, text := range files {
			for _, name := range names {
				if !strings.Contains(text, name) {
					continue
				}
				if slices.ContainsFunc(homes, func(home string) bool { return strings.HasPrefix(path, home) }) {
					found++
				} else {
					t.Errorf("%s names %q", path, name)
				}
			}
		}
		if found < 4 {
			t.Errorf("%s: found in %d places only; is this the provider?", d.Slug, found)
		}
	}
}

// builtIn gives the texts, in lower case, of what the program is made of.
func builtIn(t *testing.T, root string) map[string]string {
	t.Helper()
	files, tree := map[string]string{}, os.DirFS(root)
	kinds := []string{".go", ".html", ".css", ".js", ".svg", ".sql", ".toml"}
	for _, dir := range []string{"cmd", "internal", "templates", "static", "migrations"} {
		err := fs.WalkDir(tree, dir, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "testdata":
				return fs.SkipDir
			case entry.IsDir(), !slices.Contains(kinds, filepath.Ext(path)), strings.HasSuffix(path, "_test.go"):
				return nil
			}
			text, err := fs.ReadFile(tree, path)
			files[path] = strings.ToLower(string(text))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}
