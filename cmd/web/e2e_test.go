package main

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// startDemo starts a demo in a folder of its own and gives its address.
func startDemo(tb testing.TB) (base string) {
	tb.Helper()
	return startWeb(tb, demoEnv(tb.TempDir()+"/data"), "demo").await(tb, demoLine)[1]
}

// signInAs signs a sample person in.
func (b *browser) signInAs(email string) {
	b.tb.Helper()
	for _, person := range samplePeople() {
		if person.email == email {
			b.signIn(email, person.password)
			return
		}
	}
	b.tb.Fatalf("there is no sample person %s", email)
}

func (b *browser) signIn(email, password string) {
	b.tb.Helper()
	b.open("/login")
	b.fill("#email", email)
	b.fill("#password", password)
	b.press("main button[type=submit]")
	b.until(`/(overview|admin)$`)
}

// signUp makes a new merchant, all the way through the mail.
func (b *browser) signUp(admin *browser, business, email string) {
	b.tb.Helper()
	b.open("/signup")
	b.fill("#business_name", business)
	b.fill("#email", email)
	b.fill("#password", "tidewater-lantern-58")
	b.press("main button[type=submit]")
	b.eventually("the page says to look into the mail", func() (string, bool) {
		text := b.text()
		return text, strings.Contains(text, email)
	})
	b.open(admin.mailedLink(email))
	b.press("main button[type=submit]")
	b.until(`/overview$`)
}

// mailedLink finds the link in the newest captured mail to an address, on the admins' page.
func (b *browser) mailedLink(to string) string {
	b.tb.Helper()
	link := regexp.MustCompile(regexp.QuoteMeta(b.base) + `/(?:signup|reset|invitations)/[A-Za-z0-9_-]+`)
	return b.eventually("a mail to "+to, func() (string, bool) {
		b.open("/admin/mail")
		page := html.UnescapeString(evaluate[string](b, `document.querySelector("main").innerHTML`))
		_, mail, found := strings.Cut(page, to)
		return link.FindString(mail), found && link.MatchString(mail)
	})
}

// consent walks through the simulator's pages as a merchant's super administrator.
func (b *browser) consent(merNo, decision string) {
	b.tb.Helper()
	b.until(`/oauth/(authorize|login|consent)`)
	if !strings.Contains(evaluate[string](b, `document.body.innerHTML`), `name="decision"`) {
		b.fill("#merchantId", merNo)
		b.fill("#username", "admin")
		b.fill("#password", "asiabill-"+merNo)
		b.press("form[action='/oauth/login'] button[type=submit]")
	}
	b.do(chromedp.WaitVisible("button[name=decision]"))
	b.press("button[name=decision][value=" + decision + "]")
}

const connectionPage = `/connections/[0-9a-f-]{36}$`

func TestE2E_NewMerchantConnectsAndTheAdminSeesIt(t *testing.T) {
	base := startDemo(t)
	admin := newBrowser(t, base)
	admin.open("/login?lang=en")
	admin.signInAs("admin@mooring.example")

	for i, tc := range []struct{ language, business, asOf, transaction, chargeback string }{
		{"zh-CN", "海雀贸易", "获取", "交易", "拒付"},
		{"en", "Puffin Trading", "Fetched", "Transaction", "Chargeback"},
	} {
		t.Run(tc.language, func(t *testing.T) {
			b := newBrowser(t, base)
			b.open("/signup?lang=" + tc.language)
			email := fmt.Sprintf("puffin%d@example.com", i)
			b.signUp(admin, tc.business, email)

			b.open("/connections")
			b.press("a[href='/connect/asiabill']")
			b.until(`/connect/asiabill$`)
			b.press("form[action='/connect/asiabill'] button[type=submit]")
			b.consent("31760", "allow")
			b.until(connectionPage)
			b.do(chromedp.WaitVisible("#live table")) // by itself, when the first sync has read them
			page := b.untilText(tc.asOf)
			for _, want := range []string{tc.transaction, tc.chargeback} {
				if !strings.Contains(page, want) {
					t.Errorf("the connection's page does not show %q:\n%s", want, page)
				}
			}

			admin.open("/admin/tenants?q=" + email)
			admin.press("main a[href^='/admin/tenants/']")
			if seen := admin.untilText(tc.business); !strings.Contains(seen, "AsiaBill") {
				t.Errorf("the admin's page does not show the connection:\n%s", seen)
			}
			b.press("main a[href$='/disconnect']") // gives the account free for the next merchant
			b.press("form[action$='/disconnect'] button[type=submit]")
			b.until(connectionPage)
			if hosts := b.strangers(); len(hosts) > 0 {
				t.Errorf("the pages asked strangers: %v", hosts)
			}
		})
	}
}

