package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
)

// sight is a page on the tour of all pages.
type sight struct{ name, path string }

// tour opens every page there is, in every state that a walk can bring about, and calls look at each. The three browsers
// are a visitor, a merchant and an admin, all in one language.
func tour(t *testing.T, base, language string, look func(b *browser, name string)) {
	t.Helper()
	visitor, merchant, admin := newBrowser(t, base), newBrowser(t, base), newBrowser(t, base)
	at := func(b *browser, sights ...sight) {
		for _, s := range sights {
			b.open(s.path)
			look(b, s.name)
		}
	}

	visitor.open("/?lang=" + language)
	at(visitor, sight{"landing", "/"}, sight{"login", "/login"}, sight{"signup", "/signup"}, sight{"forgot", "/forgot"},
		sight{"receipts", "/receipts"}, sight{"reset-dead", "/reset/nothing"}, sight{"not-found", "/nowhere"})
	visitor.open("/login")
	visitor.fill("#email", "finch@harbour.example")
	visitor.fill("#password", "not the password")
	visitor.press("main button[type=submit]")
	look(visitor, "login-refused")

	admin.open("/login?lang=" + language)
	admin.signInAs("admin@mooring.example")
	visitor.open("/forgot")
	visitor.fill("#email", "finch@harbour.example")
	visitor.press("main button[type=submit]")
	look(visitor, "forgot-sent")
	at(visitor, sight{"reset", admin.mailedLink("finch@harbour.example")})

	merchant.open("/login?lang=" + language)
	merchant.signInAs("finch@harbour.example")
	at(merchant, sight{"overview", "/overview"}, sight{"connections", "/connections"}, sight{"connect", "/connect/asiabill"},
		sight{"connect-key", "/connect/zhiyun"}, sight{"connect-form", "/connect/redemption"},
		sight{"activity", "/activity"}, sight{"notices", "/notices"}, sight{"expiring", "/expiring"}, sight{"settings", "/settings"}, sight{"export", "/settings/export"}, sight{"close", "/settings/close"}, sight{"factors", "/settings/factors"}, sight{"prove", "/prove"}, sight{"admins-only", "/admin/tenants"})
	merchant.open("/connections")
	merchant.press("main a[href^='/connections/']")
	merchant.until(connectionPage)
	connection := strings.TrimPrefix(merchant.at(), base)
	at(merchant, sight{"connection", connection}, sight{"history", connection + "/history"}, sight{"balances", connection + "/balances"}, sight{"reconnect", connection + "/reconnect"}, sight{"disconnect", connection + "/disconnect"})
	merchant.revealSights(connection, look)
	merchant.open("/connections")
	merchant.press("main section:has(a[href='/connect/cardwallet']) a[href^='/connections/']")
	merchant.until(connectionPage)
	look(merchant, "connection-news")
	merchant.attemptSights(look)
	merchant.factorSights(look)
	visitor.closingSights(admin, language, look)

	at(admin, sight{"expiry-board", "/admin/expiring?within=90"}, sight{"audit", "/admin/audit"}, sight{"keys", "/admin/keys"}, sight{"work", "/admin"}, sight{"work-none", "/admin?queue=rejected"}, sight{"links", "/admin/connections"}, sight{"tenants", "/admin/tenants"}, sight{"tenants-none", "/admin/tenants?q=nobody-is-called-this"}, sight{"mail", "/admin/mail"},
		sight{"providers", "/admin/providers"}, sight{"provider", "/admin/providers/asiabill"}, sight{"provider-link", "/admin/providers/redemption"})
	admin.endpointSights(look)
	admin.approvalSights(look)
	at(admin, sight{"inbox", "/admin/webhooks"}, sight{"inbox-none", "/admin/webhooks?state=dead"})
	at(admin, sight{"mails", "/admin/mails"}, sight{"mails-none", "/admin/mails?state=lost"}, sight{"jobs", "/admin/jobs"},
		sight{"jobs-none", "/admin/jobs?state=failing"}, sight{"settings-staff", "/settings"}, sight{"filters-none", "/settings/filters"})
	admin.open("/settings/filters?list=work&queue=linked&who=nobody")
	look(admin, "filter-save")
	admin.press("main button[type=submit]")
	admin.until(`/admin\?queue=linked&who=nobody$`)
	look(admin, "work-kept")
	at(admin, sight{"filters", "/settings/filters"})
	admin.open("/admin/mails")
	admin.press("main table a[href^='/admin/jobs/']")
	look(admin, "job")
	owner := map[string]string{"zh-CN": "lin@bluewhale.example", "en": "finch@harbour.example"}[language] // a review begins once
	admin.open("/admin/tenants?q=" + owner)
	admin.press("main a[href^='/admin/tenants/']")
	admin.until(`/admin/tenants/[0-9a-f-]{36}$`)
	look(admin, "tenant")
	tenant := strings.TrimPrefix(admin.at(), base)
	admin.press("#act-start")
	admin.do(chromedp.WaitVisible("#act-more"))
	at(admin, sight{"review-more", tenant + "/review?act=more"})
	admin.do(chromedp.Click("input[name=reason]"), chromedp.Click("input[name=items]"))
	admin.press("#preview")
	look(admin, "review-preview")
	admin.press("#sure")
	admin.do(chromedp.WaitVisible("#act-reject"))
	look(admin, "tenant-asked")
	admin.viewSights(tenant, look)
}

// viewSights looks through a merchant's eyes, and ends it.
func (b *browser) viewSights(tenant string, look func(b *browser, name string)) {
	b.tb.Helper()
	b.open(tenant + "/view")
	look(b, "view-as")
	b.click("#reason-review")
	b.press("main button[type=submit]")
	b.until("/overview$")
	look(b, "viewed-overview")
	b.open("/notices")
	look(b, "viewed-refused")
	b.press(".viewing button")
	b.until(tenant + "$")
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
	b.fill("#reason", "Asked for by the provider")
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
