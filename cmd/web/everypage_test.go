package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
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
	merchant.teamSights(admin, connection, language, look)
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
