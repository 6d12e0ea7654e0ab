package connect

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/oauth"
)

// HistoryRequest asks for a page of what has changed in a connection's data.
type HistoryRequest struct {
	Connection uuid.UUID
	Block      oauth.Block // only of this; "": of all that have a history
	Before     string      // cursor of the page before; empty: the newest
	Limit      int
}

// HistoryView is what has changed in a connection's data, newest first.
type HistoryView struct {
	ConnectionView               // without data
	Offered        []oauth.Block // that the provider has, of those with a history
	Entries        []HistoryEntry
	Next           string // cursor of the next page; empty: this is the last
}

// HistoryEntry is one version of a block, by what differs from the one before.
type HistoryEntry struct {
	Block        oauth.Block
	First        bool // there was none before
	Broken       bool // one of the two does not open
	Changes      []Change
	ChangedAt    time.Time
	FetchedAt    time.Time // when it was last seen
	ProviderAsOf time.Time
}

// historied are the blocks whose versions are compared. Movements of money are a history already.
func historied() []oauth.Block {
	return []oauth.Block{oauth.BlockMerchant, oauth.BlockCompany, oauth.BlockUser, oauth.BlockWallet}
}

// History gives what has changed in a connection's data.
func (s *Service) History(ctx context.Context, st *models.TenantStore, r HistoryRequest) (HistoryView, error) {
	blocks := historied()
	if slices.Contains(blocks, r.Block) {
		blocks = []oauth.Block{r.Block}
	}
	page, err := st.History(ctx, models.HistoryQuery{Connection: r.Connection, Blocks: blocks, Before: r.Before, Limit: r.Limit})
	if err != nil {
		return HistoryView{}, err
	}
	view := HistoryView{ConnectionView: s.outlineView(page.Connection, page.Account, page.Key), Next: page.Next}
	for _, block := range view.Provider.Blocks {
		if slices.Contains(historied(), block) {
			view.Offered = append(view.Offered, block)
		}
	}
	for _, v := range page.Versions {
		view.Entries = append(view.Entries, s.historyEntry(page, v))
	}
	return view, nil
}

// TenantChanges gives what has changed in a tenant's merchant and company data, by connection, newest first.
func (s *Service) TenantChanges(d models.TenantDetail) map[uuid.UUID][]HistoryEntry {
	changes := map[uuid.UUID][]HistoryEntry{}
	for _, link := range d.Links {
		page := models.HistoryPage{Connection: link, Key: d.Key}
		for _, v := range d.Versions {
			if v.ConnectionID == link.ID {
				changes[link.ID] = append(changes[link.ID], s.historyEntry(page, v))
			}
		}
	}
	return changes
}

func (s *Service) historyEntry(page models.HistoryPage, v models.Version) HistoryEntry {
	after := s.openBlock(page.Connection, page.Key, v.Snapshot)
	entry := HistoryEntry{
		Block: v.Block, First: len(v.Before) == 0, Broken: after.Broken,
		ChangedAt: v.ChangedAt, FetchedAt: v.FetchedAt, ProviderAsOf: after.ProviderAsOf,
	}
	if entry.First || entry.Broken {
		return entry
	}
	old := v.Snapshot
	old.Version, old.Data = v.Version-1, v.Before
	before := s.openBlock(page.Connection, page.Key, old)
	entry.Broken = before.Broken
	if !before.Broken {
		entry.Changes = changes(before, after)
	}
	return entry
}

// changed says which fields of a reading differ from the version before, and words the event where somebody wants to
// know: of merchant and company. The event names the fields and tells no value.
func changed(c models.Connection, before BlockView, data []byte) ([]string, *models.NewEvent) {
	after := BlockView{Block: before.Block}
	if before.Broken || !after.read(data) {
		return nil, nil
	}
	fields := fieldNames(changes(before, after))
	if len(fields) == 0 || before.Block != oauth.BlockMerchant && before.Block != oauth.BlockCompany {
		return fields, nil
	}
	return fields, &models.NewEvent{Kind: "connection.changed", Connection: c.ID, Detail: map[string]any{
		"provider": c.Provider, "account": c.AccountMasked, "block": before.Block, "fields": fields,
	}}
}
