package connect_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/keys"
	"mooring/internal/models"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/vault"
)

// turner turns the merchants' data keys by the harness's clock; what it cannot do is in log.
func (h *harness) turner(log io.Writer) keys.Turner {
	return keys.Turner{Store: h.store, Vault: h.vault, Rest: keys.TurnRest, Now: h.clock.now, Log: slog.New(slog.NewTextHandler(log, nil))}
}

// turn waits for a rest and takes the steps that are due then.
func (h *harness) turn(turner keys.Turner) models.KeyTurns {
	h.t.Helper()
	h.clock.forward(keys.TurnRest + time.Minute)
	_, err := turner.Work(h.t.Context())
	must(h.t, err)
	st, err := h.store.Platform(models.Actor{Kind: models.System}).KeyTurns(h.t.Context(), uuid.Nil)
	must(h.t, err)
	return st
}

// TestExport_OutlivesATurnOfTheDataKey turns the key, from the first step to the last, while a download goes on.
func TestExport_OutlivesATurnOfTheDataKey(t *testing.T) {
	t.Parallel()
	l := newLeaver(t, &oauthtest.Fake{})
	turner := l.turner(io.Discard)
	var archive bytes.Buffer
	must(t, l.service.Export(t.Context(), l.m.again(), connect.Export{Readme: "readme"}, func() io.Writer {
		must(t, turner.Begin(t.Context(), l.m.tenant, "test"))
		l.turn(turner)
		if st := l.turn(turner); st.Ended != 1 {
			t.Errorf("the turn has not ended: %+v", st)
		}
		return &archive
	}))
	files, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	must(t, err)
	for _, name := range []string{"wallets.csv", "versions.csv"} {
		file, err := files.Open(name)
		must(t, err)
		text, err := io.ReadAll(file)
		must(t, err)
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
		must(t, err)
		if len(rows) < 2 {
			t.Errorf("%s has no values: what the new key sealed was not opened", name)
		}
	}
}

// TestCloseTenant_InTheMiddleOfATurn closes at once when some values are sealed by the old key and some by the new one. Nothing
// that anybody kept opens any more, providers are told all the same, and the turn ends without a word.
func TestCloseTenant_InTheMiddleOfATurn(t *testing.T) {
	t.Parallel()
	l := newLeaver(t, &oauthtest.Fake{})
	var log bytes.Buffer
	turner := l.turner(&log)
	must(t, turner.Begin(t.Context(), l.m.tenant, "test"))
	if st := l.turn(turner); st.Resting != 1 {
		t.Fatalf("in the middle: %+v", st)
	}
	late := l.m.connected("67890").ID // by the new key, after the rows were rewritten
	must(t, l.m.sync(late))
	l.close(true)
	if n := l.count(`SELECT (SELECT count(*) FROM tenant_keys) + (SELECT count(*) FROM key_turns)`); n != 0 {
		t.Fatal("the key, or its turn, outlives the tenant")
	}
	for _, c := range models.SealedColumns() {
		if c.Keeping == models.ByTenant && c.Table != "revocations" {
			if n := l.count(`SELECT count(*) FROM ` + c.Table + ` WHERE ` + c.Column + ` <> ''`); n != 0 {
				t.Errorf("%d values are left in %s.%s", n, c.Table, c.Column)
			}
		}
	}
	if n := l.due("revocations", l.service.Revoke); n != 2 || l.fake.Calls(oauthtest.OpRevoke) != 2 {
		t.Errorf("%d revocations fell due, the provider was told %d times, want 2", n, l.fake.Calls(oauthtest.OpRevoke))
	}
	if st := l.turn(turner); st.Underway()+st.Kept+st.Ended != 0 || log.Len() > 0 {
		t.Errorf("after closing the turn stands at %+v and says %q", st, log.String())
	}
	l.clock.forward(time.Hour)
	l.settle()
	if n := l.count(`SELECT count(*) FROM closings WHERE parting_key IS NOT NULL OR due_at IS NOT NULL`); n != 0 {
		t.Error("the key for telling providers outlives what it was for")
	}
}

// TestDestroy_WaitsForValuesThatAreBeingRewritten destroys the key while a transaction of the turn holds values.
func TestDestroy_WaitsForValuesThatAreBeingRewritten(t *testing.T) {
	t.Parallel()
	l := newLeaver(t, &oauthtest.Fake{})
	l.close(false)
	l.due("revocations", l.service.Revoke)
	l.clock.forward(connect.CloseGrace + time.Hour)
	must(t, l.turner(io.Discard).Begin(t.Context(), l.m.tenant, "test"))
	turn, key, err := l.m.again().KeyTurn(t.Context())
	must(t, err)
	entered, release, rewritten := make(chan struct{}, 100), make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := l.m.again().Reseal(t.Context(), turn.From, models.Resealing{}, 50, l.clock.now(), func(at vault.Place, sealed vault.Sealed) (vault.Sealed, error) {
			entered <- struct{}{}
			<-release
			return l.vault.Reseal(key, at, sealed)
		})
		rewritten <- err
	}()
	<-entered
	settled := make(chan error, 1)
	go func() { settled <- l.service.SettleClosing(t.Context(), l.m.again()) }()
	for l.count(`SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		OR NOT granted AND transactionid IS NOT NULL AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())`) == 0 {
		select {
		case err := <-settled:
			t.Fatalf("destroying did not wait: %v", err)
		default:
		}
	}
	close(release)
	must(t, <-rewritten)
	must(t, <-settled)
	if n := l.count(`SELECT (SELECT count(*) FROM tenant_keys) + (SELECT count(*) FROM snapshots)`); n != 0 {
		t.Error("the key or the data is still there")
	}
}
