package notices_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/database/dbtest"
	"mooring/internal/i18n"
	"mooring/internal/jobs"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/notices"
	"mooring/internal/oauth"
)

// pier is a tenant with an owner and a viewer, one connection, and a post office in memory.
type pier struct {
	db                                dbtest.DB
	tenant, owner, viewer, connection uuid.UUID
	store                             *models.TenantStore
	service                           *notices.Service

	mu      sync.Mutex
	now     time.Time
	letters []mail.Letter
	fail    error
}

func (p *pier) Send(_ context.Context, l mail.Letter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail
	}
	p.letters = append(p.letters, l)
	return nil
}

func newPier(t *testing.T) *pier {
	t.Helper()
	id := func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	p := &pier{db: dbtest.New(t), tenant: id(), owner: id(), viewer: id(), connection: id(), now: time.Now().Truncate(time.Millisecond)}
	p.exec(t, `INSERT INTO tenants (id, name, created_at) VALUES ($1, 'Harbour Ltd', now())`, p.tenant)
	for user, as := range map[uuid.UUID][2]string{p.owner: {"owner", "zh-CN"}, p.viewer: {"viewer", ""}} {
		p.exec(t, `INSERT INTO users (id, kind, email, password_hash, language, created_at, password_changed_at)
			VALUES ($1, 'merchant', $2, '', $3, now(), now())`, user, as[0]+"@example.com", as[1])
		p.exec(t, `INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ($1, $2, $3, now())`, p.tenant, user, as[0])
	}
	p.exec(t, `INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at)
		VALUES ($1, $2, 'fake', 'test', 'h', '12***89', '', 'connected', now(), 1, now())`, p.tenant, p.connection)
	store, err := models.NewStore(models.Options{App: p.db.App, Platform: p.db.Platform, Now: func() time.Time { return p.now }})
	must(t, err)
	p.store = store.ForTenant(p.tenant, models.Actor{Kind: models.System})
	words, err := i18n.NewBundle()
	must(t, err)
	composer, err := mail.NewComposer(words)
	must(t, err)
	p.service = notices.New(notices.Deps{
		Queue: jobs.Queue{}, Letters: composer, Words: words, Sender: p, MailConfigured: true, PublicURL: "https://mooring.example",
		Log: slog.New(slog.DiscardHandler), Describe: func(string) (oauth.Descriptor, bool, bool) {
			return oauth.Descriptor{Slug: "fake", Title: oauth.Text{ZH: "海港支付", EN: "Fake Pay"}}, true, true
		},
	})
	return p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (p *pier) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := p.db.Owner.Exec(t.Context(), sql, args...)
	must(t, err)
}

