package vault_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"mooring/internal/vault"
)

func newVault(tb testing.TB) *vault.Vault {
	tb.Helper()
	text, err := vault.NewKeyset()
	if err != nil {
		tb.Fatal(err)
	}
	v, err := vault.New(text)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func newKey(tb testing.TB, v *vault.Vault, tenant uuid.UUID) vault.WrappedKey {
	tb.Helper()
	key, err := v.NewTenantKey(tenant)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func TestOpenGivesBackWhatWasSealedAtTheSamePlaceOnly(t *testing.T) {
	v := newVault(t)
	tenant, owner := uuid.New(), uuid.New()
	key := newKey(t, v, tenant)
	at := vault.Place{Tenant: tenant, Owner: owner, Provider: "pier", Field: "credential", Version: 3}
	plain := []byte("canary-token")

	sealed, err := v.Seal(key, at, plain)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, plain) {
		t.Fatal("the ciphertext holds the plaintext")
	}
	if got, err := v.Open(key, at, sealed); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("Open = %q, %v; want %q", got, err, plain)
	}

	other := uuid.New()
	moved := map[string]vault.Place{
		"other tenant":       {Tenant: other, Owner: owner, Provider: "pier", Field: "credential", Version: 3},
		"other connection":   {Tenant: tenant, Owner: other, Provider: "pier", Field: "credential", Version: 3},
		"other provider":     {Tenant: tenant, Owner: owner, Provider: "quay", Field: "credential", Version: 3},
		"other field":        {Tenant: tenant, Owner: owner, Provider: "pier", Field: "account", Version: 3},
		"older version":      {Tenant: tenant, Owner: owner, Provider: "pier", Field: "credential", Version: 2},
		"shifted boundaries": {Tenant: tenant, Owner: owner, Provider: "pierc", Field: "redential", Version: 3},
	}
	for name, place := range moved {
		if _, err := v.Open(key, place, sealed); !errors.Is(err, vault.ErrSealed) {
			t.Errorf("%s: error = %v, want ErrSealed", name, err)
		}
	}
	if _, err := v.Open(newKey(t, v, tenant), at, sealed); !errors.Is(err, vault.ErrSealed) {
		t.Errorf("another data key opened it: %v", err)
	}
	if _, err := v.Open(newKey(t, v, other), at, sealed); !errors.Is(err, vault.ErrSealed) {
		t.Errorf("another tenant's data key opened it: %v", err)
	}
	if _, err := newVault(t).Open(key, at, sealed); !errors.Is(err, vault.ErrSealed) {
		t.Errorf("another master keyset opened it: %v", err)
	}
}

func TestEveryMutationIsRefused(t *testing.T) {
	v := newVault(t)
	at := vault.Place{Tenant: uuid.New(), Owner: uuid.New(), Provider: "pier", Field: "credential", Version: 1}
	key := newKey(t, v, at.Tenant)
	sealed, err := v.Seal(key, at, []byte("a token of some length, 32 bytes"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			if _, err := v.Open(key, at, bad); !errors.Is(err, vault.ErrSealed) {
				t.Fatalf("bit %d of byte %d flipped: error = %v, want ErrSealed", bit, i, err)
			}
		}
		if _, err := v.Open(key, at, sealed[:i]); !errors.Is(err, vault.ErrSealed) {
			t.Fatalf("cut to %d bytes: error = %v, want ErrSealed", i, err)
		}
	}
}

func TestSealingTheSameValueTwiceDiffers(t *testing.T) {
	v := newVault(t)
	at := vault.Place{Tenant: uuid.New()}
	key := newKey(t, v, at.Tenant)
	a, errA := v.Seal(key, at, []byte("same"))
	b, errB := v.Seal(key, at, []byte("same"))
	if errA != nil || errB != nil || bytes.Equal(a, b) {
		t.Fatalf("two seals of one value are equal (%v, %v)", errA, errB)
	}
}

