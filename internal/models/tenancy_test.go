package models_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/database/dbtest"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/vault"
)

// estate is one tenant with a row in every table, and a stranger with a tenant of their own.
type estate struct {
	tenant, user, session, connection, attempt, parked, callback, news, address, notice uuid.UUID
	gone, kept, undoable, revocation                                                    uuid.UUID // disconnected: to be erased, kept, to be erased later
	invitation                                                                          uuid.UUID
	stranger                                                                            *models.TenantStore
	strangerUser                                                                        uuid.UUID
	store                                                                               *models.Store
}

func newEstate(t *testing.T) (e estate, db dbtest.DB) {
	t.Helper()
	db = dbtest.New(t)
	store, err := models.NewStore(models.Options{App: db.App, Platform: db.Platform, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.Owner.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	people := func() (tenant, user uuid.UUID) {
		tenant, user = uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
		exec(`INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at) VALUES ($1::uuid, 'merchant', $1::uuid::text || '@example.com', '', now(), now())`, user)
		exec(`INSERT INTO tenants (id, name, created_at) VALUES ($1, 'Pier', now())`, tenant)
		exec(`INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ($1, $2, 'owner', now())`, tenant, user)
		exec(`INSERT INTO tenant_keys (tenant_id, wrapped, created_at) VALUES ($1, '\x01', now())`, tenant)
		return tenant, user
	}
	e.tenant, e.user = people()
	e.session, e.connection, e.attempt, e.parked = uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	exec(`INSERT INTO sessions (id, token_hash, user_id, tenant_id, created_at, seen_at, expires_at) VALUES ($1, 'h', $2, $3, now(), now(), now() + interval '1 day')`, e.session, e.user, e.tenant)
	exec(`INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at)
		VALUES ($1, $2, 'fake', 'test', 'account', '1•••5', '\x01', 'connected', now(), 1, now())`, e.tenant, e.connection)
	exec(`INSERT INTO credentials (tenant_id, connection_id, version, sealed, expires_at, updated_at) VALUES ($1, $2, 1, '\x01', now() + interval '5 days', now())`, e.tenant, e.connection)
	exec(`INSERT INTO snapshots (tenant_id, connection_id, block, version, data_sealed, raw_sealed, content_hash, source_zone, partial, changed_at, fetched_at)
		VALUES ($1, $2, 'merchant', 1, '\x0100000007', '\x01', '\x01', '', false, now(), now())`, e.tenant, e.connection)
	exec(`INSERT INTO key_turns (tenant_id, from_key, to_key, begun_at, due_at) VALUES ($1, 7, 8, now(), now())`, e.tenant)
	exec(`INSERT INTO events (tenant_id, id, connection_id, actor_kind, kind, created_at) VALUES ($1, $2, $3, 'system', 'connection.synced', now())`, e.tenant, uuid.Must(uuid.NewV7()), e.connection)
	exec(`INSERT INTO account_claims VALUES ('fake', 'test', 'account', $1, $2, now())`, e.tenant, e.connection)
	for id, status := range map[uuid.UUID]string{e.attempt: "pending", e.parked: "returned"} {
		exec(`INSERT INTO attempts (tenant_id, id, user_id, session_id, provider, environment, state_hash, browser_hash, verifier_sealed, status, created_at, expires_at)
			VALUES ($1, $2, $3, $4, 'fake', 'test', $5, 'browser', '\x01', $6, now(), now() + interval '1 hour')`, e.tenant, id, e.user, e.session, []byte(status), status)
	}
	e.callback = uuid.Must(uuid.NewV7())
	exec(`INSERT INTO inbox (tenant_id, id, attempt_id, provider, serial, verified, content_hash, body_sealed, credential_sealed, received_at)
		VALUES ($1, $2, $3, 'fake', 's', true, '\x01', '\x01', '\x01', now())`, e.tenant, e.callback, e.parked)
	e.news, e.address = uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	exec(`INSERT INTO inbox (tenant_id, id, connection_id, provider, serial, verified, content_hash, body_sealed, received_at)
		VALUES ($1, $2, $3, 'fake', 'n', false, '\x01', '\x01', now())`, e.tenant, e.news, e.connection)
	a := newAddress()
	exec(`INSERT INTO callback_addresses (tenant_id, id, connection_id, token_hash, token_sealed, created_at, ends_at)
		VALUES ($1, $2, $3, $4, $5, now(), now() + interval '1 hour'), ($1, gen_random_uuid(), $3, 'current', $5, now(), NULL)`,
		e.tenant, e.address, e.connection, a.TokenHash, []byte(a.Token))
	e.gone, e.kept, e.undoable, e.revocation = uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	for id, erase := range map[uuid.UUID]any{e.gone: "-1 day", e.kept: nil, e.undoable: "1 day"} {
		exec(`INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at, erase_at)
			VALUES ($1, $2, 'fake', 'test', $3, '1•••5', '\x01', 'disconnected', now(), 1, now(), now() + $4::text::interval)`, e.tenant, id, id[:], erase)
	}
	exec(`INSERT INTO revocations (tenant_id, id, connection_id, provider, state, sealed, next_at, until_at, created_at)
		VALUES ($1, $2, $3, 'fake', 'waiting', '\x01', now(), now(), now())`, e.tenant, e.revocation, e.gone)
	e.notice = uuid.Must(uuid.NewV7()) // of an event and a letter of the same id
	exec(`INSERT INTO events (tenant_id, id, connection_id, actor_kind, kind, created_at) VALUES ($1, $2, $3, 'system', 'connection.needs_you', now())`, e.tenant, e.notice, e.connection)
	exec(`INSERT INTO notices (tenant_id, user_id, id, event_id, connection_id, kind, created_at) VALUES ($1, $2, $3, $3, $4, 'connection.needs_you', now())`,
		e.tenant, e.user, e.notice, e.connection)
	exec(`INSERT INTO notice_letters (tenant_id, user_id, id, event_id, connection_id, kind, key, due_at) VALUES ($1, $2, $3, $3, $4, 'connection.needs_you', 'k', now())`,
		e.tenant, e.user, e.notice, e.connection)
	exec(`INSERT INTO notice_choices (tenant_id, user_id, kind, mail) VALUES ($1, $2, 'connection.needs_you', true)`, e.tenant, e.user)
	e.invitation = uuid.Must(uuid.NewV7())
	exec(`INSERT INTO invitations (tenant_id, id, email, role, provider, joins, language, invited_by, life, created_at, expires_at)
		VALUES ($1, $2, 'guest@example.com', 'viewer', 'fake', true, 'en', $3, '7 days', now(), now() + interval '7 days')`, e.tenant, e.invitation, e.user)
	strangerTenant, strangerUser := people()
	e.strangerUser = strangerUser
	exec(`INSERT INTO endpoints (id, url, kinds, created_at) VALUES ($1, 'https://hooks.example', '{connection.synced}', now())`, e.tenant)
	exec(`INSERT INTO endpoint_secrets (endpoint_id, version, sealed, created_at) VALUES ($1, 1, '\x01', now())`, e.tenant)
	exec(`INSERT INTO platform_keys (name, wrapped, created_at) VALUES ('outgoing', '\x01', now())`)
	e.store = store
	e.stranger = store.ForTenant(strangerTenant, models.Actor{Kind: models.Person, ID: strangerUser})
	return e, db
}

// deliveryOf leaves a delivery of one of the estate's events behind.
func deliveryOf(ctx context.Context, e estate) (delivery, event uuid.UUID, err error) {
	owner := e.store.ForTenant(e.tenant, models.Actor{Kind: models.System})
	events, err := owner.Events(ctx, uuid.Nil, 1)
	if err != nil {
		return delivery, event, err
	}
	a, err := owner.Announcement(ctx, events[0].ID)
	if err != nil {
		return delivery, event, err
	}
	err = owner.QueueDeliveries(ctx, a, "{}", func(id uuid.UUID) models.Statement {
		delivery = id
		return models.Statement{SQL: "SELECT 1"}
	})
	return delivery, a.ID, err
}

// asStranger calls each exported method of TenantStore with another tenant's ids. It gives an error when the stranger
// was given, or changed, anything that is not theirs. What a method cannot reach at all, because it takes no id, is
// checked by what it gives.
var asStranger = map[string]func(ctx context.Context, e estate) (leaked bool, err error){
	"Announcement": func(ctx context.Context, e estate) (bool, error) {
		_, event, err := deliveryOf(ctx, e)
		if err != nil {
			return true, err
		}
		a, err := e.stranger.Announcement(ctx, event)
		return a.Tenant != "", err
	},
	"AddRevocation": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.AddRevocation(ctx, models.Connection{ID: e.gone, Provider: "fake"}, newRevocation())
	},
	"Answer": func(ctx context.Context, e estate) (leaked bool, err error) {
		err = e.stranger.Answer(ctx, e.connection, oauth.BlockMerchant, func(models.Sight) (models.NewEvent, error) {
			leaked = true
			return models.NewEvent{Kind: "connection.raw_viewed"}, nil
		})
		return leaked, err
	},
	"Attempt": func(ctx context.Context, e estate) (bool, error) {
		_, err := e.stranger.Attempt(ctx, e.attempt, e.user)
		return false, err
	},
	"Balances": func(ctx context.Context, e estate) (bool, error) {
		page, err := e.stranger.Balances(ctx, e.connection, 10)
		return page.Account != nil || len(page.Versions) > 0, err
	},
	"BeginSync": func(ctx context.Context, e estate) (bool, error) {
		w, err := e.stranger.BeginSync(ctx, e.connection, map[string]int{"fake": 1})
		return w.Credential.Sealed != nil, err
	},
	"Callback": func(ctx context.Context, e estate) (bool, error) {
		c, err := e.stranger.Callback(ctx, e.callback)
		return c.Credential != nil || c.Attempt != nil, err
	},
	"ChooseNotices": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.ChooseNotices(ctx, map[string]bool{"connection.needs_you": false})
	},
	"Close": func(ctx context.Context, e estate) (bool, error) {
		letters := 0
		err := e.stranger.Close(ctx, time.Now(), 1, models.NewEvent{Kind: "x"}, func(*models.Tx, uuid.UUID) error { letters++; return nil })
		return letters != 1, err // the stranger's own
	},
	"Closing": func(ctx context.Context, e estate) (bool, error) {
		_, err := e.stranger.Closing(ctx)
		return false, err
	},
	"Destroy": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.Destroy(ctx, 1, nil, map[uuid.UUID]vault.Sealed{e.revocation: {2}}, models.NewEvent{Kind: "x"})
	},
	"BeginKeyTurn": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.BeginKeyTurn(ctx, vault.WrappedKey{9}, vault.WrappedKey{2}, models.KeyTurn{From: 7, To: 8}, time.Now(), "x")
	},
	"KeyTurn": func(ctx context.Context, e estate) (bool, error) {
		turn, _, err := e.stranger.KeyTurn(ctx)
		return turn.From == 7, err
	},
	"SealAnew": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.SealAnew(ctx, vault.WrappedKey{1}, vault.WrappedKey{2})
	},
	"Reseal": func(ctx context.Context, e estate) (bool, error) {
		r, err := e.stranger.Reseal(ctx, 7, models.Resealing{}, 9, time.Now(), func(vault.Place, vault.Sealed) (vault.Sealed, error) {
			return vault.Sealed{2}, nil
		})
		return r.Seen > 0, err
	},
	"RestKeyTurn": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.RestKeyTurn(ctx, true, 9, time.Now())
	},
	"EndKeyTurn": func(ctx context.Context, e estate) (bool, error) {
		left, err := e.stranger.EndKeyTurn(ctx, models.KeyTurn{From: 7, To: 8}, vault.WrappedKey{1}, vault.WrappedKey{2})
		return left > 0, err
	},
	"Reopen": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.Reopen(ctx, models.NewEvent{Kind: "x"})
	},
	"RestClosing": func(ctx context.Context, e estate) (bool, error) { return false, e.stranger.RestClosing(ctx) },
	"RevocationKey": func(ctx context.Context, e estate) (bool, error) {
		_, err := e.stranger.RevocationKey(ctx) // their own
		return false, err
	},
	"Standing": func(ctx context.Context, e estate) (bool, error) {
		connections, open, err := e.stranger.Standing(ctx)
		return len(connections)+len(open) > 0, err
	},
	"Connect": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.Connect(ctx, newConnection(e, uuid.Must(uuid.NewV7()), 1), models.Statement{SQL: "SELECT 1"})
	},
	"Connection": func(ctx context.Context, e estate) (bool, error) {
		_, err := e.stranger.Connection(ctx, e.connection)
		return false, err
	},
	"Connections": func(ctx context.Context, e estate) (bool, error) {
		conns, open, err := e.stranger.Connections(ctx)
		return len(conns)+len(open) > 0, err
	},
	"ConsumeAttempt": func(ctx context.Context, e estate) (bool, error) {
		_, won, err := e.stranger.ConsumeAttempt(ctx, models.Presented{
			Provider: "fake", UserID: e.user, SessionID: e.session, StateHash: []byte("pending"),
			Browsers: map[uuid.UUID][]byte{e.attempt: []byte("browser")},
		})
		return won, err
	},
	"ContradictCallback": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.ContradictCallback(ctx, e.parked, models.NewEvent{Kind: "x"})
	},
	"CountNews": func(ctx context.Context, e estate) (bool, error) { return false, e.stranger.CountNews(ctx, e.news) },
	"Credential": func(ctx context.Context, e estate) (bool, error) {
		h, err := e.stranger.Credential(ctx, e.connection)
		return h.Sealed != nil, err
	},
	"CredentialWorked": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.CredentialWorked(ctx, e.connection, 1)
	},
	"CreateAttempt": func(ctx context.Context, e estate) (bool, error) { // grafting onto another's connection
		return false, e.stranger.CreateAttempt(ctx, models.NewAttempt{
			ID: uuid.Must(uuid.NewV7()), UserID: e.strangerUser, SessionID: e.session, Provider: "fake", Environment: "test",
			ConnectionID: &e.connection, StateHash: []byte("s"), BrowserHash: []byte("b"), Verifier: vault.Sealed{1}, ExpiresAt: time.Now(),
		})
	},
	"Withdraw": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.Withdraw(ctx, models.Parting{
			Connection: models.Connection{ID: e.connection, Provider: "fake", CredentialVersion: 1}, Revocation: newRevocation(),
		})
	},
	"Disconnect": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.Disconnect(ctx, models.Parting{
			Connection: models.Connection{ID: e.connection, Provider: "fake", Environment: "test", AccountHash: []byte("account"), CredentialVersion: 1},
			Revocation: newRevocation(),
		})
	},
	"EndAddress": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.EndAddress(ctx, e.connection, models.NewEvent{Kind: "x"})
	},
	"Dispatch": func(ctx context.Context, e estate) (bool, error) {
		delivery, _, err := deliveryOf(ctx, e)
		if err != nil {
			return true, err
		}
		d, err := e.stranger.Dispatch(ctx, delivery)
		return d.Body != "" || len(d.To.Secrets) > 0, err
	},
	"EndAttempt": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.EndAttempt(ctx, e.attempt, models.Ending{Status: models.Cancelled}, models.NewEvent{Kind: "x"})
	},
	"EndRevocation": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.EndRevocation(ctx, models.Revocation{ID: e.revocation, ConnectionID: e.gone}, models.RevocationConfirmed, "", models.NewEvent{Kind: "x"})
	},
	"EndSync": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.EndSync(ctx, e.connection, models.SyncResult{State: models.Ours, Event: models.NewEvent{Kind: "x"}})
	},
	"Erase": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.Erase(ctx, e.gone, models.NewEvent{Kind: "x"})
	},
	"ExportPeople": func(ctx context.Context, e estate) (bool, error) {
		people, err := e.stranger.ExportPeople(ctx)
		return len(people) != 1, err
	},
	"ExportSnapshots": func(ctx context.Context, e estate) (bool, error) {
		list, err := e.stranger.ExportSnapshots(ctx, models.ExportQuery{Limit: 100})
		return len(list) > 0, err
	},
	"Events": func(ctx context.Context, e estate) (bool, error) {
		events, err := e.stranger.Events(ctx, uuid.Nil, 100)
		return len(events) > 0, err
	},
	"FailCallback": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.FailCallback(ctx, e.callback, "x", true, models.NewEvent{Kind: "x"})
	},
	"Expiring": func(ctx context.Context, e estate) (bool, error) {
		conns, open, err := e.stranger.Expiring(ctx)
		return len(conns)+len(open) > 0, err
	},
	"Warn": func(ctx context.Context, e estate) (bool, error) { return false, e.stranger.Warn(ctx, e.connection) },
	"FailRefresh": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.FailRefresh(ctx, held(e), models.RefreshFailure{State: models.RefreshRefused, Needs: "needs_reauth"})
	},
	"FinishLetter": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.FinishLetter(ctx, e.user, e.notice, models.LetterSent)
	},
	"History": func(ctx context.Context, e estate) (bool, error) {
		page, err := e.stranger.History(ctx, models.HistoryQuery{Connection: e.connection, Blocks: []oauth.Block{oauth.BlockMerchant}, Limit: 10})
		return page.Account != nil || len(page.Versions) > 0, err
	},
	"ChangeRole": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.ChangeRole(ctx, e.user, models.Viewer)
	},
	"Invitation": func(ctx context.Context, e estate) (bool, error) {
		i, err := e.stranger.Invitation(ctx, e.invitation)
		return i.Email != "", err
	},
	"Invite": func(ctx context.Context, e estate) (bool, error) { // beside the other tenant's open one, which stays as it is
		return false, e.stranger.Invite(ctx, models.NewInvitation{
			Email: "guest@example.com", Role: models.Viewer, Provider: "fake", Language: "en", Life: time.Hour,
		}, models.Issue{LinkID: uuid.Must(uuid.NewV7())})
	},
	"Leave":        func(ctx context.Context, e estate) (bool, error) { return false, e.stranger.Leave(ctx) },
	"RemoveMember": func(ctx context.Context, e estate) (bool, error) { return false, e.stranger.RemoveMember(ctx, e.user) },
	"RevokeInvitation": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.RevokeInvitation(ctx, e.invitation)
	},
	"SendInvitationAgain": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.SendInvitationAgain(ctx, e.invitation, models.Issue{LinkID: uuid.Must(uuid.NewV7())})
	},
	"Steps": func(ctx context.Context, e estate) (bool, error) {
		steps, err := e.stranger.Steps(ctx, "fake")
		return len(steps) > 0, err
	},
	"Team": func(ctx context.Context, e estate) (bool, error) {
		people, invitations, err := e.stranger.Team(ctx)
		return len(people) != 1 || len(invitations) > 0, err
	},
	"Key": func(ctx context.Context, e estate) (bool, error) {
		_, err := e.stranger.Key(ctx)
		return false, err // the stranger's own key
	},
	"LeaseCredential": func(ctx context.Context, e estate) (bool, error) {
		_, err := e.stranger.LeaseCredential(ctx, held(e), time.Now().Add(time.Minute), true)
		return false, err
	},
	"Leaving": func(ctx context.Context, e estate) (bool, error) {
		_, sealed, err := e.stranger.Leaving(ctx, e.connection)
		return sealed != nil, err
	},
	"Listeners": func(ctx context.Context, e estate) (bool, error) {
		_, members, err := e.stranger.Listeners(ctx, e.notice)
		return len(members) > 0, err
	},
	"Looking": func(ctx context.Context, e estate) (bool, error) {
		looking := e.stranger.Looking()
		if err := looking.Record(ctx, models.NewEvent{Kind: "x"}); err == nil {
			return true, errors.New("who only looks has written")
		}
		_, err := looking.Connection(ctx, e.connection)
		return looking == e.stranger, err
	},
	"NoticeChoices": func(ctx context.Context, e estate) (bool, error) {
		choices, err := e.stranger.NoticeChoices(ctx)
		return len(choices) > 0, err
	},
	"NoticeLetter": func(ctx context.Context, e estate) (bool, error) {
		l, err := e.stranger.NoticeLetter(ctx, e.user, e.notice, "")
		return l.Email != "", err
	},
	"Notices": func(ctx context.Context, e estate) (bool, error) {
		list, err := e.stranger.Notices(ctx, models.NoticePlace{}, 100)
		return len(list) > 0, err
	},
	"Notify": func(ctx context.Context, e estate) (bool, error) {
		event := models.Event{ID: e.notice, ConnectionID: &e.connection, Kind: "connection.changed", Detail: map[string]any{}, CreatedAt: time.Now()}
		return false, e.stranger.Notify(ctx, event, []models.Notice{{User: e.user, Mail: true, Spacing: models.Spaced}},
			func(uuid.UUID, uuid.UUID) models.Statement { return models.Statement{SQL: "SELECT 1"} })
	},
	"Outline": func(ctx context.Context, e estate) (bool, error) {
		_, account, err := e.stranger.Outline(ctx, e.connection)
		return account != nil, err
	},
	"LeaveSync": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.LeaveSync(ctx, e.connection, time.Now())
	},
	"Overview": func(ctx context.Context, e estate) (bool, error) {
		o, err := e.stranger.Overview(ctx)
		return len(o.Links)+len(o.Snapshots)+len(o.Open) > 0 || o.Review.Begun(), err
	},
	"ParkAttempt": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.ParkAttempt(ctx, e.attempt, vault.Sealed{1}, "", models.NewEvent{Kind: "x"})
	},
	"ReadNotice": func(ctx context.Context, e estate) (bool, error) {
		_, err := e.stranger.ReadNotice(ctx, e.notice)
		return false, err
	},
	"ReadNotices": func(ctx context.Context, e estate) (bool, error) { return false, e.stranger.ReadNotices(ctx) },
	"RecoverPrevious": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.RecoverPrevious(ctx, held(e), time.Now())
	},
	"Resubmit": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.Resubmit(ctx)
	},
	"ScheduleRefresh": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.ScheduleRefresh(ctx, held(e), time.Now())
	},
	"PauseSync": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.PauseSync(ctx, e.connection)
	},
	"ResumeSync": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.ResumeSync(ctx, e.connection)
	},
	"QueueDeliveries": func(ctx context.Context, e estate) (bool, error) {
		_, event, err := deliveryOf(ctx, e)
		if err != nil {
			return true, err
		}
		a := models.Announcement{Event: models.Event{ID: event, Kind: "connection.synced"}}
		return false, e.stranger.QueueDeliveries(ctx, a, "{}", func(uuid.UUID) models.Statement { return models.Statement{SQL: "SELECT 1"} })
	},
	"PlanErasure": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.PlanErasure(ctx, e.kept, time.Now(), models.NewEvent{Kind: "x"})
	},
	"PutOffRevocation": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.PutOffRevocation(ctx, models.Revocation{ID: e.revocation, ConnectionID: e.gone}, "upstream", time.Now())
	},
	"QueueSync": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.QueueSync(ctx, e.connection, func(string) models.Statement { return models.Statement{SQL: "SELECT 1"} })
	},
	"Label": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.Label(ctx, e.connection, "theirs")
	},
	"Reveal": func(ctx context.Context, e estate) (leaked bool, err error) {
		err = e.stranger.Reveal(ctx, e.connection, oauth.BlockMerchant, func(models.Sight) (models.NewEvent, error) {
			leaked = true
			return models.NewEvent{Kind: "connection.revealed"}, nil
		})
		return leaked, err
	},
	"Reconnect": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.Reconnect(ctx, newConnection(e, e.connection, 2), models.Statement{SQL: "SELECT 1"})
	},
	"Record": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.Record(ctx, models.NewEvent{Kind: "x", Connection: e.connection})
	},
	"RenewAddress": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.RenewAddress(ctx, e.connection, e.address, newAddress(), time.Hour, models.NewEvent{Kind: "x"})
	},
	"Revocation": func(ctx context.Context, e estate) (bool, error) {
		_, sealed, err := e.stranger.Revocation(ctx, e.revocation)
		return sealed != nil, err
	},
	"SaveLink": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.SaveLink(ctx, e.attempt, "s", vault.Sealed{1}, vault.Sealed{1})
	},
	"SaveRefreshed": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.SaveRefreshed(ctx, held(e), models.Renewed{Sealed: vault.Sealed{2}})
	},
	"SaveSnapshot": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.SaveSnapshot(ctx, models.NewSnapshot{Connection: e.connection, Block: "merchant", Version: 2})
	},
	"SaveTry": func(ctx context.Context, e estate) (bool, error) {
		delivery, _, err := deliveryOf(ctx, e)
		if err != nil {
			return true, err
		}
		d := models.Dispatch{Delivery: models.Delivery{ID: delivery}, To: models.Target{Endpoint: models.Endpoint{ID: e.tenant}}}
		return false, e.stranger.SaveTry(ctx, d, models.Tried{State: models.Delivered, Gone: true})
	},
	"StoreCallback": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.StoreCallback(ctx, models.NewCallback{
			ID: uuid.Must(uuid.NewV7()), Attempt: e.attempt, Provider: "fake", Serial: "t", ContentHash: []byte("h"), Body: vault.Sealed{1},
		}, models.Statement{SQL: "SELECT 1"})
	},
	"StoreNews": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.StoreNews(ctx, models.NewNews{
			ID: uuid.Must(uuid.NewV7()), Connection: e.connection, Provider: "fake", ContentHash: []byte("h"), Body: vault.Sealed{1},
		}, models.Statement{SQL: "SELECT 1"})
	},
	"TakeNews": func(ctx context.Context, e estate) (bool, error) {
		_, err := e.stranger.TakeNews(ctx, e.news, time.Minute, func(uuid.UUID, string) models.Statement { return models.Statement{SQL: "SELECT 1"} })
		return false, err
	},
	"TakeReturned": func(ctx context.Context, e estate) (bool, error) {
		_, sealed, err := e.stranger.TakeReturned(ctx, e.parked, e.user, e.session)
		return sealed != nil, err
	},
	"Tenant": func(_ context.Context, e estate) (bool, error) { return e.stranger.Tenant() == e.tenant, nil },
	"TouchSnapshot": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.TouchSnapshot(ctx, models.Snapshot{ConnectionID: e.connection, Block: "merchant", Version: 1}, time.Now())
	},
	"UndoErasure": func(ctx context.Context, e estate) (bool, error) {
		return false, e.stranger.UndoErasure(ctx, e.undoable, models.NewEvent{Kind: "x"})
	},
	"WithKey": func(_ context.Context, e estate) (bool, error) { return e.stranger.WithKey(nil) != e.stranger, nil },
}

