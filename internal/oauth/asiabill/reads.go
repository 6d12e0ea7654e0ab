package asiabill

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

// FetchMerchant implements oauth.MerchantFetcher. There is no profile to ask for: the merchant is its number and the
// gateways that appear in the last 30 days of its lists, and so the block is Partial whenever there is more than a page.
func (p *Provider) FetchMerchant(ctx context.Context, cred oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
	lists, err := p.lists(ctx, cred, 1)
	if err != nil {
		return oauth.Reading[oauth.Merchant]{}, err
	}
	m := oauth.Merchant{ID: cred.Extra[merNoKey].Reveal()}
	for _, l := range lists {
		for _, r := range l.rows {
			if gateway := r.Text("gatewayNo"); gateway != "" {
				m.Gateways = append(m.Gateways, gateway)
			}
			if m.ID == "" {
				m.ID = ownerOf(r)
			}
		}
	}
	slices.Sort(m.Gateways)
	m.Gateways = slices.Compact(m.Gateways)
	raw, partial, err := together(lists)
	return oauth.Reading[oauth.Merchant]{Data: m, Raw: raw, SourceZone: p.zone.String(), Partial: partial}, err
}

// FetchWalletFlow implements oauth.WalletFlowFetcher: the transactions and chargebacks of the last 30 days, newest
// first, at most 500 of each.
func (p *Provider) FetchWalletFlow(ctx context.Context, cred oauth.Credential) (oauth.Reading[[]oauth.FlowEntry], error) {
	lists, err := p.lists(ctx, cred, maxPages)
	if err != nil {
		return oauth.Reading[[]oauth.FlowEntry]{}, err
	}
	entries := []oauth.FlowEntry{}
	for _, l := range lists {
		for _, r := range l.rows {
			e, err := entry(r, l.kind, p.zone)
			if err != nil {
				return oauth.Reading[[]oauth.FlowEntry]{}, p.refusal(oauth.BadResponse, "", err)
			}
			entries = append(entries, e)
		}
	}
	slices.SortStableFunc(entries, func(a, b oauth.FlowEntry) int { return b.OccurredAt.Compare(a.OccurredAt) })
	raw, partial, err := together(lists)
	return oauth.Reading[[]oauth.FlowEntry]{Data: entries, Raw: raw, SourceZone: p.zone.String(), Partial: partial}, err
}

// list is all that was read of one list.
type list struct {
	kind    string
	rows    []outbound.Object
	raw     []json.RawMessage
	partial bool
}

// lists reads both lists. The path of the transactions is an analogy with the neighbouring product: where it does not
// exist, the chargebacks are what there is, and the block says that it is not everything.
func (p *Provider) lists(ctx context.Context, cred oauth.Credential, pages int) ([]list, error) {
	chargebacks, err := p.list(ctx, cred, "chargeback", chargebacksPath, pages)
	if err != nil {
		return nil, err
	}
	transactions, err := p.list(ctx, cred, "transaction", transactionsPath, pages)
	switch {
	case oauth.KindOf(err) == oauth.NotFound:
		transactions = list{kind: "transaction", partial: true}
	case err != nil:
		return nil, err
	}
	return []list{transactions, chargebacks}, nil
}

// list reads pages until it has what the provider says there is, or all that it will read.
func (p *Provider) list(ctx context.Context, cred oauth.Credential, kind, path string, pages int) (list, error) {
	l := list{kind: kind}
	for index := 1; index <= pages; index++ {
		got, err := p.page(ctx, cred, path, window, index, pageSize)
		if err != nil {
			return list{}, err
		}
		if n := len(l.raw); n > 0 && len(got.rows) > 0 && bytes.Equal(l.raw[n-1], got.raw) {
			break // the page before once more: the number was not understood, and the next would be the same
		}
		l.rows, l.raw = append(l.rows, got.rows...), append(l.raw, got.raw)
		l.partial = len(l.rows) < got.total
		if !l.partial || len(got.rows) == 0 {
			break
		}
	}
	return l, nil
}

// together keeps the answers as they came, by list.
func together(lists []list) (raw json.RawMessage, partial bool, err error) {
	all := map[string][]json.RawMessage{}
	for _, l := range lists {
		pages := make([]json.RawMessage, 0, len(l.raw))
		for _, answer := range l.raw {
			pages = append(pages, outbound.Bare(answer))
		}
		all[l.kind+"s"] = pages
		partial = partial || l.partial
	}
	raw, err = json.Marshal(all)
	return raw, partial, err
}
