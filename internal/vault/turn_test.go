package vault_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"mooring/internal/vault"
)

// TestTurning walks one keyset through a rotation beside a program that looks at its file late.
func TestTurning(t *testing.T) {
	file, err := vault.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	here, _ := vault.New(file)
	late, _ := vault.New(file)
	late.Follow(func() ([]byte, error) { return file, nil })
	here.Follow(func() ([]byte, error) { return file, nil })
	tenant := uuid.New()
	at := vault.Place{Tenant: tenant, Field: "credential"}
	key := newKey(t, here, tenant)
	sealed, _ := here.Seal(key, at, []byte("canary"))
	before, _ := here.Hash("account", "12345")
	old := here.Keys().Primary

	var added vault.KeyID
	if file, added, err = vault.AddKey(file); err != nil {
		t.Fatal(err)
	}
	if changed, err := here.Reread(); err != nil || !changed || here.Keys().Primary != old || !here.Keys().Has(added) {
		t.Fatalf("after adding: %v, %v, %+v", changed, err, here.Keys())
	}
	if file, err = vault.Promote(file, added); err != nil {
		t.Fatal(err)
	}
	if _, err := here.Reread(); err != nil || here.Keys().Primary != added {
		t.Fatalf("after promoting: %v, %+v", err, here.Keys())
	}
	turned, err := here.Rewrap(key, tenant)
	if err != nil || vault.WrappedBy(turned) != added || vault.WrappedBy(key) != old {
		t.Fatalf("rewrapping: %v, by %s; it was by %s", err, vault.WrappedBy(turned), vault.WrappedBy(key))
	}
	if got, err := late.Open(turned, at, sealed); err != nil || string(got) != "canary" {
		t.Errorf("a program that has not looked at its file: %q, %v", got, err)
	}
	if _, err := vault.RemoveKey(file, added); !errors.Is(err, vault.ErrNoKey) {
		t.Errorf("removing the key that seals: %v", err)
	}
	if file, err = vault.RemoveKey(file, old); err != nil {
		t.Fatal(err)
	}
	if _, err := here.Reread(); err != nil || here.Keys().Has(old) {
		t.Fatalf("after removing: %v, %+v", err, here.Keys())
	}
	if _, err := here.Open(key, at, sealed); !errors.Is(err, vault.ErrSealed) {
		t.Errorf("what needs the removed key: %v", err)
	}
	if after, _ := here.Hash("account", "12345"); string(after) != string(before) {
		t.Error("turning has changed a hash")
	}
}

func TestRereadRefusesAnotherKeyset(t *testing.T) {
	text, _ := vault.NewKeyset()
	other, _ := vault.NewKeyset()
	v, _ := vault.New(text)
	was := v.Keys()
	for name, bad := range map[string][]byte{"another one": other, "half of one": text[:len(text)/2], "nothing": nil} {
		v.Follow(func() ([]byte, error) { return bad, nil })
		if changed, err := v.Reread(); err == nil || changed || v.Keys().Primary != was.Primary {
			t.Errorf("%s: changed %v, %v", name, changed, err)
		}
	}
}