// mustFail are the methods that name a row: for a stranger's they give an error, never silence.
var mustFail = map[string]errs.Code{
	"BeginKeyTurn": errs.Conflict, "KeyTurn": errs.NotFound, "SealAnew": errs.Conflict, "Reseal": errs.NotFound, "EndKeyTurn": errs.Conflict,
	"ChangeRole": errs.NotFound, "Invitation": errs.NotFound, "Leave": errs.Conflict,
	"RemoveMember": errs.NotFound, "RevokeInvitation": errs.NotFound, "SendInvitationAgain": errs.NotFound,
	"Balances": errs.NotFound, "History": errs.NotFound, "Answer": errs.NotFound, "Reveal": errs.NotFound, "Label": errs.NotFound, "Looking": errs.NotFound,
	"Announcement": errs.NotFound, "Dispatch": errs.NotFound, "QueueDeliveries": "", "SaveTry": errs.Conflict,
	"Listeners": errs.NotFound, "NoticeLetter": errs.NotFound, "Notify": "", "ReadNotice": errs.NotFound,
	"Attempt": errs.NotFound, "BeginSync": errs.Conflict, "Callback": errs.NotFound, "ContradictCallback": errs.Conflict,
	"SaveLink": errs.Conflict, "StoreCallback": "", "CountNews": errs.Conflict, "EndAddress": errs.Conflict, "FailCallback": errs.Conflict,
	"RenewAddress": errs.Conflict, "StoreNews": errs.Conflict, "TakeNews": errs.NotFound, "Connect": "", "Connection": errs.NotFound, "ConsumeAttempt": errs.NotFound,
	"CreateAttempt": errs.NotFound, "Closing": errs.NotFound, "Destroy": errs.Conflict, "Reopen": errs.Conflict, "Disconnect": errs.Conflict, "Withdraw": errs.Conflict, "EndRevocation": errs.Conflict, "Erase": errs.Conflict, "Leaving": errs.NotFound,
	"PlanErasure": errs.Conflict, "PutOffRevocation": errs.Conflict, "Revocation": errs.NotFound, "UndoErasure": errs.Conflict,
	"EndAttempt": errs.Conflict, "ParkAttempt": errs.Conflict, "Outline": errs.NotFound, "PauseSync": errs.NotFound, "ResumeSync": errs.NotFound, "QueueSync": errs.NotFound, "Reconnect": "", "Resubmit": errs.Conflict,
	"SaveRefreshed": errs.Conflict, "Credential": errs.NotFound, "FailRefresh": errs.Conflict, "LeaseCredential": errs.Conflict,
	"RecoverPrevious": errs.Conflict, "SaveSnapshot": "", "TakeReturned": errs.NotFound,
}

