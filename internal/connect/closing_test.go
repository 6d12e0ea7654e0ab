package connect_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// close closes the leaver's tenant.
func (l *leaver) close(now bool) {
	l.t.Helper()
	must(l.t, l.service.CloseTenant(l.t.Context(), l.m.again(), now, func(*models.Tx, uuid.UUID) error { return nil }))
}

// settle does what is due of closings.
func (l *leaver) settle() (claimed int) {
	l.t.Helper()
	return l.due("closings", func(ctx context.Context, st *models.TenantStore, _ uuid.UUID) error {
		return l.service.SettleClosing(ctx, st)
	})
}

func TestCloseTenant_StopsEverythingAndDestroysWhenItIsTime(t *testing.T) {
	t.Parallel()
	l := newLeaver(t, &oauthtest.Fake{})
	onTheWay := l.fake.Approve(l.m.begin(nil).Location, "67890")
	l.close(false)

	before := l.fake.Calls(oauthtest.OpMerchant)
	if err := l.m.sync(l.conn); err != nil || l.fake.Calls(oauthtest.OpMerchant) != before {
		t.Errorf("a queued sync asked the provider (%v)", err)
	}
	if a, err := l.m.finish(onTheWay); err == nil && a.Status == models.Stored {
		t.Error("somebody who was on the way connected an account of a closed tenant")
	}
	l.exec(`UPDATE attempts SET status = 'exchanging'`) // past every check: the database itself refuses
	if _, err := l.db.Owner.Exec(t.Context(), `UPDATE connections SET state = 'connected'`); err == nil {
		t.Error("the database lets a connection of a closed tenant be connected")
	}
	if n := l.due("revocations", l.service.Revoke); n != 1 || l.fake.Calls(oauthtest.OpRevoke) != 1 {
		t.Errorf("%d revocations fell due, the provider was told %d times", n, l.fake.Calls(oauthtest.OpRevoke))
	}
	l.settle()
	l.clock.forward(connect.CloseGrace - time.Hour)
	l.settle()
	if n := l.count(`SELECT count(*) FROM tenant_keys`); n != 1 {
		t.Fatal("the key is destroyed before its time")
	}
	l.clock.forward(2 * time.Hour)
	if n := l.settle(); n != 1 {
		t.Errorf("%d closings fell due, want 1", n)
	}
	left := l.count(`SELECT (SELECT count(*) FROM tenant_keys) + (SELECT count(*) FROM snapshots) + (SELECT count(*) FROM credentials)
		+ (SELECT count(*) FROM inbox) + (SELECT count(*) FROM connections WHERE account_sealed <> '') + (SELECT count(*) FROM closings WHERE parting_key IS NOT NULL)`)
	if left != 0 {
		t.Errorf("%d rows can still be opened, or hold what could", left)
	}
	if kinds := l.m.eventKinds(); !slices.Contains(kinds, "tenant.closed") || !slices.Contains(kinds, "tenant.key_destroyed") {
		t.Errorf("the history has %v", kinds)
	}
	if err := l.service.ReopenTenant(t.Context(), l.m.again()); errs.CodeOf(err) != errs.Conflict {
		t.Errorf("reopening what is destroyed: %v, want conflict", err)
	}
	if n := l.count(`SELECT count(*) FROM closings WHERE due_at IS NOT NULL AND due_at < now() + interval '90 days'`); n != 0 {
		l.settle()
		if l.count(`SELECT count(*) FROM closings WHERE due_at IS NOT NULL`) != 0 {
			t.Error("closing never ends")
		}
	}
}

// TestCloseTenant_AtOnceStillTellsTheProvider also puts rows of a backup back: nothing in the database opens them.
func TestCloseTenant_AtOnceStillTellsTheProvider(t *testing.T) {
	t.Parallel()
	fails, told := true, ""
	l := newLeaver(t, &oauthtest.Fake{OnRevoke: func(_ context.Context, cred oauth.Credential) error {
		if fails {
			return &oauth.Error{Provider: "fake", Kind: oauth.Upstream}
		}
		told = cred.AccessToken.Reveal()
		return nil
	}})
	l.exec(`CREATE TABLE backup AS SELECT * FROM snapshots`)
	l.close(true)
	if n := l.count(`SELECT count(*) FROM tenant_keys`) + l.count(`SELECT count(*) FROM snapshots`); n != 0 {
		t.Fatal("asked for at once, the key or the data is still there")
	}
	l.due("revocations", l.service.Revoke)
	fails = false
	l.clock.forward(2 * time.Minute)
	if n := l.due("revocations", l.service.Revoke); n != 1 || told == "" {
		t.Errorf("%d revocations fell due, the provider was told with %q", n, told)
	}
	l.clock.forward(time.Hour)
	l.settle()
	if n := l.count(`SELECT count(*) FROM closings WHERE parting_key IS NOT NULL OR due_at IS NOT NULL`); n != 0 {
		t.Error("the key for telling providers outlives what it was for")
	}

	l.exec(`INSERT INTO snapshots SELECT * FROM backup`)
	if _, err := l.service.Overview(t.Context(), l.m.again()); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("reading the backup: %v, want not found", err)
	}
	if _, err := l.m.again().RevocationKey(t.Context()); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("some key is left in the database (%v)", err)
	}
	other, err := l.vault.NewTenantKey(l.m.tenant)
	must(t, err)
	l.exec(`INSERT INTO tenant_keys VALUES ($1, $2, now())`, l.m.tenant, []byte(other))
	o, err := l.service.Overview(t.Context(), l.m.again())
	must(t, err)
	for _, b := range o.Accounts[0].Blocks {
		if b.Fetched() {
			t.Errorf("block %s of the backup opens with another key", b.Block)
		}
	}
}

func TestReceipts_VerifyOnlyAsTheyWereIssued(t *testing.T) {
	t.Parallel()
	l := newHarness(t, &oauthtest.Fake{}, nil)
	text, err := l.service.SignReceipt("Title\n\nFact: 1\n")
	must(t, err)
	for name, tc := range map[string]struct {
		text string
		want bool
	}{
		"as issued":            {text, true},
		"through a mailer":     {"\ufeff\r\n" + "Title\r\n\r\nFact: 1\r\n" + text[len("Title\n\nFact: 1\n"):] + "\r\n ", true},
		"another fact":         {"Title\n\nFact: 2\n" + text[len("Title\n\nFact: 1\n"):], false},
		"something before":     {"More\n" + text, false},
		"something after":      {text + "Fact: 3\n", false},
		"two signatures":       {text + text, false},
		"without a signature":  {"Title\n\nFact: 1\n", false},
		"nothing":              {"", false},
		"a signature, no text": {"signature: 00", false},
	} {
		if got, err := l.service.VerifyReceipt(tc.text); err != nil || got != tc.want {
			t.Errorf("%s: %v, %v; want %v", name, got, err, tc.want)
		}
	}
}
