package main

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// What a hostile provider tells runs no script, asks nobody else for anything and breaks no line, on a desk and on a
// phone, and on paper. Which elements come of it, the handlers' tests compare for every role.
func TestE2E_HostileValuesRunNothingAndFitThePage(t *testing.T) {
	t.Parallel()
	pretend := &oauthtest.KeyFake{Fake: oauthtest.Fake{Slug: "sixth"}}
	pretend.Fill(oauthtest.Hostile())
	b := newBrowser(t, serveList(t, append(factories(), oauth.Factory{
		Describe: pretend.Descriptor,
		New:      func(oauth.Config) (oauth.Provider, error) { return pretend, nil },
	})))
	b.must(chromedp.Listen(b.ctx, func(event any) {
		if dialog, ok := event.(*page.EventJavascriptDialogOpening); ok {
			t.Errorf("a script says %q", dialog.Message)
		}
	}))
	b.open("/signup")
	b.fill("#business_name", `Hull & <img src=//evil.example/x onerror=alert(1)>`+strings.Repeat("W", 60))
	b.fill("#email", "hull@example.com")
	b.fill("#password", "tidewater-lantern-58")
	b.press("main button[type=submit]")
	b.until("/overview$")
	b.open("/connect/sixth")
	b.fill("[name=client_id]", "1234567890123456789")
	b.fill("[name=client_secret]", "right")
	b.press("form[action='/connect/sixth'] button[type=submit]")
	b.until(connectionPage)
	b.untilText("alert(1)")
	connection := strings.TrimPrefix(b.at(), b.base)
	for _, path := range []string{
		"/overview", "/connections", "/activity", "/notices", "/team", "/settings", "/settings/close", connection, connection + "/history",
		connection + "/balances", connection + "/report", connection + "/disconnect", connection + "/reveal/company",
	} {
		b.open(path)
		b.fits(path)
	}
	b.click("#reason-check")
	b.press("main button[type=submit]")
	b.do(chromedp.WaitVisible("#values"))
	b.fits("the revealed values")
	b.open(connection + "/answer/company")
	b.press("main button[type=submit]")
	b.do(chromedp.WaitVisible("main pre"))
	b.fits("the raw answer")
	if asked := b.strangers(); len(asked) > 0 {
		t.Errorf("the pages asked %v", asked)
	}
}

// fits fails when the page is wider than a desk's, a phone's or the narrowest window, or than a sheet of paper.
func (b *browser) fits(name string) {
	b.tb.Helper()
	for _, width := range []int64{1280, 360, 320} {
		b.do(chromedp.EmulateViewport(width, 900))
		b.inside(name)
	}
	b.media(emulation.SetEmulatedMediaParams{Media: "print"})
	b.do(chromedp.EmulateViewport(718, 900)) // A4 between margins of a centimetre
	b.inside(name + " on paper")
	b.media(emulation.SetEmulatedMediaParams{})
	b.do(chromedp.EmulateViewport(1280, 900))
}
