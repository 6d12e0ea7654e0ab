package connect

import (
	"time"

	"mooring/internal/models"
	"mooring/internal/oauth"
)

// ConnectionView is a connection with everything its page shows, opened.
type ConnectionView struct {
	models.Connection
	Provider oauth.Descriptor
	Blocks   []BlockView // in the descriptor's order; a block never fetched has a zero FetchedAt
	Events   []models.Event
}

// BlockView is one block of data. Exactly the field of its kind is set, or none if it was never fetched or is Broken.
type BlockView struct {
	Block        oauth.Block
	Merchant     *oauth.Merchant
	Company      *oauth.Company
	User         *oauth.User
	Wallets      []oauth.Wallet
	Flow         []oauth.FlowEntry
	FetchedAt    time.Time
	ChangedAt    time.Time
	ProviderAsOf time.Time
	SourceZone   string
	Partial      bool
	Broken       bool // the stored value does not open: it was moved, edited or put back
}

// Fetched says whether there is anything to show.
func (b BlockView) Fetched() bool { return !b.FetchedAt.IsZero() && !b.Broken }

// Card is a provider on the connections page: offered or not, with the tenant's connections to it.
type Card struct {
	Provider    oauth.Descriptor
	Offered     bool // its settings are complete
	Connections []models.Connection
	Open        *models.Attempt // an unfinished attempt, newest first
}
