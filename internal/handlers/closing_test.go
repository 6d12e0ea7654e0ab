package handlers

import (
	"flag"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/i18n"
	"mooring/internal/models"
	"mooring/internal/oauth/oauthtest"
)

var updateReceipts = flag.Bool("update-receipts", false, "write the golden receipts anew")

// later gives a store whose clock is ahead.
func (h *harbour) later(t *testing.T, ahead time.Duration) *models.Store {
	t.Helper()
	store, err := models.NewStore(models.Options{App: h.db.App, Platform: h.db.Platform, Now: func() time.Time { return time.Now().Add(ahead) }})
	must(t, err)
	return store
}

func (l *lobby) tenantOf(t *testing.T, email string) (tenant uuid.UUID) {
	t.Helper()
	must(t, l.db.Owner.QueryRow(t.Context(),
		`SELECT tenant_id FROM memberships JOIN users ON id = user_id WHERE email = $1 ORDER BY memberships.created_at LIMIT 1`, email).Scan(&tenant))
	return tenant
}

func TestClosing_UndoneByAnOwner(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v, stranger := h.owner(t, "a@example.com"), h.owner(t, "b@example.com")
	path := h.connected(t, v, "12345")
	h.work(t)
	phone := h.visitor(t)
	phone.post(t, "/login", "email", "a@example.com", "password", lobbyPassword).want(t, "another browser", http.StatusSeeOther, "/overview")
	v.post(t, path+"/sync")

	v.get(t, "/settings").want(t, "where to look", http.StatusOK, "", `href="/settings/close"`)
	v.get(t, "/settings/close").want(t, "asking", http.StatusOK, "", "Close this business?", "type the name of the business: Harbour Ltd")
	v.get(t, "/settings/close?lang=zh-CN").want(t, "asking in Chinese", http.StatusOK, "", "关闭这个商户？")
	v.get(t, "/settings?lang=en")
	v.post(t, "/settings/close", "name", "Harbor", "when", "now").
		want(t, "another name", http.StatusUnprocessableEntity, "", "not the name of the business", `value="now" checked`)
	closed := v.post(t, "/settings/close", "name", " Harbour Ltd ", "when", "later")
	closed.want(t, "closing", http.StatusOK, "", "Harbour Ltd is closed", "Data key: will be destroyed at", "signature: ")
	v.get(t, "/overview").want(t, "the same browser", http.StatusSeeOther, "/login?next=%2Foverview")
	phone.get(t, "/overview").want(t, "the other browser", http.StatusSeeOther, "/login?next=%2Foverview")
	calls := h.fake.Calls(oauthtest.OpMerchant)
	h.work(t)
	if h.fake.Calls(oauthtest.OpMerchant) != calls {
		t.Error("a sync that was queued before asked the provider")
	}
	if letter := h.deliverClosed(t); letter != "/closed" {
		t.Errorf("the owners' mail leads to %s", letter)
	}
	h.staff(t).get(t, "/admin/tenants").want(t, "what the staff see", http.StatusOK, "", "Closed")
	stranger.get(t, "/overview").want(t, "another tenant's person", http.StatusOK, "")

	v.post(t, "/login", "email", "a@example.com", "password", lobbyPassword, "next", "/closed").want(t, "signing in again", http.StatusSeeOther, "/closed")
	for _, page := range []string{"/overview", path, "/activity", "/settings/close"} {
		v.get(t, page).want(t, page, http.StatusSeeOther, "/closed")
	}
	v.post(t, path+"/sync").want(t, "a form", http.StatusSeeOther, "/closed")
	v.get(t, "/settings").want(t, "one's own settings", http.StatusOK, "")
	v.get(t, "/closed").want(t, "the page", http.StatusOK, "", `action="/closed/undo"`, "/closed/receipt")
	receipt := v.get(t, "/closed/receipt")
	if !strings.Contains(receipt.header.Get("Content-Disposition"), "attachment") || receipt.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the download's head: %v", receipt.header)
	}
	stranger.post(t, "/receipts", "receipt", receipt.body).want(t, "checking the receipt", http.StatusOK, "", "was issued here")
	stranger.post(t, "/receipts", "receipt", strings.Replace(receipt.body, "Connections ended: 1", "Connections ended: 0", 1)).
		want(t, "checking a forgery", http.StatusOK, "", "something in it was changed")
	stranger.post(t, "/closed/undo").want(t, "undoing what is open", http.StatusConflict, "")

	h.exec(t, `UPDATE sessions SET proved_at = now() - interval '1 hour'`)
	v.post(t, "/closed/undo").want(t, "without a recent proof", http.StatusSeeOther, "/prove?next=%2F")
	h.exec(t, `UPDATE sessions SET proved_at = now()`)
	v.post(t, "/closed/undo").want(t, "undoing", http.StatusSeeOther, "/overview")
	v.get(t, "/overview").want(t, "open again", http.StatusOK, "", "open again")
	v.get(t, path).want(t, "its data", http.StatusOK, "", "order-1", `data-state="disconnected"`)
	v.get(t, "/closed").want(t, "the page afterwards", http.StatusSeeOther, "/overview")
}

