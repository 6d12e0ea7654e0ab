package models

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// FactorKind is a way to prove oneself besides the password.
type FactorKind string

// The kinds of factors.
const (
	TOTP    FactorKind = "totp"    // an authenticator app
	Passkey FactorKind = "passkey" // a key that a device or a password manager holds
)

// Factor is one of a person's.
type Factor struct {
	ID         uuid.UUID
	Kind       FactorKind
	Label      string
	Secret     vault.Sealed    // TOTP only
	LastStep   int64           // TOTP only: the newest step of which a code was taken
	Handle     []byte          // Passkey only: its credential id
	Credential json.RawMessage // Passkey only: its public half
	CreatedAt  time.Time
	UsedAt     *time.Time
}

// Factors are what a person can prove themselves with.
type Factors struct {
	All          []Factor // oldest first
	RecoveryLeft int      // recovery codes not used yet
	Key          vault.WrappedKey
}

// peopleKey names the data key that people's secrets are sealed with.
const peopleKey = "people"

// PeopleKey gives the data key of people's secrets; the first call leaves a fresh one behind.
func (s *Store) PeopleKey(ctx context.Context, fresh func() (vault.WrappedKey, error)) (vault.WrappedKey, error) {
	return s.platformKey(ctx, peopleKey, fresh)
}

// Factors gives a person's factors, in one round trip.
func (s *Store) Factors(ctx context.Context, person uuid.UUID) (f Factors, err error) {
	defer explain("Factors", &err)
	err = s.app.batch(ctx, scope{person: person}, func(b *pgx.Batch) {
		b.Queue(`SELECT id, kind, label, secret_sealed, last_step, handle, credential, created_at, used_at
			FROM factors WHERE user_id = $1 ORDER BY created_at, id`, person).Query(func(rows pgx.Rows) (err error) {
			f.All, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (one Factor, err error) {
				err = row.Scan(&one.ID, &one.Kind, &one.Label, (*[]byte)(&one.Secret), &one.LastStep, &one.Handle,
					(*[]byte)(&one.Credential), &one.CreatedAt, &one.UsedAt)
				return one, err
			})
			return err
		})
		b.Queue(`SELECT count(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL`, person).
			QueryRow(func(row pgx.Row) error { return row.Scan(&f.RecoveryLeft) })
		b.Queue(`SELECT wrapped FROM platform_keys WHERE name = $1`, peopleKey).
			QueryRow(func(row pgx.Row) error { return ignoreNoRows(row.Scan((*[]byte)(&f.Key))) })
	})
	return f, err
}

// NewFactor is a factor about to be added from inside a session.
type NewFactor struct {
	Factor
	Person   uuid.UUID
	Session  uuid.UUID // stays; the person's others end, because they were begun with less
	Ticket   []byte    // hash of the token of the ticket that this ends
	Recovery [][]byte  // hashes of recovery codes, for a first factor
}

