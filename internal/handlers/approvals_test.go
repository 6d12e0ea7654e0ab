package handlers

import (
	"context"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/oauth/oauthtest"
)

// bridge is two members of the staff and a merchant whose access ends in twenty days.
type bridge struct {
	*harbour
	merchant, first, second *visitor
	connection, tenant      string
}

func newBridge(t *testing.T) bridge {
	t.Helper()
	h, v, connection := moored(t, &oauthtest.Fake{Lifetime: 20 * day})
	b := bridge{harbour: h, merchant: v, connection: connection, first: h.staff(t), second: h.colleague(t, "second@example.com")}
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT tenant_id FROM connections`).Scan(&b.tenant))
	return b
}

// asked is what the first one asks for; it gives the act's page.
func (b bridge) asked(t *testing.T, address string, more ...string) string {
	t.Helper()
	got := b.first.post(t, address, append([]string{"reason", "They asked us to"}, more...)...)
	if got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/admin/approvals/") {
		t.Fatalf("asking at %s: %d to %q\n%s", address, got.status, got.location, got.body)
	}
	return got.location
}

// on is where something is done to the act on a page.
func on(page string, act models.Act, deed string) string {
	return "/admin/approvals/" + string(act) + "/" + path.Base(page) + "/" + deed
}

// carriedOut does what the job would.
func (b bridge) carriedOut(t *testing.T, page string) {
	t.Helper()
	must(t, b.connect.CarryOut(t.Context(), b.store, uuid.MustParse(path.Base(page))))
}

// staffTold counts the platform's events of a kind, and who they name.
func (b bridge) staffTold(t *testing.T, kind string) (n, people int) {
	t.Helper()
	must(t, b.db.Owner.QueryRow(t.Context(), `SELECT count(*), count(DISTINCT actor_id) FROM platform_events WHERE kind LIKE $1`, kind).Scan(&n, &people))
	return n, people
}

const remindAll = "/admin/approvals/remind?provider=fake&within=30"

func TestApproval_TwoRemindManyAtOnce(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	b.first.get(t, "/admin/approvals").want(t, "nothing yet", 200, "", "Nothing waits for anybody")
	b.first.get(t, "/admin/expiring?within=30&provider=fake").want(t, "the board", 200, "", "/admin/approvals/remind?provider=fake&amp;within=30")
	b.first.get(t, remindAll).want(t, "the preview", 200, "", "1 connection", "Harbour Ltd", "1•••1", "Reminded that access to Fake", "提醒")
	b.first.get(t, "/admin/approvals/remind?within=14").want(t, "nobody to remind", 200, "", "nothing here that this would concern")
	b.first.post(t, remindAll).want(t, "without a reason", 422, "", "Please write a few words")
	page := b.asked(t, remindAll)
	b.first.get(t, page).want(t, "the one who asked", 200, "", "Take the request back", "waits for a colleague", "They asked us to")
	b.second.get(t, "/admin").want(t, "the second", 200, "", "Approvals (1)")
	b.second.get(t, page).want(t, "the second, there", 200, "", "admin@example.com", `id="approve"`, "Harbour Ltd")

	b.first.post(t, on(page, models.ActRemind, "approve")).want(t, "approving one's own", 403, "", "You asked for this yourself")
	b.merchant.post(t, on(page, models.ActRemind, "approve")).want(t, "a merchant", 403, "")
	b.second.post(t, on(page, models.ActWithdraw, "approve")).want(t, "as another act", 409, "")
	b.second.post(t, on(page, models.ActRemind, "cancel")).want(t, "taking back somebody else's", 409, "")
	if n, _ := b.told(t, "connection.reminded"); n != 0 {
		t.Fatal("something was done")
	}
	b.second.post(t, on(page, models.ActRemind, "approve"), "note", "Agreed").want(t, "approving", 303, page)
	for range 2 { // a worker that was given up on comes back
		b.carriedOut(t, page)
	}
	if n, _ := b.told(t, "connection.reminded"); n != 1 {
		t.Errorf("the merchant was reminded %d times", n)
	}
	b.second.get(t, page).want(t, "the result", 200, "", "Agreed", "second@example.com", "What has come of it", ">1</dd>")
	b.merchant.get(t, "/activity").want(t, "the merchant", 200, "", "Reminded that access to Fake", "Platform staff")
	b.first.get(t, "/admin/approvals?state=ended").want(t, "ended ones", 200, "", page, "Done")
	if n, people := b.staffTold(t, "approval.%"); n != 3 || people != 2 {
		t.Errorf("the record has %d entries of %d people; want asked, approved, done by two", n, people)
	}
	b.first.get(t, "/admin/audit").want(t, "the audit", 200, "", "Asked a colleague for approval: Remind many merchants", "Approved what a colleague had asked for")
}

// TestApproval_EveryStateAndDeed tries everything everywhere: only the listed ones change anything.
func TestApproval_EveryStateAndDeed(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	page := b.asked(t, remindAll)
	id := path.Base(page)
	legal := map[string]bool{"open approve second": true, "open decline second": true, "open cancel first": true, "alone review second": true}
	states := map[string]string{
		"open":      `state = 'open', expires_at = now() + interval '1 hour'`,
		"expired":   `state = 'open', expires_at = now() - interval '1 second'`,
		"approved":  `state = 'approved', decided_by = (SELECT id FROM users WHERE email = 'second@example.com'), due_at = now()`,
		"done":      `state = 'done', decided_by = (SELECT id FROM users WHERE email = 'second@example.com')`,
		"declined":  `state = 'declined', decided_by = (SELECT id FROM users WHERE email = 'second@example.com')`,
		"cancelled": `state = 'cancelled'`,
		"alone":     `state = 'done', alone = true`,
	}
	people := map[string]*visitor{"first": b.first, "second": b.second}
	for state, set := range states {
		for _, deed := range []string{"approve", "decline", "cancel", "review"} {
			for name, who := range people {
				b.exec(t, `UPDATE approvals SET decided_by = NULL, reviewed_by = NULL, reviewed_at = NULL, alone = false, due_at = NULL, state = 'open', expires_at = now() + interval '1 hour'`)
				b.exec(t, `UPDATE approvals SET `+set)
				before := b.row(t, id)
				address := on(page, models.ActRemind, deed)
				if deed == "review" {
					address = "/admin/approvals/" + id + "/review"
				}
				got := who.post(t, address, "note", "Seen")
				changed := b.row(t, id) != before
				if want := legal[state+" "+deed+" "+name]; changed != want || (got.status == http.StatusSeeOther) != want {
					t.Errorf("%s when %s by the %s: %d, changed %v, want %v", deed, state, name, got.status, changed, want)
				}
			}
		}
	}
}

func (b bridge) row(t *testing.T, id string) (text string) {
	t.Helper()
	must(t, b.db.Owner.QueryRow(t.Context(), `SELECT a::text FROM approvals a WHERE id = $1`, id).Scan(&text))
	return text
}

func TestApproval_EndsTheAccessOfMany(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	b.first.get(t, "/admin/approvals/withdraw").want(t, "of everybody", 422, "", "Say whom this is about")
	b.first.get(t, "/admin/providers/fake").want(t, "the provider", 200, "", "/admin/approvals/withdraw?provider=fake")
	b.first.get(t, "/admin/tenants/"+b.tenant).want(t, "the merchant's page", 200, "", "/admin/approvals/withdraw?tenant="+b.tenant, "/admin/approvals/reveal?tenant="+b.tenant)
	address := "/admin/approvals/withdraw?tenant=" + b.tenant
	b.first.get(t, address).want(t, "the preview", 200, "", "Harbour Ltd", "as a precaution")
	page := b.asked(t, address)
	later := b.connected(t, b.merchant, "20002") // nobody has decided on this one
	b.second.post(t, on(page, models.ActWithdraw, "approve")).want(t, "approving", 303, page)
	b.carriedOut(t, page)
	b.second.get(t, page).want(t, "the result", 200, "", "What has come of it")
	b.merchant.get(t, b.connection).want(t, "the account", 200, "", "Reconnect")
	b.merchant.get(t, "/activity").want(t, "the merchant", 200, "", "The platform ended the access to Fake", "Platform staff")
	if n, detail := b.told(t, "connection.withdrawn"); n != 1 {
		t.Errorf("%d connections lost their access: %s; the one at %s was not on the list", n, detail, later)
	}
	b.first.post(t, "/admin/approvals/withdraw?tenant="+b.tenant+"&provider=far", "reason", "x").want(t, "where there is nothing", 409, "", "nothing here that this would concern")
}

func TestApproval_AHistoryLeavesOnceAndItsOwnerReadsIt(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	b.first.get(t, "/admin/approvals/export").want(t, "of nobody", 422, "")
	b.first.get(t, "/admin/audit/export?tenant="+b.tenant).want(t, "as it was before", 404, "")
	page := b.asked(t, "/admin/approvals/export?tenant="+b.tenant)
	take := on(page, models.ActExport, "take")
	b.first.post(t, take).want(t, "before it is approved", 409, "")
	b.second.post(t, on(page, models.ActExport, "approve")).want(t, "approving", 303, page)
	b.second.post(t, take).want(t, "somebody else's", 403, "", "Only whoever asked")
	b.first.get(t, page).want(t, "the right to it", 200, "", `id="take"`)
	b.first.post(t, take).want(t, "taking it", 200, "", `"chain":"`+b.tenant+`","seq":1,`)
	b.first.post(t, take).want(t, "taking it again", 409, "")
	b.merchant.get(t, "/activity").want(t, "the merchant", 200, "", "downloaded this history")
	b.merchant.get(t, "/activity?lang=zh-CN").want(t, "the merchant, in Chinese", 200, "", "下载了这份操作记录")

	platform := b.asked(t, "/admin/approvals/export?tenant="+uuid.Nil.String())
	b.second.post(t, on(platform, models.ActExport, "approve")).want(t, "the platform's own", 303, platform)
	b.exec(t, `UPDATE approvals SET until_at = now() - interval '1 second' WHERE state = 'approved'`)
	b.first.post(t, on(platform, models.ActExport, "take")).want(t, "too late", 409, "")
}

func TestApproval_AllValuesOfAMerchantForSomeHours(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	page := b.asked(t, "/admin/approvals/reveal?tenant="+b.tenant)
	look := on(page, models.ActReveal, "look")
	b.second.post(t, on(page, models.ActReveal, "approve")).want(t, "approving", 303, page)
	b.second.post(t, look).want(t, "whoever approved", 403, "")
	b.stale(t)
	if got := b.first.post(t, look); !strings.HasPrefix(got.location, "/prove") {
		t.Errorf("with an old proof: %d to %q", got.status, got.location)
	}
	b.exec(t, `UPDATE sessions SET proved_at = now()`)
	b.first.post(t, look).want(t, "looking", 200, "", "91330100MA2canary", "13300000170", "mask them again")
	n, detail := b.told(t, "connection.revealed")
	if n < 2 || !strings.Contains(detail, "They asked us to") {
		t.Errorf("%d blocks were told of: %s", n, detail)
	}
	b.merchant.get(t, "/activity").want(t, "the merchant", 200, "", "Looked at personal values of Fake", "They asked us to", "Platform staff")
	b.exec(t, `UPDATE approvals SET until_at = now() - interval '1 second'`)
	b.first.post(t, look).want(t, "when the time is over", 409, "")
	b.first.get(t, page).want(t, "its page then", 200, "", "Done")
}

func TestApproval_WhoGoesAloneIsLoud(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	b.first.post(t, remindAll, "reason", "It burns", "alone", "yes", "word", "please").want(t, "without the word", 422, "", "type the word exactly", "It burns", "<details class=\"more below\" open>")
	b.first.post(t, remindAll, "alone", "yes", "word", "ALONE").want(t, "without a reason", 422, "", "Please write a few words")
	b.stale(t)
	if got := b.first.post(t, remindAll, "reason", "It burns", "alone", "yes", "word", "ALONE"); !strings.HasPrefix(got.location, "/prove") {
		t.Errorf("with an old proof: %d to %q", got.status, got.location)
	}
	b.exec(t, `UPDATE sessions SET proved_at = now()`)
	page := b.asked(t, remindAll, "alone", "yes", "word", "alone")
	b.carriedOut(t, page)
	if n, _ := b.told(t, "connection.reminded"); n != 1 {
		t.Errorf("done %d times", n)
	}
	if n, _ := b.staffTold(t, "approval.alone"); n != 1 {
		t.Errorf("%d loud events", n)
	}
	if letters := b.alarms(t); letters != "second@example.com" {
		t.Errorf("letters go to %q; want the others alone", letters)
	}
	for _, who := range []*visitor{b.first, b.second} {
		who.get(t, "/admin/tenants").want(t, "every page of the staff's", 200, "", "1 act was done alone")
	}
	b.merchant.get(t, "/overview").want(t, "a merchant", 200, "")
	without(t, "a merchant", b.merchant.get(t, "/overview"), "done alone")

	review := page + "/review"
	b.first.get(t, page).want(t, "who did it", 200, "", "did this alone", "you cannot")
	b.first.post(t, review, "note", "All good").want(t, "reviewing one's own", 403, "")
	b.second.post(t, review).want(t, "without words", 422, "")
	b.second.get(t, page).want(t, "the review", 200, "", `id="review"`)
	b.second.post(t, review, "note", "Called them, it was right").want(t, "reviewing", 303, page)
	b.second.post(t, review, "note", "Again").want(t, "reviewing again", 409, "")
	b.first.get(t, page).want(t, "reviewed", 200, "", "Called them, it was right", "second@example.com")
	without(t, "afterwards", b.first.get(t, "/admin/tenants"), "done alone")
}

// alarms claims the letters that are due, and gives who gets them.
func (b bridge) alarms(t *testing.T) (to string) {
	t.Helper()
	claim := func(ctx context.Context) error {
		_, err := b.db.App.Exec(ctx, `SELECT claim_due_alarms(now(), 10)`)
		return err
	}
	must(t, claim(t.Context()))
	must(t, claim(t.Context())) // the second time finds nothing
	must(t, b.db.Owner.QueryRow(t.Context(), `SELECT string_agg(email, ' ') FROM one_time_links WHERE purpose = 'alarm'`).Scan(&to))
	return to
}