func TestEveryTenantStoreMethodKeepsStrangersOut(t *testing.T) {
	t.Parallel()
	methods := reflect.TypeFor[*models.TenantStore]()
	for i := range methods.NumMethod() {
		if name := methods.Method(i).Name; asStranger[name] == nil {
			t.Errorf("TenantStore.%s is not called as a stranger: add it to the list", name)
		}
	}
	for name, call := range asStranger {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, db := newEstate(t)
			if _, err := db.Owner.Exec(t.Context(), `
				INSERT INTO closings (tenant_id, closed_at, closed_by, destroy_at, due_at, connections, master_version, audit_seq, audit_hash)
				VALUES ($1, now(), $2, now() + interval '1 day', now(), 1, 1, 1, '\x01')`, e.tenant, e.user); err != nil {
				t.Fatal(err)
			}
			before := fingerprint(t, db, e.tenant)
			leaked, err := call(t.Context(), e)
			if leaked {
				t.Error("the stranger was given what is not theirs")
			}
			want, refuses := mustFail[name]
			switch {
			case refuses && err == nil:
				t.Error("no error for another tenant's row")
			case refuses && want != "" && errs.CodeOf(err) != want:
				t.Errorf("error = %v, want code %q", err, want)
			case !refuses && err != nil:
				t.Errorf("error = %v", err)
			}
			if after := fingerprint(t, db, e.tenant); after != before {
				t.Error("the stranger changed another tenant's rows")
			}
		})
	}
}

