package models

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// TicketPurpose is what a ticket is the middle of.
type TicketPurpose string

// The purposes.
const (
	SignInTicket        TicketPurpose = "signin"         // the password was right, a second proof is awaited
	PasskeySignInTicket TicketPurpose = "passkey_signin" // a passkey's challenge, before anybody is known
	PasskeyAddTicket    TicketPurpose = "passkey_add"
	PasskeyProveTicket  TicketPurpose = "passkey_prove"
	TOTPAddTicket       TicketPurpose = "totp_add" // an authenticator app that has not shown a code yet
)

// Ticket is the middle of what takes two requests.
type Ticket struct {
	Purpose TicketPurpose
	Person  *uuid.UUID
	Session *uuid.UUID // nil while nobody is signed in
	Data    json.RawMessage
	Sealed  vault.Sealed
}

// CreateTicket keeps a ticket for a while under the hash of its token.
func (s *Store) CreateTicket(ctx context.Context, tokenHash []byte, t Ticket, life time.Duration) (err error) {
	defer explain("CreateTicket", &err)
	data := t.Data
	if data == nil {
		data = json.RawMessage(`{}`)
	}
	_, err = s.app.pool.Exec(ctx, `
		INSERT INTO tickets (token_hash, purpose, user_id, session_id, data, sealed, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval)`,
		tokenHash, t.Purpose, t.Person, t.Session, []byte(data), []byte(t.Sealed), life)
	return err
}

// KeepTicketData adds to a ticket what its next step is checked against. NotFound if it is gone.
func (s *Store) KeepTicketData(ctx context.Context, purpose TicketPurpose, tokenHash []byte, data json.RawMessage) (err error) {
	defer explain("KeepTicketData", &err)
	done, err := s.app.pool.Exec(ctx, `UPDATE tickets SET data = $3 WHERE token_hash = $1 AND purpose = $2 AND expires_at > now()`,
		tokenHash, purpose, []byte(data))
	if err == nil && done.RowsAffected() == 0 {
		return NotFound()
	}
	return err
}

const ticketColumns = `purpose, user_id, session_id, data, sealed`

func scanTicket(row pgx.Row) (t Ticket, err error) {
	err = row.Scan(&t.Purpose, &t.Person, &t.Session, (*[]byte)(&t.Data), (*[]byte)(&t.Sealed))
	return t, err
}

// Ticket looks at a ticket without taking it. NotFound if it is gone.
func (s *Store) Ticket(ctx context.Context, purpose TicketPurpose, tokenHash []byte) (t Ticket, err error) {
	defer explain("Ticket", &err)
	return scanTicket(s.app.pool.QueryRow(ctx, `SELECT `+ticketColumns+` FROM tickets
		WHERE token_hash = $1 AND purpose = $2 AND expires_at > now()`, tokenHash, purpose))
}

// TakeTicket takes a ticket, exactly once. NotFound if it is gone.
func (s *Store) TakeTicket(ctx context.Context, purpose TicketPurpose, tokenHash []byte) (t Ticket, err error) {
	defer explain("TakeTicket", &err)
	return scanTicket(s.app.pool.QueryRow(ctx, `DELETE FROM tickets
		WHERE token_hash = $1 AND purpose = $2 AND expires_at > now() RETURNING `+ticketColumns, tokenHash, purpose))
}

// triesOfTicket is how many wrong codes one right password is good for.
const triesOfTicket = 10

// TryTicket looks at a ticket and counts a try; NotFound if it is gone or has had its tries.
func (s *Store) TryTicket(ctx context.Context, purpose TicketPurpose, tokenHash []byte) (t Ticket, err error) {
	defer explain("TryTicket", &err)
	return scanTicket(s.app.pool.QueryRow(ctx, `UPDATE tickets SET tries = tries + 1
		WHERE token_hash = $1 AND purpose = $2 AND expires_at > now() AND tries < $3 RETURNING `+ticketColumns,
		tokenHash, purpose, triesOfTicket))
}
