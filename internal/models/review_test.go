package models_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/database/dbtest"
	"mooring/internal/errs"
	"mooring/internal/models"
)

// reviewer is a member of the staff, by the owner's hand.
func reviewer(t *testing.T, db dbtest.DB) models.Actor {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	_, err := db.Owner.Exec(t.Context(), `INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at) VALUES ($1::uuid, 'staff', $1::uuid::text || '@staff', '', now(), now())`, id)
	if err == nil {
		_, err = db.Owner.Exec(t.Context(), `INSERT INTO platform_admins (user_id, created_at) VALUES ($1, now())`, id)
	}
	if err != nil {
		t.Fatal(err)
	}
	return models.Actor{Kind: models.Staff, ID: id}
}

// TestReview_EveryStateByEveryAct walks the whole matrix. The table here is written from the issue, not from the migration.
func TestReview_EveryStateByEveryAct(t *testing.T) {
	t.Parallel()
	e, db := newEstate(t)
	staff := e.store.Platform(reviewer(t, db))
	merchant := e.store.ForTenant(e.tenant, models.Actor{Kind: models.Person, ID: e.user})
	states := []string{"linked", "in_review", "needs_more", "approved", "rejected"}
	legal := map[string]string{
		"linked start": "in_review", "in_review approve": "approved", "in_review more": "needs_more", "in_review reject": "rejected",
		"needs_more reject": "rejected", "needs_more reopen": "in_review", "approved reopen": "in_review", "rejected reopen": "in_review",
		"needs_more resubmit": "in_review",
	}
	for _, state := range states {
		for _, act := range []string{"start", "approve", "more", "reject", "reopen", "resubmit"} {
			_, err := db.Owner.Exec(t.Context(), `INSERT INTO reviews (tenant_id, state, since, linked_at) VALUES ($1, $2, now(), now())
				ON CONFLICT (tenant_id) DO UPDATE SET state = excluded.state, version = 1, reason = ''`, e.tenant, state)
			if err != nil {
				t.Fatal(err)
			}
			before := reviewMarks(t, db, e.tenant)
			if act == "resubmit" {
				err = merchant.Resubmit(t.Context())
			} else {
				err = staff.MoveReview(t.Context(), models.ReviewStep{Tenant: e.tenant, Act: models.ReviewAct(act), Version: 1, Reason: "unclear"})
			}
			after := reviewMarks(t, db, e.tenant)
			want, ok := legal[state+" "+act]
			switch {
			case ok && (err != nil || after.state != want || after.events != before.events+1 || after.version != 2):
				t.Errorf("%s by %s: %+v, %v; want %s with one event", state, act, after, err, want)
			case !ok && (errs.CodeOf(err) != errs.Conflict || after != before):
				t.Errorf("%s by %s: %+v, %v; want a conflict and nothing changed", state, act, after, err)
			}
		}
	}
}

type marks struct {
	state, reason   string
	version, events int
}

func reviewMarks(t *testing.T, db dbtest.DB, tenant uuid.UUID) (m marks) {
	t.Helper()
	err := db.Owner.QueryRow(t.Context(), `SELECT state, reason, version, (SELECT count(*) FROM events e WHERE e.tenant_id = r.tenant_id)
		FROM reviews r WHERE tenant_id = $1`, tenant).Scan(&m.state, &m.reason, &m.version, &m.events)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestReview_ADecisionHoldsForWhatWasSeen(t *testing.T) {
	t.Parallel()
	e, db := newEstate(t)
	actor := reviewer(t, db)
	staff := e.store.Platform(actor)
	if _, err := db.Owner.Exec(t.Context(), `INSERT INTO reviews (tenant_id, state, since, linked_at) VALUES ($1, 'in_review', now(), now())`, e.tenant); err != nil {
		t.Fatal(err)
	}
	step := models.ReviewStep{Tenant: e.tenant, Act: models.ReviewApprove, Version: 7}
	if err := staff.MoveReview(t.Context(), step); errs.CodeOf(err) != errs.Conflict {
		t.Errorf("deciding on another version: %v", err)
	}
	step.Version = 1
	_, err := db.Owner.Exec(t.Context(), `ALTER TABLE memberships DROP CONSTRAINT memberships_user_kind_check`) // past the wall of the schema
	if err == nil {
		_, err = db.Owner.Exec(t.Context(), `INSERT INTO memberships (tenant_id, user_id, user_kind, role, created_at) VALUES ($1, $2, 'staff', 'owner', now())`, e.tenant, actor.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := staff.MoveReview(t.Context(), step); errs.CodeOf(err) != errs.Conflict {
		t.Errorf("reviewing one's own tenant: %v", err)
	}
	if m := reviewMarks(t, db, e.tenant); m.state != "in_review" {
		t.Errorf("it is %s", m.state)
	}
	if err := e.store.Platform(reviewer(t, db)).MoveReview(t.Context(), step); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

// TestReview_TheLastDeedGivesItBack lets two deeds that are asked for end at the same time.
func TestReview_TheLastDeedGivesItBack(t *testing.T) {
	t.Parallel()
	e, db := newEstate(t)
	staff := e.store.Platform(reviewer(t, db))
	other := uuid.Must(uuid.NewV7())
	for _, sql := range []string{
		`INSERT INTO reviews (tenant_id, state, since, linked_at) VALUES ($1, 'in_review', now(), now())`,
		`INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at)
			VALUES ($1, '` + other.String() + `', 'fake', 'test', 'other', '2•••5', '\x01', 'connected', now(), 1, now())`,
	} {
		if _, err := db.Owner.Exec(t.Context(), sql, e.tenant); err != nil {
			t.Fatal(err)
		}
	}
	until := time.Now().AddDate(0, 0, 7)
	err := staff.MoveReview(t.Context(), models.ReviewStep{
		Tenant: e.tenant, Act: models.ReviewMore, Version: 1, Reason: "data_old", Deadline: &until, Items: []models.ReviewItem{
			{Kind: models.ItemRefresh, Provider: "fake", Connection: &e.connection}, {Kind: models.ItemRefresh, Provider: "fake", Connection: &other},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	for _, id := range []uuid.UUID{e.connection, other} {
		go func() {
			st := e.store.ForTenant(e.tenant, models.Actor{Kind: models.System})
			ended <- st.EndSync(t.Context(), id, models.SyncResult{State: models.Connected, Complete: true})
		}()
	}
	for range 2 {
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	var told int
	err = db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM events WHERE tenant_id = $1 AND kind = 'review.resubmitted'`, e.tenant).Scan(&told)
	if m := reviewMarks(t, db, e.tenant); err != nil || m.state != "in_review" || told != 1 {
		t.Errorf("it is %s, told %d times, %v", m.state, told, err)
	}
}
