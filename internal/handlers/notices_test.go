package handlers

import (
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/jobs"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/notices"
)

// told leaves a notice to everybody of the connection's tenant, and one that is another kind's.
func (d *dock) told(t *testing.T, connection, kind, detail string) {
	t.Helper()
	_, err := d.db.Owner.Exec(t.Context(), `
		INSERT INTO notices (tenant_id, user_id, id, event_id, connection_id, kind, detail, created_at)
		SELECT c.tenant_id, m.user_id, $2, $2, c.id, $3, $4::jsonb, now() - interval '1 hour'
		  FROM connections c JOIN memberships m USING (tenant_id) WHERE c.id = $1`,
		strings.TrimPrefix(connection, "/connections/"), uuid.Must(uuid.NewV7()), kind, detail)
	must(t, err)
}

func TestNotices_BellListAndReading(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	connection := v.get(t, d.begin(t, v, "10001")).location
	v.get(t, "/notices").want(t, "nothing yet", http.StatusOK, "", "Nothing to tell you", `aria-label="Notices, none unread"`)

	d.told(t, connection, "connection.needs_you", `{"provider": "fake", "account": "1•••1", "reason": "needs_reauth"}`)
	d.told(t, connection, "connection.recovered", `{"provider": "fake", "account": "1•••1", "since": "2026-03-04T05:06:07Z"}`)
	d.told(t, connection, "connection.expiring", `{"provider": "fake", "account": "1•••1", "days": 7, "at": "2026-03-11T05:06:07Z"}`)
	d.told(t, connection, "connection.changed", `{"provider": "fake", "account": "<script>", "block": "company", "fields": ["name"]}`)
	d.trips.take()
	list := v.get(t, "/notices")
	if n, of := d.trips.take(); n != 2 {
		t.Errorf("the list took %d trips, want 2: %v", n, of)
	}
	list.want(t, "the list", http.StatusOK, "", `aria-label="4 unread notices"`, "needs you.", "works again", "ends in 7 days",
		"gives other data than before: Company", "See what to do", "Renew the access", "Mark all as read")
	if strings.Contains(list.body, "<script>") {
		t.Error("an account's name became a part of the page")
	}
	v.get(t, "/notices?lang=zh-CN").want(t, "the list in Chinese", http.StatusOK, "", `aria-label="4 条未读通知"`, "需要您处理", "已恢复正常", "将在 7 天后", "企业")
	v.get(t, "/notices?lang=en")

	actions := regexp.MustCompile(`action="(/notices/[0-9a-f-]{36}/read)"`).FindAllStringSubmatch(list.body, -1)
	stranger := d.visitor(t)
	stranger.member(t, "b@example.com")
	stranger.get(t, "/notices").want(t, "a stranger's list", http.StatusOK, "", "Nothing to tell you")
	stranger.post(t, actions[0][1]).want(t, "a stranger reads it", http.StatusNotFound, "")

	v.post(t, actions[0][1]).want(t, "reading one", http.StatusSeeOther, connection)
	after := v.get(t, "/notices")
	after.want(t, "after one", http.StatusOK, "", `aria-label="3 unread notices"`)
	if again := regexp.MustCompile(`action="(/notices/[0-9a-f-]{36}/read)"`).FindAllStringSubmatch(after.body, -1); again[3][1] != actions[0][1] {
		t.Error("the one that was read is not the last")
	}
	v.post(t, "/notices/read").want(t, "reading all", http.StatusSeeOther, "/notices")
	v.get(t, "/notices").want(t, "after all", http.StatusOK, "", "Notices, none unread", "All notices are marked as read.", "works again")
	v.get(t, "/notices?before=x").want(t, "a bad place", http.StatusUnprocessableEntity, "")
}

