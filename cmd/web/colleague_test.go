package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestE2E_AColleagueDoesTheStep is walked by two people. The one who signed up has no access to the provider and sends
// the step on; the colleague has no account here, makes one by the mailed link, consents, and both see the same account.
func TestE2E_AColleagueDoesTheStep(t *testing.T) {
	base := startDemo(t)
	staff := newBrowser(t, base)
	staff.open("/login?lang=en")
	staff.signInAs("admin@mooring.example")
	for i, tc := range []struct{ language, business, waits, done, used string }{
		{"zh-CN", "信天翁贸易", "等待中", "已完成", "您已经接受过了"},
		{"en", "Albatross Trading", "Waiting", "Done", "You have accepted this already"},
	} {
		t.Run(tc.language, func(t *testing.T) {
			sender, colleague := newBrowser(t, base), newBrowser(t, base)
			sender.open("/signup?lang=" + tc.language)
			sender.signUp(staff, tc.business, fmt.Sprintf("albatross%d@example.com", i))
			sender.open("/connect/asiabill")
			sender.press("main a[href='/connect/asiabill/send']")
			to := fmt.Sprintf("finance%d@example.com", i)
			sender.fill("#email", to)
			sender.press("main form[action='/connect/asiabill/send'] button[type=submit]")
			sender.untilText(to)
			sender.untilText(tc.waits)

			colleague.open("/?lang=" + tc.language)
			colleague.open(staff.mailedLink(to))
			link := strings.TrimPrefix(colleague.at(), base)
			colleague.untilText(tc.business)
			colleague.fill("#password", "tidewater-lantern-58")
			colleague.press("main form button[type=submit]")
			colleague.until(`/connect/asiabill$`)
			colleague.press("form[action='/connect/asiabill'] button[type=submit]")
			colleague.consent("31760", "allow")
			connection := strings.TrimPrefix(colleague.until(connectionPage), base)
			colleague.do(chromedp.WaitVisible("#live table"))

			sender.open(connection)
			sender.untilText(to) // who connected it
			sender.open("/connect/asiabill/send")
			sender.untilText(tc.done)
			colleague.open(link) // used, and no dead end
			colleague.untilText(tc.used)
			sender.open(connection)
			sender.press("main a[href$='/disconnect']")
			sender.press("form[action$='/disconnect'] button[type=submit]")
			sender.until(connectionPage)
		})
	}
}
