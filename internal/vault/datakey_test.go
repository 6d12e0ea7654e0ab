package vault_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"mooring/internal/vault"
)

// TestADataKeyTurns walks one tenant's key through a rotation: both generations open while rows are resealed, and the old
// one opens nothing afterwards.
func TestADataKeyTurns(t *testing.T) {
	v := newVault(t)
	at := vault.Place{Tenant: uuid.New(), Owner: uuid.New(), Provider: "pier", Field: "credential", Version: 2}
	key := newKey(t, v, at.Tenant)
	names := func(key vault.WrappedKey) vault.Keys {
		t.Helper()
		keys, err := v.DataKeys(key, at.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	old := names(key).Primary
	before, _ := v.Seal(key, at, []byte("canary"))

	added, id, err := v.AddDataKey(key, at.Tenant)
	if err != nil || names(added).Primary != old || !names(added).Has(id) {
		t.Fatalf("adding: %v, %+v", err, names(added))
	}
	if _, err := v.RemoveDataKey(added, at.Tenant, old); !errors.Is(err, vault.ErrNoKey) {
		t.Errorf("the key that seals is removed: %v", err)
	}
	both, err := v.PromoteDataKey(added, at.Tenant, id)
	if err != nil || names(both).Primary != id {
		t.Fatalf("promoting: %v, %+v", err, names(both))
	}
	after, err := v.Reseal(both, at, before)
	if err != nil {
		t.Fatal(err)
	}
	for name, sealed := range map[string]vault.Sealed{"sealed before": before, "resealed": after} {
		if got, err := v.Open(both, at, sealed); err != nil || string(got) != "canary" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if got, err := v.Open(added, at, sealed); err != nil || string(got) != "canary" {
			t.Errorf("%s, by somebody who read the keyset before it sealed: %q, %v", name, got, err)
		}
	}
	last, err := v.RemoveDataKey(both, at.Tenant, old)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Open(last, at, after); err != nil || string(got) != "canary" {
		t.Errorf("after the end: %q, %v", got, err)
	}
	if _, err := v.Open(last, at, before); !errors.Is(err, vault.ErrSealed) {
		t.Errorf("the destroyed key still opens: %v", err)
	}

	putBack := at
	putBack.Version = 3
	if _, err := v.Reseal(both, putBack, before); !errors.Is(err, vault.ErrSealed) {
		t.Errorf("resealing makes good what was put back: %v", err)
	}
	if _, _, err := v.AddDataKey(key, uuid.New()); !errors.Is(err, vault.ErrSealed) {
		t.Errorf("another tenant's keyset is edited: %v", err)
	}
}
