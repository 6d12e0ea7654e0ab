package connect

import (
	"context"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// AnswerView is what a provider answered, with everything taken out that is secret or personal.
type AnswerView struct {
	ConnectionView // without data
	Block          oauth.Block
	Text           string
	Cut            bool // there was more
	FetchedAt      time.Time
}

// Answer opens the answer that a block was read from and redacts it. Who looked stands in the tenant's history before
// anything is shown.
func (s *Service) Answer(ctx context.Context, st *models.TenantStore, connection uuid.UUID, block oauth.Block) (AnswerView, error) {
	var view AnswerView
	err := st.Answer(ctx, connection, block, func(sight models.Sight) (models.NewEvent, error) {
		raw, err := s.Vault.Open(sight.Key, rawPlace(sight.Connection, block, sight.Snapshot.Version), sight.Raw)
		if err != nil {
			return models.NewEvent{}, errs.Wrap(errs.Conflict, "block.broken", err)
		}
		view.ConnectionView = s.outlineView(sight.Connection, sight.Account, sight.Key)
		view.Block, view.FetchedAt = block, sight.Snapshot.FetchedAt
		view.Text, view.Cut = redact(raw, s.hidden(sight))
		return models.NewEvent{Kind: "connection.raw_viewed", Connection: sight.ID, Detail: sightDetail(sight)}, nil
	})
	if err != nil {
		return AnswerView{}, err
	}
	return view, nil
}

// hidden are the values that must not be found in an answer wherever they stand: the credential's, the account's, and those
// that we know to be about a person.
func (s *Service) hidden(sight models.Sight) []string {
	var values []string
	if cred, err := s.openCredential(sight.Key, sight.Connection, sight.Credential); err == nil {
		values = append(values, cred.AccessToken.Reveal(), cred.RefreshToken.Reveal())
		for _, extra := range cred.Extra {
			values = append(values, extra.Reveal())
		}
	}
	var account accountText
	if s.open(sight.Key, accountPlace(sight.TenantID, sight.ID, sight.Provider), sight.Account, &account) == nil {
		values = append(values, account.ExternalID, account.Name)
	}
	b := s.openBlock(sight.Connection, sight.Key, sight.Snapshot)
	for _, p := range b.personalValues() {
		values = append(values, p.Reveal())
	}
	return values
}