func TestE2E_DeniedConsentCanBeRepeated(t *testing.T) {
	base := startDemo(t)
	b := newBrowser(t, base)
	b.open("/login?lang=en")
	b.signInAs("finch@harbour.example")
	b.open("/connect/asiabill")
	b.press("form[action='/connect/asiabill'] button[type=submit]")
	b.consent("31760", "deny")
	b.until(`/attempts/[0-9a-f-]{36}$`)
	b.do(chromedp.Reload()) // says the same again
	b.untilText("AsiaBill")
	b.press("main a[href='/connect/asiabill']")
	b.until(`/connect/asiabill$`)
	b.press("form[action='/connect/asiabill'] button[type=submit]")
	b.consent("31760", "allow")
	b.until(connectionPage)
}

func TestE2E_RepeatedCallbackShowsTheSameConnection(t *testing.T) {
	base := startDemo(t)
	b := newBrowser(t, base)
	b.open("/login?lang=en")
	b.signInAs("finch@harbour.example")
	b.open("/connect/asiabill")
	b.press("form[action='/connect/asiabill'] button[type=submit]")
	b.consent("31760", "allow")
	connected := b.until(connectionPage)

	callback := b.requested(base + "/oauth/asiabill/callback")
	b.open(callback) // a reload, or the same link pressed twice
	if again := b.until(connectionPage); again != connected {
		t.Errorf("the repeated callback led to %s, want %s", again, connected)
	}
	b.do(chromedp.NavigateBack())
	b.open(callback)
	if again := b.until(connectionPage); again != connected {
		t.Errorf("after going back it led to %s, want %s", again, connected)
	}

	other := newBrowser(t, base)
	other.open("/login?lang=en")
	other.signInAs("finch@harbour.example")
	other.open(callback) // the same person in another browser
	if at := other.at(); !strings.HasPrefix(at, base+"/oauth/asiabill/callback") {
		t.Errorf("in another browser it led to %s", at)
	}
}

func TestE2E_DoubleClickOnAllow(t *testing.T) {
	base := startDemo(t)
	b := newBrowser(t, base)
	b.open("/login?lang=zh-CN")
	b.signInAs("finch@harbour.example")
	b.open("/connect/asiabill")
	b.do(chromedp.DoubleClick("form[action='/connect/asiabill'] button[type=submit]"))
	b.consent("31760", "allow")
	b.until(connectionPage)
}

func TestE2E_WithoutJavaScript(t *testing.T) {
	base := startDemo(t)
	b := newBrowser(t, base)
	b.withoutScripts()
	b.open("/login?lang=en")
	b.signInAs("finch@harbour.example")
	b.open("/connect/asiabill")
	b.press("form[action='/connect/asiabill'] button[type=submit]")
	b.consent("31760", "allow")
	b.until(connectionPage)
	b.eventually("the page asks again by itself until the sync has ended", func() (string, bool) {
		text := b.text()
		return text, strings.Contains(text, "Chargeback") && strings.Contains(text, "Fetched")
	})
}

func TestE2E_ALinkIsOpenedElsewhereAndConfirmedHere(t *testing.T) {
	base := startDemo(t)
	b, phone := newBrowser(t, base), newBrowser(t, base)
	b.open("/login?lang=zh-CN")
	b.signInAs("finch@harbour.example")
	b.open("/connect/redemption")
	b.fill("#business_id", "820260101002")
	b.fill("#merchant_id", "M10086022")
	b.do(chromedp.SetValue("#sign_type", "MD5"))
	b.fill("#md5_key", "lantern-and-leaf-5f2c7d")
	b.press("form[action='/connect/redemption'] button[type=submit]")
	b.until(`/attempts/[0-9a-f-]{36}$`)
	b.do(chromedp.WaitVisible("svg.qr"))

	phone.open(evaluate[string](b, `document.querySelector("#open-link").href`)) // as if the code were scanned
	phone.press("button[name=decision][value=agree]")
	b.do(chromedp.WaitVisible("#confirm")) // the page follows by itself
	b.press("#confirm")
	b.until(connectionPage)
	b.untilText("CNY") // the balance, when the first sync has read it
}

func TestE2E_AKeyIsPastedAndAWrongOneExplained(t *testing.T) {
	base := startDemo(t)
	b := newBrowser(t, base)
	b.open("/login?lang=en")
	b.signInAs("finch@harbour.example")
	b.open("/connect/zhiyun")
	b.fill("#access_token", "0000000000000000000000000000000000")
	b.press("form[action='/connect/zhiyun'] button[type=submit]")
	b.until(`/attempts/[0-9a-f-]{36}$`)
	b.press("main a[href='/connect/zhiyun']")
	b.until(`/connect/zhiyun$`)
}
