package accounts

import (
	"context"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/secret"
)

// Forgot mails a link that sets a new password. Whether the address has an account, the answer and the work are the
// same: a link is stored and a mail queued either way, and the mail of nobody's link is not sent.
func (s *Service) Forgot(ctx context.Context, address, language string, from Browser) error {
	email, err := Canonical(address)
	if err != nil {
		return err
	}
	if err := s.allow(ctx, check{s.Limits.MailAddress, "mail from", []string{network(from.Address)}}); err != nil {
		return err
	}
	person, err := s.person(ctx, email)
	if err != nil {
		return err
	}
	link := models.Link{ID: uuid.Must(uuid.NewV7()), Purpose: models.ResetLink, Email: email, Language: language}
	if person.ID != uuid.Nil {
		link.UserID, link.Language = &person.ID, orElse(person.Language, language)
	}
	return s.queueLink(ctx, link, ResetLife)
}

// ResetPending says whether a reset link still works, without using it. NotFound if it is dead.
func (s *Service) ResetPending(ctx context.Context, token secret.String) (models.Link, error) {
	return s.Store.LinkByToken(ctx, models.ResetLink, hashToken(token))
}

// Reset sets a new password with a mailed link, once, and ends all sessions of the person. A password that may not be
// chosen leaves the link as it is; the address is given with that error, for the form that asks again. NotFound if the
// link is dead.
func (s *Service) Reset(ctx context.Context, token, password secret.String) (email string, err error) {
	link, err := s.ResetPending(ctx, token) // a dead link costs no hash
	if err != nil {
		return "", err
	}
	if err := checkNewPassword(password, "password", link.Email, ""); err != nil {
		return link.Email, err
	}
	hash, err := s.hasher.Create(ctx, password)
	if err != nil {
		return link.Email, err
	}
	_, err = s.Store.ResetPassword(ctx, hashToken(token), hash)
	return link.Email, err
}