// AddFactor takes the ticket and adds the factor, or does neither. NotFound if the ticket is gone, Conflict if the passkey is
// known already.
func (s *Store) AddFactor(ctx context.Context, n NewFactor) (err error) {
	defer explain("AddFactor", &err)
	return s.app.inTx(ctx, scope{person: n.Person}, func(tx *Tx) error {
		taken, err := tx.pgx.Exec(ctx, `DELETE FROM tickets WHERE token_hash = $1 AND expires_at > now()`, n.Ticket)
		if err != nil {
			return err
		}
		if taken.RowsAffected() != 1 {
			return NotFound()
		}
		err = tx.batch(ctx, func(b *pgx.Batch) {
			b.Queue(`
				INSERT INTO factors (user_id, id, kind, label, secret_sealed, last_step, handle, credential, created_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
				n.Person, n.ID, n.Kind, n.Label, []byte(n.Secret), n.LastStep, n.Handle, jsonOrNull(n.Credential), s.now())
			if n.Recovery != nil {
				queueRecovery(b, n.Person, n.Recovery, s.now())
			}
			b.Queue(`DELETE FROM sessions WHERE user_id = $1 AND id <> $2`, n.Person, n.Session)
		})
		if err != nil {
			return err
		}
		return tx.eventEverywhere(ctx, n.Person, "person.factor_added", s.now())
	})
}

func jsonOrNull(text json.RawMessage) any {
	if text == nil {
		return nil
	}
	return []byte(text)
}

func queueRecovery(b *pgx.Batch, person uuid.UUID, hashes [][]byte, now time.Time) {
	b.Queue(`DELETE FROM recovery_codes WHERE user_id = $1`, person)
	b.Queue(`INSERT INTO recovery_codes (user_id, code_hash, created_at) SELECT $1, unnest($2::bytea[]), $3`, person, hashes, now)
}

// RemoveFactor removes one of a person's factors, with the recovery codes if it was the last. NotFound if it is not theirs.
func (s *Store) RemoveFactor(ctx context.Context, person, id uuid.UUID) (err error) {
	defer explain("RemoveFactor", &err)
	return s.app.inTx(ctx, scope{person: person}, func(tx *Tx) error {
		done, err := tx.pgx.Exec(ctx, `DELETE FROM factors WHERE user_id = $1 AND id = $2`, person, id)
		if err != nil {
			return err
		}
		if done.RowsAffected() != 1 {
			return NotFound()
		}
		_, err = tx.pgx.Exec(ctx, `DELETE FROM recovery_codes WHERE user_id = $1
			AND NOT EXISTS (SELECT FROM factors f WHERE f.user_id = $1)`, person)
		if err != nil {
			return err
		}
		return tx.eventEverywhere(ctx, person, "person.factor_removed", s.now())
	})
}

// ReplaceRecovery voids a person's recovery codes and gives new ones.
func (s *Store) ReplaceRecovery(ctx context.Context, person uuid.UUID, hashes [][]byte) (err error) {
	defer explain("ReplaceRecovery", &err)
	return s.app.inTx(ctx, scope{person: person}, func(tx *Tx) error {
		if err := tx.batch(ctx, func(b *pgx.Batch) { queueRecovery(b, person, hashes, s.now()) }); err != nil {
			return err
		}
		return tx.eventEverywhere(ctx, person, "person.recovery_renewed", s.now())
	})
}

// UseTOTP notes that a step's code was taken; false if that one or a later one was taken before.
func (s *Store) UseTOTP(ctx context.Context, person, id uuid.UUID, step int64) (bool, error) {
	return s.used(ctx, "UseTOTP", person, `UPDATE factors SET last_step = $3, used_at = $4
		WHERE user_id = $1 AND id = $2 AND kind = 'totp' AND last_step < $3`, person, id, step, s.now())
}

// UsePasskey keeps what a passkey has become by being used; false if it was removed meanwhile.
func (s *Store) UsePasskey(ctx context.Context, person, id uuid.UUID, credential json.RawMessage) (bool, error) {
	return s.used(ctx, "UsePasskey", person, `UPDATE factors SET credential = $3, used_at = $4
		WHERE user_id = $1 AND id = $2 AND kind = 'passkey'`, person, id, []byte(credential), s.now())
}

// UseRecovery spends a recovery code; false if there is none such, or no longer.
func (s *Store) UseRecovery(ctx context.Context, person uuid.UUID, hash []byte) (bool, error) {
	return s.used(ctx, "UseRecovery", person, `UPDATE recovery_codes SET used_at = $3
		WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL`, person, hash, s.now())
}

func (s *Store) used(ctx context.Context, op string, person uuid.UUID, sql string, args ...any) (hit bool, err error) {
	defer explain(op, &err)
	err = s.app.batch(ctx, scope{person: person}, func(b *pgx.Batch) {
		b.Queue(`WITH hit AS (`+sql+` RETURNING 1) SELECT count(*) = 1 FROM hit`, args...).
			QueryRow(func(row pgx.Row) error { return row.Scan(&hit) })
	})
	return hit, err
}

// ProveSession notes that the session's person has just proved who they are, and gives the session a new token. NotFound if
// the session has ended.
func (s *Store) ProveSession(ctx context.Context, person, session uuid.UUID, tokenHash []byte) (err error) {
	defer explain("ProveSession", &err)
	var hit bool
	hit, err = s.used(ctx, "ProveSession", person, `UPDATE sessions SET proved_at = now(), token_hash = $3 WHERE user_id = $1 AND id = $2`,
		person, session, tokenHash)
	if err == nil && !hit {
		return NotFound()
	}
	return err
}

// PersonByPasskey finds whose passkey it is, with what signing in needs. NotFound if nobody's.
func (s *Store) PersonByPasskey(ctx context.Context, handle []byte) (p SignInPerson, err error) {
	defer explain("PersonByPasskey", &err)
	b := &pgx.Batch{}
	b.Queue(`SELECT set_config('app.user_id', coalesce(person_by_passkey($1)::text, ''), true)`, handle)
	b.Queue(`SELECT ` + signInColumns + ` FROM users u WHERE u.id = (SELECT current_person())`).
		QueryRow(func(row pgx.Row) error { return row.Scan(p.fields()...) })
	err = s.app.pool.SendBatch(ctx, b).Close()
	return p, err
}
