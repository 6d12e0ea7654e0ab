package notices_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/mail"
	"mooring/internal/models"
)

// morning is eight o'clock in UTC, and four in the afternoon in Beijing.
var morning = time.Date(2031, 3, 5, 8, 0, 0, 0, time.UTC)

// joins adds one of the staff, years before.
func (p *pier) joins(t *testing.T, email, language string) (user uuid.UUID) {
	t.Helper()
	user = uuid.Must(uuid.NewV7())
	p.exec(t, `INSERT INTO users (id, kind, email, password_hash, language, created_at, password_changed_at)
		VALUES ($1, 'staff', $2, '', $3, $4, $4)`, user, email, language, morning.AddDate(-1, 0, 0))
	p.exec(t, `INSERT INTO platform_admins (user_id, created_at) VALUES ($1, $2)`, user, morning.AddDate(-1, 0, 0))
	return user
}

// digests claims what is due, as several replicas at once, sends it and gives what arrived, by addressee.
func (p *pier) digests(t *testing.T) map[string]mail.Letter {
	t.Helper()
	store, err := models.NewStore(models.Options{App: p.db.App, Platform: p.db.Platform, Now: func() time.Time { return p.now }})
	must(t, err)
	p.exec(t, `DELETE FROM river.river_job`)
	var looking sync.WaitGroup
	for range 4 {
		looking.Go(func() {
			if _, err := store.ClaimDue(t.Context(), models.DueSource{Due: models.DueDigests, Jobs: models.Statement{SQL: `
				, job AS (INSERT INTO river.river_job (kind, args, queue, max_attempts)
				          SELECT 'digest', jsonb_build_object('digest', id), 'mail', 8 FROM claimed)
				SELECT count(*) FROM claimed`}}, 10); err != nil {
				t.Error(err)
			}
		})
	}
	looking.Wait()
	rows, err := p.db.Owner.Query(t.Context(), `SELECT (args->>'digest')::uuid FROM river.river_job WHERE kind = 'digest'`)
	must(t, err)
	var ids []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		must(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	must(t, rows.Err())
	for _, id := range ids {
		for range 2 { // a job that runs again has nothing left to do
			_, err := p.service.SendDigest(t.Context(), store.Platform(models.Actor{Kind: models.System}), id)
			must(t, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	arrived := map[string]mail.Letter{}
	for _, l := range p.letters {
		if _, twice := arrived[l.To]; twice {
			t.Errorf("%s got two", l.To)
		}
		arrived[l.To] = l
	}
	p.letters = nil
	return arrived
}

func TestDigest_OneForEachOfTheStaffAndDay(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	p.joins(t, "en@mooring.example", "en")
	p.joins(t, "zh@mooring.example", "zh-CN")
	for email, zone := range map[string]string{"in@mooring.example": "Asia/Kolkata", "moon@mooring.example": "Moon/Tranquillity"} {
		p.exec(t, `UPDATE users SET time_zone = $2 WHERE id = $1`, p.joins(t, email, "en"), zone)
	}
	p.exec(t, `INSERT INTO digests (user_id, day, id, since, until) SELECT id, $1, gen_random_uuid(), $2, $3 FROM users
		WHERE email IN ('en@mooring.example', 'moon@mooring.example')`, morning.AddDate(0, 0, -1), morning.AddDate(0, 0, -2), morning.AddDate(0, 0, -1))
	off := p.joins(t, "off@mooring.example", "en")
	p.exec(t, `INSERT INTO digest_choices VALUES ($1, false, $2)`, off, morning.AddDate(0, 0, -9))
	p.exec(t, `UPDATE tenants SET created_at = $1`, morning.AddDate(-1, 0, 0))
	p.exec(t, `UPDATE connections SET state = 'needs_you', state_since = $1, ends_at = $2`, morning.Add(-3*time.Hour), morning.AddDate(0, 0, 5))

	p.now = morning.Add(-time.Minute) // seven in UTC, but past eight in Beijing
	got := p.digests(t)
	if len(got) != 2 || !strings.Contains(got["zh@mooring.example"].Text, "海港支付：新增 1 个连接需要商户处理") || got["in@mooring.example"].To == "" {
		t.Errorf("a minute before eight: %+v, want the one in Chinese, and the one of who lives further east", got)
	}
	p.now = morning
	got = p.digests(t)
	text := got["en@mooring.example"].Text
	if len(got) != 2 || got["moon@mooring.example"].To == "" {
		t.Errorf("at eight: %+v, want the two in English, one with a zone that the server does not know", got)
	}
	for _, want := range []string{
		"Fake Pay: 1 connection newly needs its merchant", "https://mooring.example/admin/providers/fake",
		"Access ends within 14 days: 1 connection", "https://mooring.example/admin/expiring", "https://mooring.example/settings#digest",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the digest does not say %q:\n%s", want, text)
		}
	}
	for _, never := range []string{"Harbour", "12***89", "owner@"} {
		if strings.Contains(text, never) {
			t.Errorf("the digest names %q", never)
		}
	}
	p.now = morning.Add(20 * time.Hour)
	if got = p.digests(t); len(got) > 1 || got["en@mooring.example"].To != "" {
		t.Errorf("the same day again: %+v", got)
	}
}

func TestDigest_TellsWhatIsNewSinceTheLastOne(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	p.joins(t, "en@mooring.example", "en")
	p.exec(t, `UPDATE tenants SET created_at = $1`, morning.Add(-time.Hour))
	p.now = morning
	if got := p.digests(t)["en@mooring.example"].Text; !strings.Contains(got, "1 new merchant\n") {
		t.Errorf("the first: %q", got)
	}
	p.now = morning.AddDate(0, 0, 1)
	if got := p.digests(t); len(got) != 0 {
		t.Errorf("a day without news: %+v", got)
	}
	p.state(t, models.Connected)
	p.exec(t, `INSERT INTO events (tenant_id, id, connection_id, actor_kind, kind, created_at)
		VALUES ($1, gen_random_uuid(), $2, 'system', 'connection.recovered', $3)`, p.tenant, p.connection, morning.AddDate(0, 0, 2))
	p.exec(t, `INSERT INTO mails (job, kind, address, state, created_at, ended_at) VALUES (1, 'reset', 'a***@e***', 'refused', $1, $1)`,
		morning.AddDate(0, 0, 2))
	p.now = morning.AddDate(0, 0, 4) // the program was off for two mornings
	got := p.digests(t)["en@mooring.example"].Text
	if !strings.Contains(got, "Fake Pay: 1 connection works again") || !strings.Contains(got, "1 mail was refused or failed") ||
		strings.Contains(got, "new merchant") {
		t.Errorf("after two mornings without: %q", got)
	}
}

func TestDigest_BeginsOnTheDayAfterJoining(t *testing.T) {
	t.Parallel()
	p := newPier(t)
	user := p.joins(t, "en@mooring.example", "en")
	p.exec(t, `UPDATE platform_admins SET created_at = $2 WHERE user_id = $1`, user, morning.Add(time.Hour))
	p.now = morning.Add(2 * time.Hour)
	if got := p.digests(t); len(got) != 0 || p.number(t, `SELECT count(*) FROM digests`) != 0 {
		t.Errorf("on the day of joining: %+v", got)
	}
}
