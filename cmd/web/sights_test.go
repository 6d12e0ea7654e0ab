package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
)

// teamSights invites a colleague, who looks as an operator and then as a viewer, and is removed again.
func (b *browser) teamSights(admin *browser, connection, language string, look func(b *browser, name string)) {
	b.tb.Helper()
	b.open("/connect/asiabill/send")
	look(b, "step")
	b.open("/team/invite")
	look(b, "invite")
	email := fmt.Sprintf("mate-%d@harbour.example", time.Now().UnixNano())
	b.fill("#email", email)
	b.click("input[name=role][value=operator]")
	b.press("main button[type=submit]")
	b.open("/team")
	look(b, "team")

	mate := newBrowser(b.tb, b.base)
	mate.open("/?lang=" + language)
	link := admin.mailedLink(email)
	mate.open(link)
	look(mate, "invitation")
	mate.fill("#password", "tidewater-lantern-58")
	mate.press("main form button[type=submit]")
	mate.until("/overview$")
	as := func(role string) {
		for name, path := range map[string]string{
			"overview": "/overview", "connections": "/connections", "connection": connection, "connect": "/connect/asiabill", "activity": "/activity",
			"team": "/team", "settings": "/settings", "notices": "/notices", "expiring": "/expiring", "report": connection + "/report",
			"history": connection + "/history", "balances": connection + "/balances", "refused": "/settings/close",
		} {
			mate.open(path)
			look(mate, name+"-"+role)
		}
	}
	as("operator")
	b.open("/team")
	b.press("main table tr:not(:has(.badge)) a[href^='/team/']")
	look(b, "colleague")
	b.click("input[name=role][value=viewer]")
	b.press("main form[action$='/role'] button")
	as("viewer")
	mate.open(link)
	look(mate, "invitation-used")
	b.press("main table tr:not(:has(.badge)) a[href^='/team/']")
	b.press("#remove")
	mate.open("/overview")
	look(mate, "removed")
}

// revealSights looks at what is masked, and at what support is given.
func (b *browser) revealSights(connection string, look func(b *browser, name string)) {
	b.tb.Helper()
	b.open(connection + "/report")
	look(b, "report")
	b.open("/connections")
	b.press("main section:has(a[href='/connect/zhiyun']) a[href^='/connections/']")
	b.until(connectionPage)
	b.press("main a[href*='/reveal/']")
	look(b, "reveal")
	b.click("#reason-check")
	b.press("main button[type=submit]")
	b.do(chromedp.WaitVisible("#values"))
	look(b, "revealed")
	b.press("main a.button")
	b.until(connectionPage)
	b.press("main a[href*='/answer/']")
	look(b, "answer-ask")
	b.press("main button[type=submit]")
	b.do(chromedp.WaitVisible("main pre"))
	look(b, "answer")
}

// attemptSights shows an attempt that waits, one that was cancelled, and one that was refused at the provider.
func (b *browser) attemptSights(look func(b *browser, name string)) {
	b.tb.Helper()
	b.open("/connect/asiabill")
	b.press("form[action='/connect/asiabill'] button[type=submit]")
	b.until(`/oauth/(authorize|login|consent)`)
	b.open("/overview")
	look(b, "overview-unfinished")
	b.open("/connections")
	look(b, "connections-unfinished")
	b.press("main a[href^='/attempts/']")
	b.until(`/attempts/[0-9a-f-]{36}$`)
	look(b, "attempt-pending")
	b.press("#cancel")
	b.until(`/attempts/[0-9a-f-]{36}$`)
	b.do(chromedp.WaitNotPresent("#cancel"))
	look(b, "attempt-cancelled")

	b.open("/connect/redemption")
	b.fill("#business_id", "820260101002")
	b.fill("#merchant_id", "M10086022")
	b.do(chromedp.SetValue("#sign_type", "MD5"))
	b.fill("#md5_key", "lantern-and-leaf-5f2c7d")
	b.press("form[action='/connect/redemption'] button[type=submit]")
	b.until(`/attempts/[0-9a-f-]{36}$`)
	look(b, "attempt-link")
	b.press("#cancel")

	b.open("/connect/asiabill")
	b.press("form[action='/connect/asiabill'] button[type=submit]")
	b.consent("20488", "deny")
	b.until(`/attempts/[0-9a-f-]{36}$`)
	look(b, "attempt-denied")
}