// deliverClosed sends the mail that closing has left and gives where it leads.
func (h *harbour) deliverClosed(t *testing.T) string {
	t.Helper()
	var link uuid.UUID
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT id FROM one_time_links WHERE purpose = 'closed' AND email = 'a@example.com'`).Scan(&link))
	h.accounts.MailConfigured = true
	defer func() { h.accounts.MailConfigured = false }()
	_, err := h.accounts.SendLink(t.Context(), link)
	must(t, err)
	h.mu.Lock()
	defer h.mu.Unlock()
	found := regexp.MustCompile(regexp.QuoteMeta(h.URL) + `(/\S+)`).FindStringSubmatch(h.letters[len(h.letters)-1].Text)
	if found == nil {
		t.Fatal("the mail leads nowhere")
	}
	return found[1]
}

func (h *harbour) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := h.db.Owner.Exec(t.Context(), sql, args...)
	must(t, err)
}

func TestClosing_RolesAndTheDayOfDestruction(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v, other := h.owner(t, "a@example.com"), h.owner(t, "b@example.com")
	h.connected(t, v, "12345")
	h.work(t)
	tenant := h.tenantOf(t, "a@example.com")
	h.exec(t, `INSERT INTO memberships (tenant_id, user_id, role, created_at, seen_at) SELECT $1, id, 'operator', now(), now() + interval '1 minute' FROM users WHERE email = 'b@example.com'`, tenant)
	operator := h.visitor(t)
	operator.post(t, "/login", "email", "b@example.com", "password", lobbyPassword).want(t, "the operator", http.StatusSeeOther, "/overview")
	operator.get(t, "/settings/close").want(t, "an operator asks", http.StatusForbidden, "", "Only an owner")
	operator.post(t, "/settings/close", "name", "Harbour Ltd").want(t, "an operator closes", http.StatusForbidden, "")
	if strings.Contains(operator.get(t, "/settings").body, "/settings/close") {
		t.Error("an operator is offered to close")
	}
	h.exec(t, `UPDATE sessions SET proved_at = now() - interval '1 hour'`)
	v.get(t, "/settings/close").want(t, "an owner without a recent proof", http.StatusSeeOther, "/prove?next=%2Fsettings%2Fclose")
	h.exec(t, `UPDATE sessions SET proved_at = now()`)
	v.post(t, "/settings/close", "name", "Harbour Ltd").want(t, "closing", http.StatusOK, "")

	other.get(t, "/overview").want(t, "the session in their own tenant", http.StatusOK, "")
	operator.get(t, "/overview").want(t, "the session in the closed one", http.StatusSeeOther, "/login?next=%2Foverview")
	operator.post(t, "/login", "email", "b@example.com", "password", lobbyPassword).want(t, "signing in again", http.StatusSeeOther, "/overview")
	operator.get(t, "/overview").want(t, "leads to where they can work", http.StatusOK, "")
	operator.get(t, "/closed").want(t, "the page of the mail leads to the choice of the business", http.StatusSeeOther, "/tenants")

	must(t, h.connect.SettleClosing(t.Context(), h.later(t, connect.CloseGrace+time.Hour).ForTenant(tenant, models.Actor{Kind: models.System})))
	v.post(t, "/login", "email", "a@example.com", "password", lobbyPassword, "next", "/closed").want(t, "signing in afterwards", http.StatusSeeOther, "/closed")
	page := v.get(t, "/closed")
	page.want(t, "destroyed", http.StatusOK, "", "Its data was destroyed on", "Data key: destroyed at", "/closed/receipt")
	if strings.Contains(page.body, "/closed/undo") {
		t.Error("it offers to undo what cannot be undone")
	}
	v.post(t, "/closed/undo").want(t, "undoing all the same", http.StatusConflict, "")
	staff := h.staff(t)
	staff.get(t, "/admin/tenants").want(t, "the staff's list", http.StatusOK, "", "Closed, data destroyed")
	staff.get(t, "/admin/tenants/"+tenant.String()).want(t, "the staff's page", http.StatusOK, "", "Closed, data destroyed", "The data key was destroyed")
}

func TestReceipt_InBothLanguages(t *testing.T) {
	t.Parallel()
	words, err := i18n.NewBundle()
	must(t, err)
	at := time.Date(2026, 11, 21, 15, 4, 5, 0, time.UTC)
	destroyed := at.Add(connect.CloseGrace)
	for name, x := range map[string]models.Closing{
		"closed":    {ClosedAt: at, DestroyAt: destroyed, Connections: 2, MasterVersion: 3141592653, AuditSeq: 42, AuditHash: []byte{0xab, 0xcd}},
		"destroyed": {ClosedAt: at, DestroyAt: destroyed, DestroyedAt: &destroyed, Connections: 1, MasterVersion: 7, AuditSeq: 43, AuditHash: []byte{0xef}},
	} {
		for _, lang := range i18n.Languages() {
			got, file := receiptText(Words{words.Printer(lang)}, x), "testdata/receipt-"+name+"."+lang+".golden"
			if *updateReceipts {
				must(t, os.WriteFile(file, []byte(got), 0o600))
			}
			want, err := os.ReadFile(file)
			must(t, err)
			if got != string(want) {
				t.Errorf("%s differs; look at it and run with -update-receipts\ngot:\n%s", file, got)
			}
		}
	}
}