func TestHashIsStableKeyedAndUnambiguous(t *testing.T) {
	text, err := vault.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	hash := func(v *vault.Vault, parts ...string) string {
		sum, err := v.Hash("account", parts...)
		if err != nil {
			t.Fatal(err)
		}
		return string(sum)
	}
	a, _ := vault.New(text)
	b, _ := vault.New(text)
	if hash(a, "pier", "12345") != hash(b, "pier", "12345") {
		t.Error("two vaults of one keyset disagree")
	}
	if hash(a, "pier", "12345") == hash(newVault(t), "pier", "12345") {
		t.Error("another keyset computes the same hash")
	}
	if hash(a, "pier1", "2345") == hash(a, "pier", "12345") {
		t.Error("moving a boundary keeps the hash")
	}
}

func TestCanaryTellsTheWrongKeyset(t *testing.T) {
	v := newVault(t)
	sealed, err := v.SealCanary()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.CheckCanary(sealed); err != nil {
		t.Errorf("the right keyset is refused: %v", err)
	}
	if err := newVault(t).CheckCanary(sealed); !errors.Is(err, vault.ErrSealed) {
		t.Errorf("the wrong keyset is accepted: %v", err)
	}
}

func TestNewRefusesBadKeysetsWithoutQuotingThem(t *testing.T) {
	good, err := vault.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	hidden := "c2VjcmV0LWNhbmFyeQ"
	for name, text := range map[string]string{
		"empty":           "",
		"a word":          hidden,
		"other JSON":      `{"key":"` + hidden + `"}`,
		"no hash part":    `{"seal":` + strings.SplitN(string(good), `"seal":`, 2)[1][:20] + `}`,
		"broken seal":     `{"seal":{"primaryKeyId":1,"key":[{"keyData":{"value":"` + hidden + `"}}]},"hash":{}}`,
		"swapped parts":   swapParts(string(good)),
		"truncated":       string(good[:len(good)/2]),
		"empty both":      `{"seal":{},"hash":{}}`,
		"null":            `null`,
		"seal is a text":  `{"seal":"` + hidden + `","hash":"` + hidden + `"}`,
		"duplicate empty": `{"seal":null,"hash":null}`,
	} {
		_, err := vault.New([]byte(text))
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: the error quotes the keyset: %v", name, err)
		}
	}
}

func swapParts(text string) string {
	return strings.NewReplacer(`"seal":`, `"hash":`, `"hash":`, `"seal":`).Replace(text)
}

func BenchmarkSeal(b *testing.B) {
	v := newVault(b)
	at := vault.Place{Tenant: uuid.New(), Owner: uuid.New(), Provider: "pier", Field: "credential", Version: 1}
	key := newKey(b, v, at.Tenant)
	value := bytes.Repeat([]byte("x"), 1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Seal(key, at, value); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	v := newVault(b)
	at := vault.Place{Tenant: uuid.New(), Owner: uuid.New(), Provider: "pier", Field: "credential", Version: 1}
	key := newKey(b, v, at.Tenant)
	sealed, err := v.Seal(key, at, bytes.Repeat([]byte("x"), 1024))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Open(key, at, sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func TestThePlatformsKeyIsNoTenants(t *testing.T) {
	v := newVault(t)
	platform, err := v.NewPlatformKey()
	if err != nil {
		t.Fatal(err)
	}
	at := vault.Place{Owner: uuid.New(), Field: "endpoint secret", Version: 1}
	sealed, err := v.Seal(platform, at, []byte("canary"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Open(platform, at, sealed); err != nil || string(got) != "canary" {
		t.Errorf("Open = %q, %v", got, err)
	}
	mine := at
	mine.Tenant = uuid.New()
	if _, err := v.Open(platform, mine, sealed); !errors.Is(err, vault.ErrSealed) {
		t.Errorf("it opens as a tenant's: %v", err)
	}
	if _, err := v.Open(newKey(t, v, mine.Tenant), at, sealed); !errors.Is(err, vault.ErrSealed) {
		t.Errorf("it opens with a tenant's key: %v", err)
	}
}