func TestNotices_PagesMissNothing(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	connection := v.get(t, d.begin(t, v, "10001")).location
	const all = 75
	for i := range all {
		d.told(t, connection, "connection.needs_you", `{"provider": "fake", "account": "n`+strconv.Itoa(i)+`."}`)
	}
	_, err := d.db.Owner.Exec(t.Context(), `UPDATE notices SET read_at = $1 WHERE substr(detail->>'account', 2, 1) IN ('1', '2', '3', '4')`, time.Now())
	must(t, err)
	seen := map[string]bool{}
	for path, pages := "/notices", 0; path != ""; pages++ {
		if pages > 4 {
			t.Fatal("the pages do not end")
		}
		got := v.get(t, path)
		for _, m := range regexp.MustCompile(`n\d+\.`).FindAllString(got.body, -1) {
			if seen[m] {
				t.Errorf("%s stands on two pages", m)
			}
			seen[m] = true
		}
		path = ""
		if m := regexp.MustCompile(`href="(/notices\?[^"]*before=[^"]*)" rel="next"`).FindStringSubmatch(got.body); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if len(seen) != all {
		t.Errorf("%d notices seen, want %d", len(seen), all)
	}
}

func TestSettings_WhichNoticesComeByMail(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	v.get(t, "/settings").want(t, "an owner at first", http.StatusOK, "", `name="needs_you" checked`, `name="changed" checked`)
	v.post(t, "/settings/notices", "needs_you", "on").want(t, "choosing", http.StatusSeeOther, "/settings")
	got := v.get(t, "/settings")
	got.want(t, "after it", http.StatusOK, "", `name="needs_you" checked`, `name="changed">`, "Your choice of mails is saved.")
	if strings.Contains(got.body, "no mail set up") {
		t.Error("the page says that mail is not configured")
	}
	store := d.store.ForTenant(uuid.Nil, models.Actor{})
	if choices, err := store.NoticeChoices(t.Context()); err != nil || len(choices) != 0 {
		t.Errorf("nobody's choices are %v, %v", choices, err)
	}
}

// tellings tells of everything that was put in to be told, as the jobs would, and sends the letters.
func (h *harbour) tellings(t *testing.T, service *notices.Service) {
	t.Helper()
	system := models.Actor{Kind: models.System}
	for _, args := range h.args(t, "tell") {
		must(t, service.Tell(t.Context(), h.store.ForTenant(args[0], system), args[1]))
	}
	for _, args := range h.args(t, "notice") {
		_, err := service.Send(t.Context(), h.store.ForTenant(args[0], system), args[1], args[2])
		must(t, err)
	}
}

// args takes the jobs of a kind and gives the ids of each.
func (h *harbour) args(t *testing.T, kind string) (all [][3]uuid.UUID) {
	t.Helper()
	rows, err := h.db.Owner.Query(t.Context(), `WITH taken AS (DELETE FROM river.river_job WHERE kind = $1 RETURNING id, args)
		SELECT (args->>'tenant')::uuid, coalesce(args->>'event', args->>'user')::uuid, coalesce(args->>'letter', args->>'event')::uuid FROM taken ORDER BY id`, kind)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var one [3]uuid.UUID
		must(t, rows.Scan(&one[0], &one[1], &one[2]))
		all = append(all, one)
	}
	must(t, rows.Err())
	return all
}

// announcing makes a harbour's store tell of its events, and the service that does.
func (h *harbour) announcing(t *testing.T) *notices.Service {
	t.Helper()
	store, err := models.NewStore(models.Options{
		App: h.db.App, Platform: h.db.Platform, Now: time.Now, Telling: models.Telling{Kinds: notices.Kinds(), Job: jobs.Queue{}.TellJob},
	})
	must(t, err)
	h.store, h.server.Store, h.accounts.Store = store, store, store
	composer, err := mail.NewComposer(h.server.Words)
	must(t, err)
	return notices.New(notices.Deps{
		Queue: jobs.Queue{}, Letters: composer, Words: h.server.Words, Sender: h, MailConfigured: true, PublicURL: "https://mooring.example",
		Log: slog.New(slog.DiscardHandler), Describe: h.connect.Describe,
	})
}

// took gives the letters that have arrived since.
func (h *harbour) took() []mail.Letter {
	h.lobby.mu.Lock()
	defer h.lobby.mu.Unlock()
	letters := h.letters
	h.letters = nil
	return letters
}