// fingerprint hashes every row of the tenant in every tenant table.
func fingerprint(t *testing.T, db dbtest.DB, tenant uuid.UUID) (sum string) {
	t.Helper()
	err := db.Owner.QueryRow(t.Context(), `
		SELECT md5(string_agg(line, E'\n' ORDER BY line)) FROM (
		    SELECT 'connections ' || c::text AS line FROM connections c WHERE tenant_id = $1
		    UNION ALL SELECT 'credentials ' || c::text FROM credentials c WHERE tenant_id = $1
		    UNION ALL SELECT 'snapshots ' || s::text FROM snapshots s WHERE tenant_id = $1
		    UNION ALL SELECT 'attempts ' || a::text FROM attempts a WHERE tenant_id = $1
		    UNION ALL SELECT 'events ' || e::text FROM events e WHERE tenant_id = $1
		    UNION ALL SELECT 'keys ' || k::text FROM tenant_keys k WHERE tenant_id = $1
		    UNION ALL SELECT 'inbox ' || i::text FROM inbox i WHERE tenant_id = $1
		    UNION ALL SELECT 'addresses ' || a::text FROM callback_addresses a WHERE tenant_id = $1
		    UNION ALL SELECT 'endpoints ' || e::text FROM endpoints e
		    UNION ALL SELECT 'revocations ' || r::text FROM revocations r WHERE tenant_id = $1
		    UNION ALL SELECT 'notices ' || n::text FROM notices n WHERE tenant_id = $1
		    UNION ALL SELECT 'letters ' || l::text FROM notice_letters l WHERE tenant_id = $1
		    UNION ALL SELECT 'choices ' || c::text FROM notice_choices c WHERE tenant_id = $1
		    UNION ALL SELECT 'turns ' || k::text FROM key_turns k WHERE tenant_id = $1
		    UNION ALL SELECT 'closing ' || x::text FROM closings x WHERE tenant_id = $1
		    UNION ALL SELECT 'sessions ' || s.id FROM sessions s WHERE tenant_id = $1
		    UNION ALL SELECT 'members ' || m::text FROM memberships m WHERE tenant_id = $1
		    UNION ALL SELECT 'claims ' || a::text FROM account_claims a WHERE holder_tenant = $1) AS lines`, tenant).Scan(&sum)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func held(e estate) models.Held {
	return models.Held{Connection: models.Connection{ID: e.connection, CredentialVersion: 1}}
}

func newConnection(e estate, id uuid.UUID, version int64) models.NewConnection {
	return models.NewConnection{
		ID: id, Version: version, Attempt: e.attempt, Provider: "fake", Environment: "test", AccountHash: []byte("account"),
		Masked: "1•••5", Account: vault.Sealed{1}, Credential: vault.Sealed{1},
	}
}

func newAddress() models.Address {
	return models.Address{ID: uuid.Must(uuid.NewV7()), TokenHash: []byte("address"), Token: vault.Sealed{1}}
}

func newRevocation() models.NewRevocation {
	return models.NewRevocation{ID: uuid.Must(uuid.NewV7()), State: models.RevocationWaiting, Sealed: vault.Sealed{1}, Until: time.Now()}
}
