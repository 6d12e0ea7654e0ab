//go:build pictures

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestPictures takes the pictures of every page for people to look at: `make pictures`. They go to the folder PICTURES.
func TestPictures(t *testing.T) {
	dir := os.Getenv("PICTURES")
	if dir == "" {
		t.Fatal("PICTURES must name the folder for the pictures")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	base := startDemo(t)
	for _, set := range []struct {
		language, theme string
		width           int64
	}{{"en", "light", 1280}, {"zh-CN", "dark", 1280}, {"zh-CN", "light", 390}, {"en", "dark", 320}} {
		tour(t, base, set.language, func(b *browser, name string) {
			b.media(emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: set.theme}}})
			b.do(chromedp.EmulateViewport(set.width, 900))
			png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(90))
			b.must(err)
			file := filepath.Join(dir, name+"."+set.language+"."+set.theme+"."+map[int64]string{1280: "wide", 390: "phone", 320: "narrow"}[set.width]+".png")
			if err := os.WriteFile(file, png, 0o644); err != nil {
				t.Fatal(err)
			}
			b.do(chromedp.EmulateViewport(1280, 900))
		})
	}
}