func TestNotices_TheReviewTellsOfEachStep(t *testing.T) {
	t.Parallel()
	h, merchant, staff, tenant, connection := reviewing(t)
	service := h.announcing(t)
	h.took()
	form := staff.get(t, tenant+"/review?act=more")
	staff.post(t, tenant+"/review", "act", "more", "version", versionOf(t, form), "reason", "data_old", "message", "Visit evil.example",
		"deadline", time.Now().AddDate(0, 0, 10).Format(time.DateOnly), "items", "refresh:"+strings.TrimPrefix(connection, "/connections/"),
		"items", "connect:fake", "sure", "yes").want(t, "asking", http.StatusSeeOther, tenant)
	h.tellings(t, service)
	list := merchant.get(t, "/notices")
	list.want(t, "the merchant's notices", http.StatusOK, "", "The platform needs something more from you, until", "too old to decide on", "Fetch the data again below.", "See what to do")
	letters := h.took()
	if len(letters) != 1 {
		t.Fatalf("%d letters, want one", len(letters))
	}
	for _, want := range []string{"too old to decide on", "Connect an account at Fake", "https://mooring.example/connect/fake", "https://mooring.example" + connection, "https://mooring.example/overview"} {
		if !strings.Contains(letters[0].Text, want) {
			t.Errorf("the letter does not say %q:\n%s", want, letters[0].Text)
		}
	}
	if strings.Contains(letters[0].Text, "evil") {
		t.Error("the letter repeats what somebody typed")
	}
	action := regexp.MustCompile(`action="(/notices/[0-9a-f-]{36}/read)"`).FindStringSubmatch(list.body)
	merchant.post(t, action[1]).want(t, "pressing it", http.StatusSeeOther, "/overview")

	merchant.post(t, "/review/done").want(t, "the merchant is done", http.StatusSeeOther, "/overview")
	version := versionOf(t, staff.get(t, tenant+"/review?act=reject"))
	staff.post(t, tenant+"/review", "act", "reject", "version", version, "reason", "not_served", "sure", "yes").want(t, "rejecting", http.StatusSeeOther, tenant)
	merchant.post(t, "/settings/notices", "needs_you", "on").want(t, "no mail of reviews", http.StatusSeeOther, "/settings")
	h.tellings(t, service)
	merchant.get(t, "/notices?lang=zh-CN").want(t, "rejected", http.StatusOK, "", "您的商户未通过平台审核。我们不为此类商户提供服务。")
	if letters := h.took(); len(letters) != 0 {
		t.Errorf("%d letters to one who wants none of the review", len(letters))
	}
}

func TestNotices_OwnersLearnWhatTheStaffSaw(t *testing.T) {
	t.Parallel()
	h, merchant, staff, tenant, connection := reviewing(t)
	service := h.announcing(t)
	h.took()
	merchant.post(t, "/settings/notices").want(t, "no mail at all", http.StatusSeeOther, "/settings")
	merchant.post(t, connection+"/label", "label", "Main <shop>").want(t, "naming it", http.StatusSeeOther, connection)
	merchant.post(t, connection+"/reveal/company", "reason", "check").want(t, "the merchant's own look", http.StatusOK, "")
	h.tellings(t, service)
	merchant.get(t, "/notices").want(t, "nothing to tell", http.StatusOK, "", "Nothing to tell you")
	staff.post(t, tenant+"/reveal/"+strings.TrimPrefix(connection, "/connections/")+"/company", "reason", "law", "note", "Call me at evil.example").want(t, "the staff look", http.StatusOK, "")
	h.tellings(t, service)
	merchant.get(t, "/notices").want(t, "the owner", http.StatusOK, "", "The platform&#39;s staff looked at personal values of", "Main &lt;shop&gt;", "tax office or a court", "evil.example")
	letters := h.took()
	if len(letters) != 1 || !strings.Contains(letters[0].Text, "tax office or a court") || !strings.Contains(letters[0].Text, "cannot be switched off") || strings.Contains(letters[0].Text, "evil") {
		t.Errorf("letters %+v, want one to the owner, with the reason and without the words", letters)
	}
}