func (p *pier) number(t *testing.T, sql string, args ...any) (n int) {
	t.Helper()
	must(t, p.db.Owner.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

// state puts the connection into a state.
func (p *pier) state(t *testing.T, state models.State) {
	t.Helper()
	p.exec(t, `UPDATE connections SET state = $2 WHERE id = $1`, p.connection, state)
}

// happen writes an event and tells of it.
func (p *pier) happen(t *testing.T, kind string, detail map[string]any) uuid.UUID {
	t.Helper()
	if detail == nil {
		detail = map[string]any{}
	}
	detail["provider"], detail["account"] = "fake", "12***89"
	must(t, p.store.Record(t.Context(), models.NewEvent{Kind: kind, Connection: p.connection, Detail: detail}))
	var event uuid.UUID
	must(t, p.db.Owner.QueryRow(t.Context(), `SELECT id FROM events WHERE kind = $1 ORDER BY id DESC LIMIT 1`, kind).Scan(&event))
	must(t, p.service.Tell(t.Context(), p.store, event))
	return event
}

// post sends the letters that are due and gives what arrived.
func (p *pier) post(t *testing.T) []mail.Letter {
	t.Helper()
	rows, err := p.db.Owner.Query(t.Context(), `
		SELECT (args->>'user')::uuid, (args->>'letter')::uuid FROM river.river_job j
		  JOIN notice_letters l ON l.id = (args->>'letter')::uuid WHERE j.kind = 'notice' AND l.due_at <= $1 ORDER BY j.id`, p.now)
	must(t, err)
	var due [][2]uuid.UUID
	for rows.Next() {
		var d [2]uuid.UUID
		must(t, rows.Scan(&d[0], &d[1]))
		due = append(due, d)
	}
	must(t, rows.Err())
	for _, d := range due {
		_, _ = p.service.Send(t.Context(), p.store, d[0], d[1])
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	arrived := p.letters
	p.letters = nil
	return arrived
}

func (p *pier) wantMails(t *testing.T, what string, subjects ...string) {
	t.Helper()
	var got []string
	for _, l := range p.post(t) {
		if l.To != "owner@example.com" {
			t.Errorf("%s: a letter went to %s", what, l.To)
		}
		got = append(got, l.Subject)
	}
	if strings.Join(got, "|") != strings.Join(subjects, "|") {
		t.Errorf("%s: mails %q, want %q", what, got, subjects)
	}
}

const broken, works, changed = "海港支付 需要您处理：连接已中断", "海港支付 已恢复正常", "海港支付：您在该处的资料有变更"

func TestTold_AnyNumberOfTimesIsOnce(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	p.state(t, models.NeedsYou)
	event := p.happen(t, notices.NeedsYou, map[string]any{"reason": "needs_reauth"})
	var telling sync.WaitGroup
	for range 8 { // replicas at the same moment, and a program that died in between
		telling.Go(func() {
			if err := p.service.Tell(t.Context(), p.store, event); err != nil {
				t.Error(err)
			}
		})
	}
	telling.Wait()
	if n := p.number(t, `SELECT count(*) FROM notices`); n != 2 {
		t.Errorf("%d notices, want one for each of the two members", n)
	}
	if n := p.number(t, `SELECT count(*) FROM river.river_job WHERE kind = 'notice'`); n != 1 {
		t.Errorf("%d jobs, want one: the viewer has not asked for mail", n)
	}
	p.wantMails(t, "once", broken)
	p.wantMails(t, "again")
}

func TestLetters_FlappingGivesOneADay(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	flap := func() {
		p.state(t, models.NeedsYou)
		p.happen(t, notices.NeedsYou, nil)
	}
	mend := func() {
		p.state(t, models.Connected)
		p.happen(t, notices.Recovered, map[string]any{"since": p.now})
	}
	flap()
	p.wantMails(t, "broken", broken)
	mend()
	p.wantMails(t, "works again", works)
	for range 5 {
		p.now = p.now.Add(time.Hour)
		flap()
		mend()
	}
	p.wantMails(t, "flapping")
	p.now = p.now.Add(time.Hour)
	flap() // and stays broken
	p.wantMails(t, "within the quiet time")
	p.now = p.now.Add(19 * time.Hour)
	p.wantMails(t, "still broken when the quiet time is over", broken)
	if n := p.number(t, `SELECT count(*) FROM notices WHERE user_id = $1`, p.viewer); n != 13 {
		t.Errorf("%d notices in the app, want all 13", n)
	}
}

func TestLetters_RecoveryIsToldToThoseWhoWereTold(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	p.happen(t, notices.Recovered, map[string]any{"since": p.now})
	p.wantMails(t, "nobody was told that it was broken")
	p.state(t, models.NeedsYou)
	p.happen(t, notices.NeedsYou, nil)
	p.state(t, models.Connected)
	p.happen(t, notices.Recovered, map[string]any{"since": p.now})
	p.wantMails(t, "mended before the mail went out")
	p.state(t, models.NeedsYou) // the letter that was not sent does not count
	p.now = p.now.Add(time.Minute)
	p.happen(t, notices.NeedsYou, nil)
	p.wantMails(t, "broken again", broken)
}

func TestLetters_EachDeadlineOnce(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	end := p.now.Add(14 * 24 * time.Hour)
	for _, days := range []int{14, 14, 7, 1, 1} {
		p.happen(t, notices.Expiring, map[string]any{"days": days, "at": end})
	}
	p.wantMails(t, "deadlines", "海港支付：访问授权将在 14 天后到期", "海港支付：访问授权将在 7 天后到期", "海港支付：访问授权将在 1 天后到期")
}

func TestLetters_TellTimesWhereTheirReaderLives(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	for zone, want := range map[string]string{"": "2026年3月29日 09:30（UTC+8）", "America/New_York": "2026年3月28日 21:30（UTC−4）"} {
		p.exec(t, `UPDATE users SET time_zone = $2 WHERE id = $1`, p.owner, zone)
		p.happen(t, notices.Expiring, map[string]any{"days": 7, "at": "2026-03-29T01:30:00Z"})
		p.exec(t, `UPDATE notice_letters SET key = key || id`)
		if got := p.post(t); len(got) != 1 || !strings.Contains(got[0].Text, want) {
			t.Errorf("in %q: %+v, want %q", zone, got, want)
		}
	}
}

func TestTold_WhoeverSentAnInvitationIsAskedForItsLink(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	p.happen(t, notices.LinkAsked, map[string]any{"who": "l***@e***", "sender": p.viewer.String()})
	if n := p.number(t, `SELECT count(*) FROM notices WHERE user_id = $1 AND kind = $2`, p.viewer, notices.LinkAsked); n != 1 || p.number(t, `SELECT count(*) FROM notices`) != 1 {
		t.Errorf("%d notices to the sender, want one and no other", n)
	}
	p.happen(t, notices.LinkAsked, map[string]any{"who": "l***@e***", "sender": uuid.NewString()})
	p.wantMails(t, "its sender has left, so the owner is told", "l***@\u2060e*** 希望获得新链接")
}

func TestLetters_NameTheAccountAsItsTenantDoes(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	p.exec(t, `UPDATE connections SET label = 'Shop two'`)
	p.state(t, models.NeedsYou)
	p.happen(t, notices.NeedsYou, map[string]any{"reason": "needs_reauth"})
	if got := p.post(t); len(got) != 1 || !strings.Contains(got[0].Text, "Shop two") || !strings.Contains(got[0].Text, "12***89") {
		t.Errorf("letters %+v, want the tenant's own name of the account and its number", got)
	}
}

func TestLetters_OfAReviewThatHasMovedOnAreNotSent(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	p.exec(t, `INSERT INTO reviews (tenant_id, state, since, linked_at) VALUES ($1, 'needs_more', now(), now())`, p.tenant)
	more := map[string]any{"code": "data_old", "until": "2026-03-29T15:59:59Z"}
	p.happen(t, notices.ReviewMore, more)
	p.wantMails(t, "asked for more", "商户审核：需要您补充内容，截止 2026年3月29日 23:59（UTC+8）")
	p.happen(t, notices.ReviewMore, more)
	p.exec(t, `UPDATE reviews SET state = 'approved'`)
	p.wantMails(t, "approved meanwhile")
	p.happen(t, notices.ReviewApproved, nil)
	p.wantMails(t, "approved", "您的商户已通过审核")
}

func TestLetters_ChangedDataButNotBalances(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	p.happen(t, notices.Changed, map[string]any{"block": "wallet"})
	p.happen(t, notices.Changed, map[string]any{"block": "company"})
	p.happen(t, notices.Changed, map[string]any{"block": "merchant"})
	p.wantMails(t, "the first of the day", changed)
	if n := p.number(t, `SELECT count(*) FROM notices WHERE user_id = $1`, p.owner); n != 2 {
		t.Errorf("%d notices, want 2", n)
	}
}

func TestLetters_AreAChoice(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	p.exec(t, `INSERT INTO notice_choices VALUES ($1, $2, $4, false), ($1, $3, $4, true)`, p.tenant, p.owner, p.viewer, notices.NeedsYou)
	p.state(t, models.NeedsYou)
	p.happen(t, notices.NeedsYou, map[string]any{"reason": "needs_reauth"})
	got := p.post(t)
	if len(got) != 1 || got[0].To != "viewer@example.com" || got[0].Subject != "Fake Pay needs you: the connection has stopped" ||
		!strings.Contains(got[0].Text, "https://mooring.example/connections/"+p.connection.String()) ||
		!strings.Contains(got[0].Text, "https://mooring.example/settings#notices") {
		t.Errorf("letters %+v, want one to the viewer, in English, with both addresses", got)
	}
}

func TestLetters_EndAsTheyEnd(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		set  func(p *pier)
		want string
	}{
		{"refused for good", func(p *pier) { p.fail = fmt.Errorf("mail: %w", mail.ErrRefused) }, models.LetterRefused},
		{"refused for now", func(p *pier) { p.fail = context.DeadlineExceeded }, models.LetterWaiting},
		{"no mail", func(p *pier) { p.service.MailConfigured = false }, models.LetterNotSent},
		{"accepted", func(*pier) {}, models.LetterSent},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := newPier(t)
			tc.set(p)
			p.state(t, models.NeedsYou)
			p.happen(t, notices.NeedsYou, nil)
			p.post(t)
			var status string
			must(t, p.db.Owner.QueryRow(t.Context(), `SELECT status FROM notice_letters`).Scan(&status))
			if status != tc.want {
				t.Errorf("status %q, want %q", status, tc.want)
			}
		})
	}
}
