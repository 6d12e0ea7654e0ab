package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"mooring/internal/errs"
)

// connTx lets gorm work inside a transaction that pgx began on the same connection. It has no BeginTx on purpose: given
// the bare *sql.Conn, gorm would begin a second time and commit the outer transaction. As a TxCommitter, its nested
// transactions become savepoints.
type connTx struct {
	conn *sql.Conn
	tx   pgx.Tx
}

func (c connTx) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return c.conn.PrepareContext(ctx, query)
}

func (c connTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return c.conn.ExecContext(ctx, query, args...)
}

func (c connTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return c.conn.QueryContext(ctx, query, args...)
}

func (c connTx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return c.conn.QueryRowContext(ctx, query, args...)
}

func (c connTx) Commit() error { return errors.New("models: commit belongs to inTx") }

func (c connTx) Rollback() error { return c.tx.Rollback(context.Background()) }

// SQLSTATEs that mean something to us; the MR class is our own, raised by the functions of the schema.
const (
	uniqueViolation     = "23505"
	foreignKeyViolation = "23503"
	notText             = "22021" // a NUL, or bytes that are no UTF-8
	movedOn             = "MR001" // insist: a statement did not hit its one row
	claimedAlready      = "MR002" // claim_account: another tenant holds the account
	ownerless           = "MR003" // keep_an_owner: the tenant would have no owner
)

// Statement is SQL that somebody else needs to run in the transaction of a change: jobs puts its work in with it.
type Statement struct {
	SQL  string
	Args []any
}

// queueOne queues an INSERT, UPDATE or DELETE that must hit exactly one row. If it does not, the whole batch is undone:
// looking at the count afterwards would be too late, the server has committed by then.
func queueOne(b *pgx.Batch, sql string, args ...any) {
	b.Queue(`WITH hit AS (`+sql+` RETURNING 1) SELECT insist(count(*)) FROM hit`, args...)
}

// explain turns the driver's errors into ours and names the operation for the log. It is deferred as the first line of
// a store method.
func explain(op string, err *error) {
	switch {
	case *err == nil:
	case errors.Is(*err, pgx.ErrNoRows), errors.Is(*err, gorm.ErrRecordNotFound):
		*err = NotFound()
	case violates(*err, uniqueViolation), violates(*err, movedOn):
		*err = errs.Wrap(errs.Conflict, "error.conflict", fmt.Errorf("models: %s: %w", op, *err))
	case violates(*err, notText):
		*err = errs.Wrap(errs.Invalid, "error.bad_text", fmt.Errorf("models: %s: %w", op, *err))
	case violates(*err, ownerless):
		*err = errs.Wrap(errs.Conflict, "team.last_owner", fmt.Errorf("models: %s: %w", op, *err))
	case errs.CodeOf(*err) == errs.Internal:
		*err = fmt.Errorf("models: %s: %w", op, *err)
	}
}

func violates(err error, sqlstate string) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == sqlstate
}
