package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// NoticeRow is a notice in its reader's list.
type NoticeRow struct {
	ID         uuid.UUID
	Connection *uuid.UUID // nil: it is about the whole business
	Label      string     // what the tenant calls the connection's account
	Kind       string
	Detail     map[string]any // placeholders of the sentence
	CreatedAt  time.Time
	ReadAt     *time.Time
}

// Notices gives what the actor was told: all unread ones come first, then the others, newest first, from the one after the
// given place on.
func (t *TenantStore) Notices(ctx context.Context, after NoticePlace, limit int) (list []NoticeRow, err error) {
	defer explain("Notices", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`
			WITH list AS (
			(SELECT id, connection_id, kind, detail, created_at, read_at FROM notices
			  WHERE tenant_id = $1 AND user_id = $2 AND read_at IS NULL AND NOT $3::bool AND ($4::uuid IS NULL OR id < $4)
			  ORDER BY id DESC LIMIT $5)
			UNION ALL
			(SELECT id, connection_id, kind, detail, created_at, read_at FROM notices
			  WHERE tenant_id = $1 AND user_id = $2 AND read_at IS NOT NULL AND (NOT $3::bool OR $4::uuid IS NULL OR id < $4)
			  ORDER BY id DESC LIMIT $5)
			LIMIT $5)
			SELECT l.id, l.connection_id, coalesce(c.label, ''), l.kind, l.detail, l.created_at, l.read_at FROM list l
			  LEFT JOIN connections c ON c.tenant_id = $1 AND c.id = l.connection_id
			 ORDER BY l.read_at IS NOT NULL, l.id DESC`, t.tenant, t.actor.ID, after.Read, orNull(after.ID), limit).Query(func(rows pgx.Rows) (err error) {
			list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[NoticeRow])
			return err
		})
	})
	return list, err
}

// NoticePlace is a place in a reader's list; zero: its beginning.
type NoticePlace struct {
	Read bool // among those that have been read
	ID   uuid.UUID
}

// ReadNotice marks one of the actor's notices as read. NotFound if it is not theirs.
func (t *TenantStore) ReadNotice(ctx context.Context, id uuid.UUID) (row NoticeRow, err error) {
	defer explain("ReadNotice", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`
			UPDATE notices SET read_at = coalesce(read_at, $4) WHERE tenant_id = $1 AND user_id = $2 AND id = $3
			RETURNING id, connection_id, kind, detail, created_at, read_at`, t.tenant, t.actor.ID, id, t.now()).
			QueryRow(func(r pgx.Row) error {
				return r.Scan(&row.ID, &row.Connection, &row.Kind, &row.Detail, &row.CreatedAt, &row.ReadAt)
			})
	})
	return row, err
}

// ReadNotices marks all of the actor's notices as read.
func (t *TenantStore) ReadNotices(ctx context.Context) (err error) {
	defer explain("ReadNotices", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`UPDATE notices SET read_at = $3 WHERE tenant_id = $1 AND user_id = $2 AND read_at IS NULL`, t.tenant, t.actor.ID, t.now())
	})
}

// NoticeChoices gives what the actor has chosen, by kind; what is not there they have not.
func (t *TenantStore) NoticeChoices(ctx context.Context) (choices map[string]bool, err error) {
	defer explain("NoticeChoices", &err)
	choices = map[string]bool{}
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT kind, mail FROM notice_choices WHERE tenant_id = $1 AND user_id = $2`, t.tenant, t.actor.ID).
			Query(func(rows pgx.Rows) error {
				var kind string
				var mail bool
				_, err := pgx.ForEachRow(rows, []any{&kind, &mail}, func() error {
					choices[kind] = mail
					return nil
				})
				return err
			})
	})
	return choices, err
}

// ChooseNotices keeps which kinds the actor wants mail of.
func (t *TenantStore) ChooseNotices(ctx context.Context, choices map[string]bool) (err error) {
	defer explain("ChooseNotices", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		for kind, mail := range choices {
			b.Queue(`INSERT INTO notice_choices (tenant_id, user_id, kind, mail) VALUES ($1, $2, $3, $4)
				ON CONFLICT (tenant_id, user_id, kind) DO UPDATE SET mail = excluded.mail`, t.tenant, t.actor.ID, kind, mail)
		}
	})
}
