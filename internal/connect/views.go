package connect

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/vault"
)

// ConnectionView is a connection with everything its page shows, opened.
type ConnectionView struct {
	models.Connection
	Provider    oauth.Descriptor
	PausedSince time.Time // zero: the platform has not paused the provider
	AccountName string    // a name that the provider told for the account, if any
	Blocks      []BlockView
	News        *NewsView // where news of it goes; nil: its provider sends none
	Events      []models.Event
	Revocation  *models.Revocation // how far telling the provider has come; nil while it is connected
	Tellable    bool               // the provider can be told that access has ended
	Review      models.Review      // of its tenant
}

// FirstData is when its first data was seen; zero: none has come, or it was erased.
func (v ConnectionView) FirstData() (first time.Time) {
	for _, b := range v.Blocks {
		if !b.FirstAt.IsZero() && (first.IsZero() || b.FirstAt.Before(first)) {
			first = b.FirstAt
		}
	}
	return first
}

// Telling says whether the provider is still being told that access has ended.
func (v ConnectionView) Telling() bool {
	return v.Revocation != nil && v.Revocation.State == models.RevocationWaiting
}

// telling picks what to say of a disconnected connection from its revocations: what is worst is what counts.
func telling(c models.Connection, all []models.Revocation) *models.Revocation {
	if c.State != models.Disconnected {
		return nil
	}
	weight := map[models.RevocationState]int{
		models.RevocationWaiting: 4, models.RevocationGivenUp: 3, models.RevocationUnreadable: 2, models.RevocationNoWay: 1,
	}
	var worst *models.Revocation
	for i, r := range all {
		if r.ConnectionID != c.ID || r.CreatedAt.Before(c.StateSince) { // of a disconnection before the last one
			continue
		}
		if worst == nil || weight[r.State] > weight[worst.State] {
			worst = &all[i]
		}
	}
	return worst
}

// BlockView is one block of data, in the descriptor's order. Exactly the field of its kind is set, or none if it was
// never fetched or is Broken.
type BlockView struct {
	Block        oauth.Block
	Merchant     *oauth.Merchant
	Company      *oauth.Company
	User         *oauth.User
	Wallets      []oauth.Wallet
	Flow         []oauth.FlowEntry
	Unmapped     []oauth.Unmapped // what the provider told besides, under names that no document explains
	FirstAt      time.Time        // when its first version was seen
	FetchedAt    time.Time
	ChangedAt    time.Time
	ProviderAsOf time.Time
	SourceZone   string
	Partial      bool
	Changed      []string // names of the fields that differ from the version before
	Broken       bool     // the stored value does not open: it was moved, edited or put back
}

// Fetched says whether there is anything to show.
func (b BlockView) Fetched() bool { return !b.FetchedAt.IsZero() && !b.Broken }

// Card is a provider on the connections page: offered or not, with the tenant's connections to it.
type Card struct {
	Provider    oauth.Descriptor
	Offered     bool      // its settings are complete
	PausedSince time.Time // zero: the platform has not paused it
	Connections []models.Connection
	Open        []models.Attempt // what the person has not finished there
}

// Describe gives a provider as data; ok is false for a slug that nobody has.
func (s *Service) Describe(slug string) (d oauth.Descriptor, offered, ok bool) {
	return s.Providers.Describe(slug)
}

// Cards gives every provider with the tenant's connections to it.
func (s *Service) Cards(ctx context.Context, st *models.TenantStore) ([]Card, error) {
	conns, open, err := st.Connections(ctx)
	if err != nil {
		return nil, err
	}
	cards := make([]Card, 0, len(s.Providers.all))
	for _, d := range s.Providers.all {
		_, offered := s.Providers.offered[d.Slug]
		card := Card{Provider: d, Offered: offered}
		card.PausedSince, _ = s.Watch.Paused(d.Slug)
		for _, c := range conns {
			if c.Provider == d.Slug {
				card.Connections = append(card.Connections, c)
			}
		}
		for _, a := range open {
			if a.Provider == d.Slug {
				card.Open = append(card.Open, settled(a, s.Now()))
			}
		}
		cards = append(cards, card)
	}
	return cards, nil
}

// OverviewView is all that a tenant's overview shows.
type OverviewView struct {
	Accounts []ConnectionView // without their histories
	Review   models.Review
	Open     []models.Attempt     // what the person has not finished, newest first
	Courses  map[uuid.UUID][]Line // how balances went lately, by connection; of some connections only
}

// Overview gives the tenant's connections with the newest of each block, where its review stands, and what the person has
// not finished.
func (s *Service) Overview(ctx context.Context, st *models.TenantStore) (OverviewView, error) {
	o, err := st.Overview(ctx)
	if err != nil {
		return OverviewView{}, err
	}
	for i, a := range o.Open {
		o.Open[i] = settled(a, s.Now())
	}
	view := OverviewView{Accounts: s.openAll(o.Links, o.Sealing, o.Review), Review: o.Review, Open: o.Open, Courses: map[uuid.UUID][]Line{}}
	for _, c := range o.Links {
		versions := slices.DeleteFunc(slices.Clone(o.Balances), func(v models.Snapshot) bool { return v.ConnectionID != c.ID })
		if len(versions) > 0 {
			view.Courses[c.ID], _ = s.course(c, o.Key, versions, versions[0].FetchedAt.Add(-balancesSpan))
		}
	}
	return view, nil
}

