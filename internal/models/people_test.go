package models_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"mooring/internal/database/dbtest"
	"mooring/internal/errs"
	"mooring/internal/models"
)

const idle = 12 * time.Hour

func peopleStore(t *testing.T) (*models.Store, dbtest.DB) {
	t.Helper()
	db := dbtest.New(t)
	store, err := models.NewStore(models.Options{App: db.App, Platform: db.Platform, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return store, db
}

func newOwner(t *testing.T, store *models.Store, email string) models.NewTenant {
	t.Helper()
	n := models.NewTenant{
		TenantID: uuid.Must(uuid.NewV7()), UserID: uuid.Must(uuid.NewV7()), Name: "Harbour Ltd", Email: email,
		PasswordHash: "hash of " + email, Language: "en", Key: []byte("wrapped"),
	}
	if err := store.CreateTenantWithOwner(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return n
}

func signIn(t *testing.T, store *models.Store, person uuid.UUID, token, before string) uuid.UUID {
	t.Helper()
	n := models.NewSession{ID: uuid.Must(uuid.NewV7()), TokenHash: []byte(token), UserID: person, UserAgent: "test", Life: time.Hour}
	if before != "" {
		n.Replaces = []byte(before)
	}
	if _, err := store.StartSession(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return n.ID
}

func isOpen(t *testing.T, store *models.Store, token string) bool {
	t.Helper()
	_, err := store.OpenSession(t.Context(), []byte(token), idle)
	if err != nil && errs.CodeOf(err) != errs.NotFound {
		t.Fatal(err)
	}
	return err == nil
}

func TestCreateTenantWithOwner_IsWholeOrNothing(t *testing.T) {
	store, db := peopleStore(t)
	n := newOwner(t, store, "a@example.com")

	twin := models.NewTenant{TenantID: uuid.Must(uuid.NewV7()), UserID: uuid.Must(uuid.NewV7()), Name: "Twin", Email: n.Email, Key: []byte("k")}
	if err := store.CreateTenantWithOwner(t.Context(), twin); errs.CodeOf(err) != errs.Conflict {
		t.Errorf("second account of an address: %v, want Conflict", err)
	}
	var tenants, members, keys, events int
	err := db.Owner.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM tenants), (SELECT count(*) FROM memberships WHERE role = 'owner'),
		(SELECT count(*) FROM tenant_keys), (SELECT count(*) FROM events WHERE kind = 'tenant.created' AND actor_id = $1)`, n.UserID).
		Scan(&tenants, &members, &keys, &events)
	if err != nil {
		t.Fatal(err)
	}
	if tenants != 1 || members != 1 || keys != 1 || events != 1 {
		t.Errorf("tenants %d, owners %d, keys %d, events %d; want one of each", tenants, members, keys, events)
	}
}

func TestPersonForSignIn(t *testing.T) {
	store, _ := peopleStore(t)
	n := newOwner(t, store, "a@example.com")
	newOwner(t, store, "b@example.com")

	got, err := store.PersonForSignIn(t.Context(), "a@example.com")
	if err != nil {
		t.Fatal(err)
	}
	want := models.SignInPerson{ID: n.UserID, Kind: models.MerchantKind, PasswordHash: n.PasswordHash, Language: "en"}
	if got != want {
		t.Errorf("PersonForSignIn = %+v, want %+v", got, want)
	}
	if _, err := store.PersonForSignIn(t.Context(), "nobody@example.com"); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("nobody's address: %v, want NotFound", err)
	}
}

func TestOpenSession_KnowsThePersonTheirTenantAndTheirRole(t *testing.T) {
	store, db := peopleStore(t)
	n := newOwner(t, store, "a@example.com")
	other := newOwner(t, store, "b@example.com")
	for i, state := range []string{"connected", "needs_you", "provider", "ours", "disconnected"} {
		for _, tenant := range []models.NewTenant{n, other} {
			_, err := db.Owner.Exec(t.Context(), `INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked,
				account_sealed, state, state_since, credential_version, created_at) VALUES ($1, $2, 'p', 'test', $3, '', '', $4, now(), 1, now())`,
				tenant.TenantID, uuid.New(), []byte{byte(i)}, state)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	id := signIn(t, store, n.UserID, "token", "")

	got, err := store.OpenSession(t.Context(), []byte("token"), idle)
	if err != nil {
		t.Fatal(err)
	}
	if life := got.ExpiresAt.Sub(got.CreatedAt); life != time.Hour {
		t.Errorf("life = %v, want 1h", life)
	}
	got.CreatedAt, got.ExpiresAt = time.Time{}, time.Time{}
	var broken []models.State
	for _, trouble := range got.Troubles {
		broken = append(broken, trouble.State)
	}
	if want := []models.State{models.NeedsYou, models.Provider, models.Ours}; !slices.Equal(broken, want) {
		t.Errorf("broken: %v, want the tenant's own, what the merchant must mend first: %v", broken, want)
	}
	got.Troubles = nil
	want := models.Session{
		ID: id, UserID: n.UserID, Email: n.Email, Language: "en", TenantID: n.TenantID, TenantName: "Harbour Ltd",
		Role: models.Owner, Recent: true, Attention: 3, Key: n.Key,
		Workplaces: []models.Workplace{{ID: n.TenantID, Name: "Harbour Ltd", Role: models.Owner}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("OpenSession differs (-want +got):\n%s", diff)
	}
}

func TestOpenSession_EndsIdleAndAbsolute(t *testing.T) {
	store, db := peopleStore(t)
	n := newOwner(t, store, "a@example.com")
	for _, tc := range []struct{ name, change string }{
		{"idle", `UPDATE sessions SET seen_at = now() - interval '12 hours 1 second'`},
		{"absolute", `UPDATE sessions SET expires_at = now() - interval '1 second', seen_at = now()`},
	} {
		signIn(t, store, n.UserID, tc.name, "")
		if !isOpen(t, store, tc.name) {
			t.Fatalf("%s: a fresh session does not open", tc.name)
		}
		if _, err := db.Owner.Exec(t.Context(), tc.change); err != nil {
			t.Fatal(err)
		}
		if isOpen(t, store, tc.name) {
			t.Errorf("%s: still opens", tc.name)
		}
	}
}

func TestStartSession_EndsWhatTheBrowserHeldBefore(t *testing.T) {
	store, _ := peopleStore(t)
	a, b := newOwner(t, store, "a@example.com"), newOwner(t, store, "b@example.com")
	signIn(t, store, a.UserID, "of a", "")
	signIn(t, store, a.UserID, "of a elsewhere", "")

	signIn(t, store, b.UserID, "of b", "of a") // another person at the same browser
	for token, want := range map[string]bool{"of a": false, "of a elsewhere": true, "of b": true} {
		if got := isOpen(t, store, token); got != want {
			t.Errorf("session %q opens: %t, want %t", token, got, want)
		}
	}
}

func TestSessions_OfAnotherPersonAreOutOfReach(t *testing.T) {
	store, _ := peopleStore(t)
	a, b := newOwner(t, store, "a@example.com"), newOwner(t, store, "b@example.com")
	signIn(t, store, a.UserID, "of a", "")
	idB := signIn(t, store, b.UserID, "of b", "")

	list, err := store.Sessions(t.Context(), a.UserID, idle)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].ID == idB {
		t.Errorf("A's sessions = %+v, want only A's own", list)
	}
	if err := store.EndSession(t.Context(), a.UserID, idB); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("A ends B's session: %v, want NotFound", err)
	}
	if err := store.EndOtherSessions(t.Context(), a.UserID, uuid.Nil); err != nil {
		t.Fatal(err)
	}
	if !isOpen(t, store, "of b") || isOpen(t, store, "of a") {
		t.Error("ending A's sessions must end A's and no other")
	}
}

func TestChangePassword_RefusesAPasswordThatChangedMeanwhile(t *testing.T) {
	store, db := peopleStore(t)
	n := newOwner(t, store, "a@example.com")
	id := signIn(t, store, n.UserID, "own", "")
	signIn(t, store, n.UserID, "other", "")
	change := models.PasswordChange{Person: n.UserID, Session: id, TokenHash: []byte("rotated"), OldHash: n.PasswordHash, NewHash: "new"}
	if err := store.ChangePassword(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]bool{"own": false, "other": false, "rotated": true} {
		if got := isOpen(t, store, token); got != want {
			t.Errorf("after the change %q opens: %t, want %t", token, got, want)
		}
	}
	change.TokenHash = []byte("again")
	if err := store.ChangePassword(t.Context(), change); errs.CodeOf(err) != errs.Conflict {
		t.Errorf("a change from an old password: %v, want Conflict", err)
	}
	if !isOpen(t, store, "rotated") {
		t.Error("a refused change must leave the session alone")
	}
	var events int
	if err := db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM events WHERE kind = 'person.password_changed'`).Scan(&events); err != nil {
		t.Fatal(err)
	}
	if events != 1 {
		t.Errorf("%d events, want 1", events)
	}
}

func TestCreateAdmin_NeedsTheOwnersRole(t *testing.T) {
	store, db := peopleStore(t)
	n := models.NewAdmin{UserID: uuid.Must(uuid.NewV7()), Email: "admin@example.com", PasswordHash: "hash", StaffRoles: models.StaffRoles(), Now: time.Now()}
	for name, pool := range map[string]dbtest.DB{"app": {Owner: db.App}, "platform": {Owner: db.Platform}} {
		if err := models.CreateAdmin(t.Context(), pool.Owner, n); err == nil {
			t.Errorf("the %s role could make an admin", name)
		}
	}
	if err := models.CreateAdmin(t.Context(), db.Owner, n); err != nil {
		t.Fatal(err)
	}
	signIn(t, store, n.UserID, "token", "")
	got, err := store.OpenSession(t.Context(), []byte("token"), idle)
	if err != nil || !got.IsAdmin || got.TenantID != uuid.Nil {
		t.Errorf("OpenSession = %+v, %v; want an admin without a tenant", got, err)
	}
}

func TestStaff_PasswordChangeGoesToThePlatformsHistory(t *testing.T) {
	store, db := peopleStore(t)
	n := models.NewAdmin{UserID: uuid.Must(uuid.NewV7()), Email: "admin@example.com", PasswordHash: "old", StaffRoles: models.StaffRoles(), Now: time.Now()}
	if err := models.CreateAdmin(t.Context(), db.Owner, n); err != nil {
		t.Fatal(err)
	}
	id := signIn(t, store, n.UserID, "token", "")
	err := store.ChangePassword(t.Context(), models.PasswordChange{Person: n.UserID, Session: id, TokenHash: []byte("t"), OldHash: "old", NewHash: "new"})
	if err != nil {
		t.Fatal(err)
	}
	var events int
	if err := db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM platform_events WHERE actor_id = $1`, n.UserID).Scan(&events); err != nil {
		t.Fatal(err)
	}
	if events != 1 {
		t.Errorf("%d platform events, want 1", events)
	}
}

func TestAllowRate_BurstThenOneEach(t *testing.T) {
	store, _ := peopleStore(t)
	rate := models.Rate{Every: time.Hour, Burst: 3}
	for i := range 5 {
		allowed, err := store.AllowRate(t.Context(), bytes.Repeat([]byte{1}, 32), rate)
		if err != nil {
			t.Fatal(err)
		}
		if want := i < 3; allowed != want {
			t.Errorf("event %d allowed: %t, want %t", i+1, allowed, want)
		}
	}
	if allowed, err := store.AllowRate(t.Context(), []byte{2}, rate); err != nil || !allowed {
		t.Errorf("another key: %t, %v; want allowed", allowed, err)
	}
}
