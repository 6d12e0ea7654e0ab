package i18n

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A key is topic.word; keys of events, states and reasons are made of a prefix and a word of another room.
var (
	keyPattern    = regexp.MustCompile("[\"`]([a-z_]+\\.[a-z0-9_.]+)[\"`]")
	prefixPattern = regexp.MustCompile("[\"`]([a-z_]+\\.(?:[a-z0-9_.]+[._])?)[\"`] ?\\+")
	comment       = regexp.MustCompile(`//.*`)
	placeholder   = regexp.MustCompile(`\{\{\.?(\w+)\}\}`)
)

func TestCatalogues_SayTheSameInBothLanguages(t *testing.T) {
	b, err := NewBundle()
	if err != nil {
		t.Fatal(err)
	}
	zh, en := b.tongues[Chinese], b.tongues[English]
	for _, key := range keysOf(en) {
		if !zh.known[key] {
			t.Errorf("%q is missing in Chinese", key)
		}
		// What is the same in both languages was not translated, unless it holds no words.
		if zh.plain[key] != "" && zh.plain[key] == en.plain[key] && key != "common.brand" {
			t.Errorf("%q is the same in both languages: %q", key, zh.plain[key])
		}
	}
	for _, key := range keysOf(zh) {
		if !en.known[key] {
			t.Errorf("%q is missing in English", key)
		}
		if hanless(zh.plain[key]) && key != "common.brand" {
			t.Errorf("%q has no Chinese in it: %q", key, zh.plain[key])
		}
	}
}

func hanless(text string) bool {
	return regexp.MustCompile(`\pL`).MatchString(text) && !regexp.MustCompile(`\p{Han}`).MatchString(text)
}

func TestCatalogues_HaveTheSamePlaceholders(t *testing.T) {
	of := map[string]map[string][]string{}
	for _, lang := range Languages() {
		of[lang] = map[string][]string{}
		for _, line := range catalogueLines(t, lang) {
			key, text, _ := strings.Cut(line, " = ")
			var names []string
			for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
				if !slices.Contains(names, m[1]) {
					names = append(names, m[1])
				}
			}
			slices.Sort(names)
			of[lang][key] = names
		}
	}
	for key, want := range of[English] {
		if got := of[Chinese][key]; !slices.Equal(got, want) {
			t.Errorf("%s: Chinese has the placeholders %v, English %v", key, got, want)
		}
	}
}

func catalogueLines(t *testing.T, lang string) []string {
	t.Helper()
	files, err := filepath.Glob("catalog/*." + lang + ".toml")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, `"`) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// TestCatalogues_AndTheirUse reads the sources: every key that is used must exist, and every key that exists be used.
func TestCatalogues_AndTheirUse(t *testing.T) {
	b, err := NewBundle()
	if err != nil {
		t.Fatal(err)
	}
	known := b.tongues[English].known
	topics := map[string]bool{}
	for key := range known {
		topic, _, _ := strings.Cut(key, ".")
		topics[topic] = true
	}
	used, prefixes := map[string]string{}, []string{}
	for _, file := range sources(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code := comment.ReplaceAllString(string(text), "") // comments may give examples
		for _, m := range prefixPattern.FindAllStringSubmatch(code, -1) {
			prefixes = append(prefixes, m[1])
		}
		for _, m := range keyPattern.FindAllStringSubmatch(code, -1) {
			if topic, _, _ := strings.Cut(m[1], "."); topics[topic] && !strings.HasSuffix(m[1], ".") {
				used[m[1]] = file
			}
		}
	}
	for key, file := range used {
		isPrefix := slices.Contains(prefixes, key)
		isFile := strings.HasSuffix(key, ".html") || strings.HasSuffix(key, ".css")
		isEvent := known["event."+key]
		if !known[key] && !isPrefix && !isFile && !isEvent {
			t.Errorf("%s uses %q, which no catalogue has", file, key)
		}
	}
	for key := range known {
		made := slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
		if used[key] == "" && !made {
			t.Errorf("nobody uses %q", key)
		}
	}
}

func keysOf(t *tongue) []string {
	var keys []string
	for key := range t.known {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// sources are the programs and templates that may name a key.
func sources(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, root := range []string{"../../internal", "../../cmd", "../../templates"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				if err == nil && entry.Name() == "simulator" {
					return fs.SkipDir
				}
				return err
			}
			if ext := filepath.Ext(path); (ext == ".go" && !strings.HasSuffix(path, "_test.go")) || ext == ".html" {
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}