// approvalSights asks for something that wants two of the staff, and takes it back.
func (b *browser) approvalSights(look func(b *browser, name string)) {
	b.tb.Helper()
	b.open("/admin/approvals")
	look(b, "approvals-none")
	b.open("/admin/approvals/withdraw?provider=asiabill")
	look(b, "approval-ask")
	b.do(chromedp.SetValue("#reason", "Asked for by the provider"))
	b.press("#ask")
	b.until(`/admin/approvals/[0-9a-f-]{36}$`)
	look(b, "approval")
	b.open("/admin/approvals")
	look(b, "approvals")
	b.press("main table a[href^='/admin/approvals/']")
	b.press("#cancel")
	b.do(chromedp.WaitNotPresent("#cancel"))
	b.open("/admin/approvals?state=ended")
	look(b, "approvals-ended")
}

// endpointSights makes an endpoint for outgoing webhooks, shows it in every state, and deletes it again.
func (b *browser) endpointSights(look func(b *browser, name string)) {
	b.tb.Helper()
	show := func(name, path string) {
		b.open(path)
		look(b, name)
	}
	show("endpoints-none", "/admin/endpoints")
	show("endpoint-new", "/admin/endpoints/new")
	b.fill("#url", "http://crm.harbour.example/mooring")
	b.press("main button[type=submit]")
	look(b, "endpoint-refused")
	b.do(chromedp.SetValue("#url", "https://crm.harbour.example/mooring"))
	b.fill("#description", "CRM")
	b.press("main button[type=submit]")
	b.do(chromedp.WaitVisible("#secret"))
	look(b, "endpoint-secret")
	b.press("main .actions a")
	b.until(`/admin/endpoints/[0-9a-f-]{36}$`)
	look(b, "endpoint")
	path := strings.TrimPrefix(b.at(), b.base)
	b.press("form[action$='/test'] button")
	b.do(chromedp.WaitVisible("#test-title"))
	look(b, "endpoint-tested")
	show("endpoint-edit", path+"/edit")
	show("endpoint-rotate", path+"/rotate")
	b.press("main button[type=submit]")
	b.do(chromedp.WaitVisible("#secret"))
	show("endpoint-two-secrets", path)
	show("endpoint-disable", path+"/disable")
	b.press("main button[type=submit]")
	b.until(path + "$")
	look(b, "endpoint-off")
	show("endpoints", "/admin/endpoints")
	show("endpoint-delete", path+"/delete")
	b.press("main button[type=submit]")
	b.until("/admin/endpoints$")
}

// factorSights shows how a second proof is set up and asked for.
func (b *browser) factorSights(look func(b *browser, name string)) {
	b.tb.Helper()
	b.open("/settings/factors")
	b.press("form[action='/settings/factors/passkey'] button")
	look(b, "passkey")
	b.open("/settings/factors")
	b.press("form[action='/settings/factors/totp'] button")
	look(b, "totp")
	code, err := totp.GenerateCode(strings.ReplaceAll(evaluate[string](b, `document.querySelector("main code").textContent`), " ", ""), time.Now())
	b.must(err)
	b.fill("#code", code)
	b.press("main button[type=submit]")
	look(b, "recovery")
	recovery := evaluate[string](b, `document.querySelector(".codes code").textContent`)
	b.press("main a[href='/settings/factors']")
	look(b, "factors-one")
	b.press("main a[href$='/remove']")
	look(b, "factor-remove")
	b.do(chromedp.Click("details.who summary"))
	b.press("form[action='/logout'] button")
	b.fill("#email", "finch@harbour.example")
	b.fill("#password", "harbour-finch-2026")
	b.press("main form[action='/login'] button")
	look(b, "code")
	b.fill("#code", recovery)
	b.press("main form[action='/login/code'] button")
	b.open("/settings/factors")
	b.press("main a[href$='/remove']")
	b.press("main button.danger") // the next tour signs in with the password alone
}

// closingSights closes a business of its own, and shows it to its owner.
func (b *browser) closingSights(admin *browser, language string, look func(b *browser, name string)) {
	b.tb.Helper()
	email := fmt.Sprintf("leaving-%d@quay.example", time.Now().UnixNano())
	b.signUp(admin, "Quay & Sons", email)
	b.open("/settings/close?lang=" + language)
	b.fill("#name", "Quay & Sons")
	b.press("main button[type=submit]")
	b.do(chromedp.WaitVisible("#receipt-title"))
	b.open("/login")
	b.fill("#email", email)
	b.fill("#password", "tidewater-lantern-58")
	b.press("main form[action='/login'] button")
	b.until("/overview$|/closed$")
	b.open("/closed")
	look(b, "closed")
}
