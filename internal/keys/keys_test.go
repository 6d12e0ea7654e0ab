package keys_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/database/dbtest"
	"mooring/internal/keys"
	"mooring/internal/models"
	"mooring/internal/vault"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// place is a database with sealed values, and the operator's file.
type place struct {
	*testing.T
	db     dbtest.DB
	store  *models.Store
	file   string
	said   bytes.Buffer
	v      *vault.Vault // the first program's
	sealed map[uuid.UUID]vault.Sealed
}

func newPlace(t *testing.T, tenants int) *place {
	t.Helper()
	p := &place{T: t, db: dbtest.New(t), file: filepath.Join(t.TempDir(), "keyset.json"), sealed: map[uuid.UUID]vault.Sealed{}}
	text, err := vault.NewKeyset()
	p.must(err)
	p.must(os.WriteFile(p.file, text, 0o600))
	p.store, err = models.NewStore(models.Options{App: p.db.App, Platform: p.db.Platform, Now: time.Now})
	p.must(err)
	p.v = p.program("first")
	for range tenants {
		tenant := uuid.New()
		key, err := p.v.NewTenantKey(tenant)
		p.must(err)
		sealed, err := p.v.Seal(key, at(tenant), []byte("canary "+tenant.String()))
		p.must(err)
		p.sealed[tenant] = sealed
		p.exec(`WITH t AS (INSERT INTO tenants (id, name, created_at) VALUES ($1, 'T', now()))
			INSERT INTO tenant_keys (tenant_id, wrapped, created_at) VALUES ($1, $2, now())`, tenant, []byte(key))
	}
	return p
}

func at(tenant uuid.UUID) vault.Place {
	return vault.Place{Tenant: tenant, Field: "credential", Version: 1}
}

func (p *place) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *place) exec(sql string, args ...any) {
	p.Helper()
	_, err := p.db.Owner.Exec(p.Context(), sql, args...)
	p.must(err)
}

// program starts one that follows the file, as web serve does, but looks at it only when told.
func (p *place) program(name string) *vault.Vault {
	p.Helper()
	text, err := os.ReadFile(p.file)
	p.must(err)
	v, err := vault.New(text)
	p.must(err)
	v.Follow(func() ([]byte, error) { return os.ReadFile(p.file) })
	p.must(p.store.CheckVault(p.Context(), v))
	p.must(p.keeper(name, v).Open(p.Context()))
	return v
}

func (p *place) keeper(name string, v *vault.Vault) *keys.Keeper {
	return &keys.Keeper{Store: p.store, Vault: v, Replica: name, Log: slog.New(slog.DiscardHandler)}
}

func (p *place) rotation(wait time.Duration) *keys.Rotation {
	return &keys.Rotation{File: keys.File(p.file), Store: p.store, Platform: p.platform(), Say: &p.said, Wait: wait, By: "test", Now: time.Now}
}

func (p *place) platform() *models.PlatformStore {
	return p.store.Platform(models.Actor{Kind: models.System})
}

func (p *place) status() models.KeyStatus {
	p.Helper()
	st, err := p.platform().MasterKeys(p.Context())
	p.must(err)
	return st
}

// opens counts what a program can read.
func (p *place) opens(v *vault.Vault) (n int) {
	p.Helper()
	for tenant, sealed := range p.sealed {
		var key vault.WrappedKey
		p.must(p.db.Owner.QueryRow(p.Context(), `SELECT wrapped FROM tenant_keys WHERE tenant_id = $1`, tenant).Scan((*[]byte)(&key)))
		if got, err := v.Open(key, at(tenant), sealed); err == nil && string(got) == "canary "+tenant.String() {
			n++
		}
	}
	return n
}

func (p *place) refused(err error, parts ...string) {
	p.Helper()
	if err == nil {
		p.Fatal("it was not refused")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			p.Errorf("it says %q, which lacks %q", err, part)
		}
	}
}

func TestRotate_AProgramThatLooksLateHoldsItUpAndLosesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 450)
	late := p.program("late")
	old := p.v.Keys().Primary
	p.refused(p.rotation(0).Run(t.Context(), false), "does not seal yet", "first, late")
	if st := p.status(); st.Newest != old {
		t.Fatal("a key seals that two programs have not loaded")
	}
	if now, err := vault.ReadKeys(p.text()); err != nil || now.Primary != old || len(now.All) != 2 {
		t.Fatalf("the file holds %+v, %v", now, err)
	}
	_, err := p.v.Reread()
	p.must(err)
	p.must(p.keeper("first", p.v).Open(t.Context()))
	p.refused(p.rotation(0).Run(t.Context(), false), "not loaded it: late.")

	p.must(p.store.LeaveKeys(t.Context(), "late")) // it sleeps so long that it counts as gone
	p.must(p.rotation(0).Run(t.Context(), false))
	st := p.status()
	if behind, all := st.Behind(); behind != 0 || all != 451 || st.Newest == old {
		t.Fatalf("%d of %d rows are behind, key %s seals", behind, all, st.Newest)
	}
	if n := p.opens(late); n != 450 {
		t.Errorf("the one that slept reads %d of 450", n)
	}
	p.refused(p.rotation(0).Retire(t.Context(), old), "1 serving programs still seal", "(first)")
	_, err = p.v.Reread()
	p.must(err)
	p.must(p.keeper("first", p.v).Open(t.Context()))
	p.must(p.rotation(0).Retire(t.Context(), old))
	if n := p.opens(p.program("new")); n != 450 {
		t.Errorf("after retiring %d of 450 open", n)
	}
	kinds := ""
	for _, e := range p.status().Acts {
		kinds = e.Kind + " " + kinds
	}
	if kinds != "keys.added keys.promoted keys.rewrapped keys.retired " {
		t.Errorf("the history tells %q", kinds)
	}
	for _, entry := range p.files() {
		if info, err := os.Stat(entry); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", filepath.Base(entry), info.Mode(), err)
		}
	}
}