// OpenTenant opens a tenant's connections for an admin's page. Personal values stay masked by their type.
func (s *Service) OpenTenant(d models.TenantDetail) []ConnectionView {
	views := s.openAll(d.Links, d.Sealing, d.Review.Review)
	for i := range views {
		views[i].Revocation = telling(views[i].Connection, d.Revocations)
	}
	return views
}

func (s *Service) openAll(conns []models.Connection, sealing models.Sealing, review models.Review) []ConnectionView {
	views := make([]ConnectionView, 0, len(conns))
	for _, c := range conns {
		view := s.openView(c, sealing)
		view.Review = review
		views = append(views, view)
	}
	return views
}

// Show gives one connection with its data and history. It also looks whether what is stored still opens; if not, the
// connection says so from now on, everywhere.
func (s *Service) Show(ctx context.Context, st *models.TenantStore, id uuid.UUID) (ConnectionView, error) {
	d, err := st.Connection(ctx, id)
	if err != nil {
		return ConnectionView{}, err
	}
	view := s.openView(d.Connection, d.Sealing)
	view.Events, view.News, view.Review = d.Events, s.newsView(d), d.Review
	view.Revocation = telling(d.Connection, d.Revocations)
	var account accountText
	broken := s.open(d.Key, accountPlace(d.TenantID, id, d.Connection.Provider), d.Account, &account) != nil
	view.AccountName = account.Name
	if d.State != models.Disconnected && !withdrawn(d.Connection) {
		_, err := s.openCredential(d.Key, d.Connection, d.Credential)
		broken = broken || err != nil
	}
	if broken && d.State != models.Disconnected && d.Reason != ReasonSealedBroken {
		view.State, view.Reason, view.StateSince = models.Ours, ReasonSealedBroken, s.Now()
		if err := st.EndSync(ctx, id, failed(d.Connection, models.Ours, ReasonSealedBroken, "")); err != nil {
			return view, err
		}
	}
	return view, nil
}

// Outline gives one connection with the name of its account, and none of its data: what a question about it needs.
func (s *Service) Outline(ctx context.Context, st *models.TenantStore, id uuid.UUID) (ConnectionView, error) {
	c, sealed, err := st.Outline(ctx, id)
	if err != nil {
		return ConnectionView{}, err
	}
	key, err := st.Key(ctx)
	if err != nil {
		return ConnectionView{}, err
	}
	return s.outlineView(c, sealed, key), nil
}

func (s *Service) outlineView(c models.Connection, sealed vault.Sealed, key vault.WrappedKey) ConnectionView {
	view := ConnectionView{Connection: c, Provider: s.describe(c), Tellable: s.tellable(c.Provider)}
	view.PausedSince, _ = s.Watch.Paused(c.Provider)
	var account accountText
	if s.open(key, accountPlace(c.TenantID, c.ID, c.Provider), sealed, &account) == nil { // else the masked number must do
		view.AccountName = account.Name
	}
	return view
}

// describe gives a connection's provider as data.
func (s *Service) describe(c models.Connection) oauth.Descriptor {
	d, _, known := s.Providers.Describe(c.Provider)
	if !known { // a provider that this program no longer has: its data stays readable
		d = oauth.Descriptor{Slug: c.Provider, Title: oauth.Text{ZH: c.Provider, EN: c.Provider}, Environment: c.Environment}
	}
	return d
}

func (s *Service) openView(c models.Connection, sealing models.Sealing) ConnectionView {
	view := ConnectionView{Connection: c, Provider: s.describe(c)}
	view.PausedSince, _ = s.Watch.Paused(c.Provider)
	for _, block := range view.Provider.Blocks {
		b := BlockView{Block: block}
		if snapshot := newest(sealing.Snapshots, c.ID, block); snapshot != nil {
			b = s.openBlock(c, sealing.Key, *snapshot)
		}
		view.Blocks = append(view.Blocks, b)
	}
	return view
}

func (s *Service) openBlock(c models.Connection, key vault.WrappedKey, snapshot models.Snapshot) BlockView {
	b := BlockView{
		Block: snapshot.Block, FirstAt: snapshot.FirstAt, FetchedAt: snapshot.FetchedAt, ChangedAt: snapshot.ChangedAt,
		SourceZone: snapshot.SourceZone, Partial: snapshot.Partial, Changed: snapshot.Fields,
	}
	if snapshot.ProviderAsOf != nil {
		b.ProviderAsOf = *snapshot.ProviderAsOf
	}
	text, err := s.Vault.Open(key, dataPlace(c, snapshot.Block, snapshot.Version), snapshot.Data)
	b.Broken = err != nil || !b.read(text)
	return b
}

// read fills the view from a block as it is sealed.
func (b *BlockView) read(text []byte) bool {
	stored := blockText[any]{Data: b.target()}
	err := json.Unmarshal(text, &stored)
	b.Unmapped = stored.Unmapped
	return err == nil
}

// target makes room for the block's kind of data.
func (b *BlockView) target() any {
	switch b.Block {
	case oauth.BlockMerchant:
		b.Merchant = &oauth.Merchant{}
		return b.Merchant
	case oauth.BlockCompany:
		b.Company = &oauth.Company{}
		return b.Company
	case oauth.BlockUser:
		b.User = &oauth.User{}
		return b.User
	case oauth.BlockWallet:
		return &b.Wallets
	case oauth.BlockWalletFlow:
		return &b.Flow
	}
	return &struct{}{}
}
