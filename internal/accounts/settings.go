package accounts

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
)

// PasswordChange is the form of the settings page.
type PasswordChange struct {
	Current secret.String
	New     secret.String
	Browser Browser
}

// ChangePassword sets a new password, ends the person's other sessions, voids their reset links and gives their own
// session a new token, which must go into the cookie.
func (s *Service) ChangePassword(ctx context.Context, who Session, c PasswordChange) (secret.String, error) {
	if err := collect(required(c.Current, "current_password"),
		checkNewPassword(c.New, "new_password", who.Email, who.TenantName)); err != nil {
		return secret.String{}, err
	}
	from := network(c.Browser.Address)
	if err := s.allow(ctx, check{s.Limits.SignInAccount, "sign-in account", []string{who.Email, from}}); err != nil {
		return secret.String{}, err
	}
	hash, err := s.Store.PasswordHash(ctx, who.UserID)
	if err != nil {
		return secret.String{}, err
	}
	if err := s.proveCurrent(ctx, c.Current, hash); err != nil {
		return secret.String{}, err
	}
	newHash, err := s.hasher.Create(ctx, c.New)
	if err != nil {
		return secret.String{}, err
	}
	token, tokenHash := newToken()
	err = s.Store.ChangePassword(ctx, models.PasswordChange{
		Person: who.UserID, Session: who.ID, TokenHash: tokenHash, OldHash: hash, NewHash: newHash,
	})
	return token, err
}

func (s *Service) proveCurrent(ctx context.Context, current secret.String, hash string) error {
	wrong := errs.New(errs.Invalid, "account.current_wrong").On("current_password")
	if tooLong(current) {
		return wrong
	}
	same, err := s.hasher.Compare(ctx, current, hash)
	if err == nil && !same {
		return wrong
	}
	return err
}

// languages a person may keep; "" follows the browser.
func languages() []string { return []string{"", "zh-CN", "en"} }

// ChangeLanguage keeps the language of the person's pages and mails.
func (s *Service) ChangeLanguage(ctx context.Context, who Session, language string) error {
	if !slices.Contains(languages(), language) {
		return errs.New(errs.Invalid, "account.language_unknown").On("language")
	}
	return s.Store.ChangeLanguage(ctx, who.UserID, language)
}

// ChangeTimeZone keeps where the person lives: a zone that known says exists, or "" for that of their language.
func (s *Service) ChangeTimeZone(ctx context.Context, who Session, zone string, known func(zone string) bool) error {
	if zone != "" && !known(zone) {
		return errs.New(errs.Invalid, "zone.unknown").On("zone")
	}
	return s.Store.ChangeTimeZone(ctx, who.UserID, zone)
}

// SessionView is a session as its person sees it.
type SessionView struct {
	models.SessionRow
	Client  Client
	Current bool // the one they are looking with
}

// Sessions lists where the person is signed in, last used first.
func (s *Service) Sessions(ctx context.Context, who Session) ([]SessionView, error) {
	rows, err := s.Store.Sessions(ctx, who.UserID, s.Idle)
	if err != nil {
		return nil, err
	}
	views := make([]SessionView, len(rows))
	for i, row := range rows {
		views[i] = SessionView{SessionRow: row, Client: describe(row.UserAgent), Current: row.ID == who.ID}
	}
	return views, nil
}

// EndSession ends one of the person's sessions on every replica at once. NotFound if it is not theirs.
func (s *Service) EndSession(ctx context.Context, who Session, id uuid.UUID) error {
	return s.Store.EndSession(ctx, who.UserID, id)
}

// EndOtherSessions ends all of the person's sessions but the one they are looking with.
func (s *Service) EndOtherSessions(ctx context.Context, who Session) error {
	return s.Store.EndOtherSessions(ctx, who.UserID, who.ID)
}