func (p *place) text() []byte {
	p.Helper()
	text, err := os.ReadFile(p.file)
	p.must(err)
	return text
}

func (p *place) files() []string {
	p.Helper()
	all, err := filepath.Glob(p.file + "*")
	p.must(err)
	return all
}

func TestRotate_GoesOnWhereItWasKilled(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 500)
	old := p.v.Keys().Primary
	p.must(p.rotation(0).Run(t.Context(), true)) // killed after adding
	_, err := p.v.Reread()
	p.must(err)
	p.must(p.keeper("first", p.v).Open(t.Context()))
	added := p.v.Keys().All[1]

	// Killed between the database and the file.
	without, err := p.platform().PromoteKey(t.Context(), added, "test")
	if err != nil || without != 0 {
		t.Fatalf("promoting: %d, %v", without, err)
	}
	if _, err := keys.Rewrap(t.Context(), p.store, p.v, nil); err != nil || p.status().Keys[0].Rows != 0 {
		t.Fatalf("a program whose file does not seal with the key yet has rewrapped something (%v)", err)
	}

	// Killed after the first batch.
	dying, kill := context.WithCancelCause(t.Context())
	text, err := vault.Promote(p.text(), added)
	p.must(err)
	p.must(os.WriteFile(p.file, text, 0o600))
	_, err = p.v.Reread()
	p.must(err)
	done, err := keys.Rewrap(dying, p.store, p.v, func(int) { kill(errors.New("killed")) })
	if behind, all := p.status().Behind(); err == nil || done != 200 || behind != 300 || all != 501 {
		t.Fatalf("killed after a batch: %d done, %d of %d left, %v", done, behind, all, err)
	}
	p.refused(p.rotation(0).Retire(t.Context(), old), "300 rows still need key "+old.String())
	if n := p.opens(p.v); n != 500 {
		t.Errorf("in the middle %d of 500 open", n)
	}
	p.must(p.rotation(0).Run(t.Context(), false))
	if behind, _ := p.status().Behind(); behind != 0 || len(p.status().Keys) != 2 {
		t.Errorf("%d rows are left, of %d keys: it began another rotation instead of going on", behind, len(p.status().Keys))
	}
}

func TestStart_RefusesAKeysetThatLacksAKeyRowsNeed(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 3)
	old := p.text()
	p.must(p.store.LeaveKeys(t.Context(), "first"))
	p.must(p.rotation(0).Run(t.Context(), false))
	stale, err := vault.New(old)
	p.must(err)
	keeper := p.keeper("stale", stale)
	p.refused(keeper.Open(t.Context()), "lacks key "+p.status().Newest.String()+", which 4 rows need")
	p.refused(keeper.Ready())
	p.must(os.WriteFile(p.file, p.text(), 0o600))
	stale.Follow(func() ([]byte, error) { return os.ReadFile(p.file) })
	p.must(keeper.Open(t.Context())) // the file came after all
	p.must(keeper.Ready())
}

func TestRetire_KeepsOutASleeperWhoSealsWithTheOldKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 2)
	sleeper := p.v
	old := sleeper.Keys().Primary
	p.must(p.store.LeaveKeys(t.Context(), "first"))
	p.must(p.rotation(0).Run(t.Context(), false))
	p.refused(p.rotation(0).Retire(t.Context(), p.status().Newest), "rotate first")
	p.refused(p.rotation(0).Retire(t.Context(), 4711), "there is no key 4711")
	p.must(p.rotation(0).Retire(t.Context(), old))
	tenant := uuid.New()
	key, err := sleeper.NewTenantKey(tenant)
	p.must(err)
	_, err = p.db.Owner.Exec(t.Context(), `WITH t AS (INSERT INTO tenants (id, name, created_at) VALUES ($1, 'T', now()))
		INSERT INTO tenant_keys (tenant_id, wrapped, created_at) VALUES ($1, $2, now())`, tenant, []byte(key))
	p.refused(err, "has been retired")
}
