package handlers

import (
	"io/fs"
	"reflect"
	"regexp"
	"testing"
	"testing/fstest"

	"github.com/jba/templatecheck"

	"mooring/static"
	"mooring/templates"
)

func TestTemplatesFitTheirStructs(t *testing.T) {
	set, err := loadPages(templates.Files)
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range pageTable() {
		if err := templatecheck.CheckHTML(set.byType[reflect.TypeOf(page)], page); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUndeclaredPageIsRefusedAtStart(t *testing.T) {
	files := fstest.MapFS{"pages/stray.html": {Data: []byte(`{{define "content"}}{{end}}`)}}
	err := fs.WalkDir(templates.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(templates.Files, name)
		files[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loadPages(files); err == nil {
		t.Error("a template that no page shows was accepted")
	}
}

// TestTemplatesUseNothingTheContentPolicyForbids reads the sources: what is inline would silently not work.
func TestTemplatesUseNothingTheContentPolicyForbids(t *testing.T) {
	assets, err := loadAssets(static.Files)
	if err != nil {
		t.Fatal(err)
	}
	forbidden := regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<style|javascript:|<script[^>]*>[^<]|https?://`)
	asset := regexp.MustCompile(`\.Asset "([^"]+)"`)
	err = fs.WalkDir(templates.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(templates.Files, name)
		if found := forbidden.Find(text); found != nil {
			t.Errorf("%s: %q", name, found)
		}
		for _, m := range asset.FindAllSubmatch(text, -1) {
			if !assets.has(string(m[1])) {
				t.Errorf("%s: there is no asset %q", name, m[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
