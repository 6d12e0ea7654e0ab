package models

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
)

// MaxFilters is how many filters one of the staff may keep, over all lists.
const MaxFilters = 20

// MaxFilterName is how many characters a filter's name may have.
const MaxFilterName = 40

// The lists whose filters can be kept.
const (
	WorkList    = "work"
	TenantsList = "tenants"
	LinksList   = "connections"
)

// SavedFilter is what one of the staff narrows a list to again and again.
type SavedFilter struct {
	ID    uuid.UUID
	List  string
	Name  string
	Query string // of the list's address
}

// queueFilters reads the actor's filters of a list, by name; of all lists if it is "".
func (p *PlatformStore) queueFilters(b *pgx.Batch, list string, into *[]SavedFilter) {
	b.Queue(`SELECT id, list, name, query FROM saved_filters WHERE user_id = $1 AND ($2 = '' OR list = $2) ORDER BY list, lower(name)`, p.actor.ID, list).
		Query(func(rows pgx.Rows) (err error) {
			*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[SavedFilter])
			return err
		})
}

// Filters gives all filters that the actor keeps, by list and name.
func (p *PlatformStore) Filters(ctx context.Context) (all []SavedFilter, err error) {
	defer explain("Filters", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) { p.queueFilters(b, "", &all) })
	return all, err
}

// SaveFilter keeps a filter for the actor. Conflict when the name is taken in that list, or there are MaxFilters.
func (p *PlatformStore) SaveFilter(ctx context.Context, f SavedFilter) (err error) {
	defer explain("SaveFilter", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT pg_advisory_xact_lock(hashtextextended('filters ' || $1, 0))`, p.actor.ID.String()) // two windows at once
		queueOne(b, `INSERT INTO saved_filters (user_id, id, list, name, query, created_at)
			SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM saved_filters WHERE user_id = $1) < $7`,
			p.actor.ID, newID(), f.List, f.Name, f.Query, p.now(), MaxFilters)
	})
	switch {
	case violates(err, movedOn):
		return errs.New(errs.Conflict, "work.filters_full").With("most", MaxFilters)
	case violates(err, uniqueViolation):
		return errs.New(errs.Conflict, "work.filter_taken").On("name")
	}
	return err
}

// DeleteFilter removes one of the actor's filters. One that is gone already stays gone.
func (p *PlatformStore) DeleteFilter(ctx context.Context, id uuid.UUID) (err error) {
	defer explain("DeleteFilter", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM saved_filters WHERE user_id = $1 AND id = $2`, p.actor.ID, id)
	})
}
