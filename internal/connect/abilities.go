package connect

import (
	"context"
	"encoding/json"
	"time"

	"mooring/internal/oauth"
)

// fetch is one block of data that a provider can be asked for.
type fetch struct {
	block oauth.Block
	read  func(ctx context.Context, cred oauth.Credential) (fetched, error)
}

// fetched is a reading whose type no longer matters: it is about to be sealed.
type fetched struct {
	data         json.RawMessage
	raw          json.RawMessage
	providerAsOf time.Time
	sourceZone   string
	partial      bool
}

// blockText is a block as it is sealed.
type blockText[T any] struct {
	Data     T                `json:"data"`
	Unmapped []oauth.Unmapped `json:"unmapped,omitempty"`
}

// fetches is the one place where a provider's optional abilities are discovered.
func fetches(p oauth.Provider) []fetch {
	var all []fetch
	if f, ok := p.(oauth.MerchantFetcher); ok {
		all = append(all, fetch{oauth.BlockMerchant, reading(f.FetchMerchant)})
	}
	if f, ok := p.(oauth.CompanyFetcher); ok {
		all = append(all, fetch{oauth.BlockCompany, reading(f.FetchCompany)})
	}
	if f, ok := p.(oauth.UserFetcher); ok {
		all = append(all, fetch{oauth.BlockUser, reading(f.FetchUser)})
	}
	if f, ok := p.(oauth.WalletFetcher); ok {
		all = append(all, fetch{oauth.BlockWallet, reading(f.FetchWallets)})
	}
	if f, ok := p.(oauth.WalletFlowFetcher); ok {
		all = append(all, fetch{oauth.BlockWalletFlow, reading(f.FetchWalletFlow)})
	}
	return all
}

func reading[T any](read func(context.Context, oauth.Credential) (oauth.Reading[T], error)) func(context.Context, oauth.Credential) (fetched, error) {
	return func(ctx context.Context, cred oauth.Credential) (fetched, error) {
		r, err := read(ctx, cred)
		if err != nil {
			return fetched{}, err
		}
		data, err := json.Marshal(blockText[T]{Data: r.Data, Unmapped: r.Unmapped})
		if err != nil {
			return fetched{}, errUnreadable
		}
		return fetched{data: data, raw: r.Raw, providerAsOf: r.ProviderAsOf, sourceZone: r.SourceZone, partial: r.Partial}, nil
	}
}
