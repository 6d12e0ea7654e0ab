package main

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestE2E_AReviewFromSignUpToItsEnd is walked by two people: the merchant connects, is asked for more, does it and is
// approved; then the review is opened again and ends the other way.
func TestE2E_AReviewFromSignUpToItsEnd(t *testing.T) {
	base := startDemo(t)
	for i, tc := range []struct{ language, business, waits, open, asked, approved, rejected string }{
		{"zh-CN", "灯塔贸易", "您的账户正在等待审核", "我们正在审核您的账户", "您在各服务商处的公司资料不一致", "您的商户已通过审核", "请使用该账号登录"},
		{"en", "Lighthouse Trading", "Your accounts wait for review", "We are looking at your accounts", "does not agree", "Your business is approved", "Sign in with that account"},
	} {
		t.Run(tc.language, func(t *testing.T) {
			staff, merchant := newBrowser(t, base), newBrowser(t, base)
			staff.open("/login?lang=" + tc.language)
			staff.signInAs("admin@mooring.example")
			merchant.open("/signup?lang=" + tc.language)
			email := fmt.Sprintf("lighthouse%d@example.com", i)
			merchant.signUp(staff, tc.business, email)
			merchant.open("/connect/asiabill")
			merchant.press("form[action='/connect/asiabill'] button[type=submit]")
			merchant.consent("31760", "allow")
			merchant.until(connectionPage)
			merchant.do(chromedp.WaitVisible("#live table"))
			merchant.open("/overview")
			merchant.untilText(tc.waits)

			staff.open("/admin/tenants?q=" + email)
			staff.press("main a[href^='/admin/tenants/']")
			staff.press("#act-start")
			staff.decide("more", "data_differs", "input[name=items][value^='reconnect:']")
			merchant.open("/overview")
			merchant.untilText(tc.asked)
			merchant.press("section.review a[href$='/reconnect']")
			merchant.until(`/reconnect$`)
			merchant.press("form[action$='/reconnect'] button[type=submit]")
			merchant.consent("31760", "allow")
			merchant.until(connectionPage)
			merchant.open("/overview") // what was asked is done, and the review goes on by itself
			merchant.untilText(tc.open)

			staff.do(chromedp.Reload())
			staff.decide("approve", "", "")
			merchant.open("/overview")
			merchant.untilText(tc.approved)
			staff.decide("reopen", "", "")
			staff.decide("reject", "duplicate", "")
			merchant.open("/overview")
			merchant.untilText(tc.rejected)
			merchant.open("/connections") // gives the account free for the next merchant
			merchant.press("main a[href^='/connections/']")
			merchant.press("main a[href$='/disconnect']")
			merchant.press("form[action$='/disconnect'] button[type=submit]")
			merchant.until(connectionPage)
		})
	}
}

// decide walks a member of the staff from the tenant's page through a decision and its preview, back to that page.
func (b *browser) decide(act, reason, item string) {
	b.tb.Helper()
	b.press("#act-" + act)
	b.until(`/review\?act=` + act + `$`)
	if reason != "" {
		b.do(chromedp.Click("input[name=reason][value=" + reason + "]"))
	}
	if item != "" {
		b.do(chromedp.Click(item))
	}
	b.press("#preview")
	b.do(chromedp.WaitVisible("#sure"))
	b.press("#sure")
	b.until(`/admin/tenants/[0-9a-f-]{36}$`)
}
