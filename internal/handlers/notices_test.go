package handlers

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
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
