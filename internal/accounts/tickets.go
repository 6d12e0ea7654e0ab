package accounts

import (
	"context"
	"encoding/json"
	"time"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// TicketLife is how long the second half of something may take. The token of its ticket goes into a cookie and nowhere else.
const TicketLife = 10 * time.Minute

// issue keeps a ticket and gives its token.
func (s *Service) issue(ctx context.Context, t models.Ticket) (secret.String, error) {
	token, hash := newToken()
	return token, s.Store.CreateTicket(ctx, hash, t, TicketLife)
}

// issueFor keeps a ticket that belongs to a signed-in person's session.
func (s *Service) issueFor(ctx context.Context, who Session, purpose models.TicketPurpose, data json.RawMessage, sealed vault.Sealed) (secret.String, error) {
	return s.issue(ctx, models.Ticket{Purpose: purpose, Person: &who.UserID, Session: &who.ID, Data: data, Sealed: sealed})
}

// gone turns a ticket that is not there into what a person can be told: begin again.
func gone(err error) error {
	if errs.CodeOf(err) == errs.NotFound {
		return errs.New(errs.Conflict, "factor.ticket_gone")
	}
	return err
}

// ours refuses a ticket that another session began.
func ours(t models.Ticket, who Session) error {
	if t.Session == nil || *t.Session != who.ID || t.Person == nil || *t.Person != who.UserID {
		return errs.New(errs.Conflict, "factor.ticket_gone")
	}
	return nil
}
