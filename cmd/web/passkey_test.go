package main

import (
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// authenticator gives the browser a device that holds passkeys and whose owner always agrees.
func (b *browser) authenticator() {
	b.tb.Helper()
	_, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{})
	b.must(err)
	_, err = chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		},
	})
	b.must(err)
}

// A passkey is made, signs in without a password, and proves who it is before a sensitive act.
func TestE2E_PasskeySignsInAndProves(t *testing.T) {
	t.Parallel()
	base := startDemo(t)
	b := newBrowser(t, base)
	b.authenticator()
	b.open("/login?lang=en")
	b.signInAs("finch@harbour.example")
	b.open("/settings")
	b.press("a[href='/settings/factors']")
	b.press("form[action='/settings/factors/passkey'] button")
	b.fill("#label", "Harbour key")
	b.press("form[data-passkey] button[type=submit]")
	b.untilText("one time only")
	b.press("main a[href='/settings/factors']")
	b.untilText("Harbour key")

	b.open("/settings")
	b.do(chromedp.Click("details.who summary"))
	b.press("form[action='/logout'] button")
	b.press("form[action='/login/passkey'] button")
	b.press("form[data-passkey] button[type=submit]")
	b.until(`/overview$`)

	b.open("/settings")
	b.do(chromedp.Click("details.who summary"))
	b.press("form[action='/logout'] button")
	b.fill("#email", "finch@harbour.example")
	b.fill("#password", "harbour-finch-2026")
	b.press("main form[action='/login'] button")
	b.until(`/login/code`)
	b.press("form[action='/login/code/passkey'] button")
	b.press("form[data-passkey] button[type=submit]")
	b.until(`/overview$`)
	b.open("/prove?next=/settings/factors")
	b.press("form[action='/prove/passkey'] button")
	b.press("form[data-passkey] button[type=submit]")
	b.until(`/settings/factors$`)
	b.press("main a[href$='/remove']")
	b.press("main button.danger")
	b.untilText("It is removed")
}
