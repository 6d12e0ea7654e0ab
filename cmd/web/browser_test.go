package main

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// browser is a real one, with cookies of its own.
type browser struct {
	tb   testing.TB
	ctx  context.Context
	base string

	mu      sync.Mutex
	asked   []string // every address it has asked for
	trouble []string // what its console complained of
}

// newBrowser starts one. Its pages may complain of nothing: scripts that fail and what the content policy had to block
// fail the test.
func newBrowser(tb testing.TB, base string) *browser {
	tb.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	tb.Cleanup(func() { cancel(); stop() })
	b := &browser{tb: tb, ctx: ctx, base: base}
	b.must(chromedp.Do(ctx, chromedp.Navigate("about:blank"))) // the browser lives as long as the context it is started with
	b.must(chromedp.Listen(ctx, func(event any) {
		if request, ok := event.(*network.EventRequestWillBeSent); ok {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.asked = append(b.asked, request.Request.URL)
		}
	}))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	b.must(err)
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if strings.HasPrefix(m.Text, "Clear-Site-Data header") { // signing out worked; the browser says so
				continue
			}
			b.mu.Lock()
			b.trouble = append(b.trouble, m.Text)
			b.mu.Unlock()
		}
	}()
	tb.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, complaint := range b.trouble {
			if !strings.Contains(complaint, "Failed to load resource") { // a status other than 200 is some pages' point
				tb.Errorf("the browser's console: %s", complaint)
			}
		}
	})
	return b
}

func (b *browser) must(err error) {
	b.tb.Helper()
	if err != nil {
		b.keepPicture()
		b.tb.Fatalf("at %s: %v", b.at(), err)
	}
}

// do carries out steps; one that cannot be done fails the test with a picture of the page.
func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	b.must(chromedp.Do(ctx, steps...))
}

// open goes to a path of ours, or to an address.
func (b *browser) open(path string) {
	b.tb.Helper()
	if !strings.Contains(path, "://") {
		path = b.base + path
	}
	b.do(chromedp.Navigate(path))
}

func (b *browser) fill(selector, value string) {
	b.tb.Helper()
	b.do(chromedp.Clear(selector), chromedp.SendKeys(selector, value))
}

func (b *browser) click(selector string) {
	b.tb.Helper()
	b.do(chromedp.Click(selector))
}

// press clicks what leads to another page, and waits until that page is there.
func (b *browser) press(selector string) {
	b.tb.Helper()
	evaluate[bool](b, `window.beforeThePress = true`)
	b.click(selector)
	b.eventually("another page after pressing "+selector, func() (string, bool) {
		ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		defer cancel()
		there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](
			`location.href !== "about:blank" && !window.beforeThePress && document.readyState === "complete"`))
		return "", err == nil && there
	})
}

// at gives the address that the browser shows.
func (b *browser) at() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	address, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		return "an unknown place"
	}
	return address
}

// until waits until the browser is at an address that matches.
func (b *browser) until(pattern string) string {
	b.tb.Helper()
	re := regexp.MustCompile(pattern)
	return b.eventually("the address matches "+pattern, func() (string, bool) {
		address := b.at()
		return address, re.MatchString(address)
	})
}

// untilText waits until the page shows a text, and gives all of the page's.
func (b *browser) untilText(want string) string {
	b.tb.Helper()
	return b.eventually("the page shows "+want, func() (string, bool) {
		text := b.text()
		return text, strings.Contains(text, want)
	})
}

// eventually looks again and again until what it looks for is there: the browser moves by itself.
func (b *browser) eventually(what string, look func() (string, bool)) string {
	b.tb.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(25 * time.Millisecond) {
		if found, ok := look(); ok {
			return found
		}
	}
	b.keepPicture()
	b.tb.Fatalf("never: %s; the browser is at %s and shows:\n%s", what, b.at(), b.text())
	return ""
}

// text gives what a person can read on the page; empty while the browser is between two pages.
func (b *browser) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	if err != nil {
		return ""
	}
	return text
}

// evaluate runs a script in the page.
func evaluate[T any](b *browser, script string) T {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	b.must(err)
	return value
}

// withoutScripts switches JavaScript off for every page from now on.
func (b *browser) withoutScripts() {
	b.tb.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.must(err)
}

// requested gives the last address asked for that begins so.
func (b *browser) requested(prefix string) string {
	b.tb.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.asked) - 1; i >= 0; i-- {
		if strings.HasPrefix(b.asked[i], prefix) {
			return b.asked[i]
		}
	}
	b.tb.Fatalf("the browser never asked for %s…", prefix)
	return ""
}

// media lets pages be shown in another theme, or as on paper.
func (b *browser) media(as emulation.SetEmulatedMediaParams) {
	b.tb.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, as)
	b.must(err)
}

// inside fails when the page as it is shown must be moved sideways to be read, and names what is too wide.
func (b *browser) inside(name string) {
	b.tb.Helper()
	if wide := evaluate[string](b, `(() => {
		const root = document.documentElement;
		if (root.scrollWidth <= root.clientWidth) return "";
		const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange(), out = [];
		while (words.nextNode()) {
			range.selectNodeContents(words.currentNode);
			const parent = words.currentNode.parentElement;
			if (range.getBoundingClientRect().right > root.clientWidth + 1 && !parent.closest(".scrolls, .menu, .who")) out.push(parent);
		}
		return root.scrollWidth + " of " + root.clientWidth + " px: " + out.slice(-3).map(e => e.outerHTML.slice(0, 150)).join(" | ");
	})()`); wide != "" {
		b.keepPicture()
		b.tb.Errorf("%s is wider than its window: %s", name, wide)
	}
}

// strangers gives the hosts it has asked that are not of this machine.
func (b *browser) strangers() (hosts []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, address := range b.asked {
		u, err := url.Parse(address)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
			continue
		}
		if name := u.Hostname(); name != "localhost" && name != "127.0.0.1" {
			hosts = append(hosts, u.Host)
		}
	}
	return hosts
}

// keepPicture leaves a picture of the page for whoever reads the failure.
func (b *browser) keepPicture() {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(90))
	if err != nil {
		return
	}
	name := filepath.Join(os.TempDir(), strings.NewReplacer("/", "-", " ", "-").Replace(b.tb.Name())+".png")
	if os.WriteFile(name, png, 0o600) == nil {
		b.tb.Logf("the page at the failure: %s", name)
	}
}
