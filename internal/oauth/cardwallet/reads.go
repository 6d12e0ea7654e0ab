package cardwallet

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

const (
	pageSize = 100
	maxPages = 5 // of the flow in one sync; more is told as Partial
)

// FetchMerchant implements oauth.MerchantFetcher.
func (m merchants) FetchMerchant(ctx context.Context, cred oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
	s, raw, err := m.detail(ctx, cred)
	if err != nil {
		return oauth.Reading[oauth.Merchant]{}, err
	}
	merchant := s.merchant()
	s.company(m.p.zone) // what is the company's is not unmapped here
	return oauth.Reading[oauth.Merchant]{
		Data: merchant, Raw: raw, SourceZone: m.p.zone.String(), Unmapped: s.unmapped("", plain, person, listed),
	}, nil
}

// FetchCompany implements oauth.CompanyFetcher: the same answer, read for the company in it.
func (m merchants) FetchCompany(ctx context.Context, cred oauth.Credential) (oauth.Reading[oauth.Company], error) {
	s, raw, err := m.detail(ctx, cred)
	if err != nil {
		return oauth.Reading[oauth.Company]{}, err
	}
	return oauth.Reading[oauth.Company]{
		Data: s.company(m.p.zone), Raw: raw, SourceZone: m.p.zone.String(), Unmapped: s.unmapped("", company, legal, shareholder),
	}, nil
}

// detail reads the merchant, one object.
func (m merchants) detail(ctx context.Context, cred oauth.Credential) (sheet, json.RawMessage, error) {
	answer, data, err := m.p.read(ctx, cred, m.p.paths.merchant, []byte("{}"))
	if err != nil {
		return nil, nil, err
	}
	if _, object := data.(map[string]any); !object {
		return nil, nil, m.p.refusal(oauth.BadResponse, "", errAnswer)
	}
	return layOut(data), outbound.Bare(answer.Body), nil
}

// FetchWallets implements oauth.WalletFetcher: one wallet, or a list of them. A row that names no amount is no wallet,
// but what it holds is shown.
func (w wallets) FetchWallets(ctx context.Context, cred oauth.Credential) (oauth.Reading[[]oauth.Wallet], error) {
	none := oauth.Reading[[]oauth.Wallet]{}
	answer, data, err := w.p.read(ctx, cred, w.p.paths.wallet, []byte("{}"))
	if err != nil {
		return none, err
	}
	got, ok := rowsOf(data)
	if _, object := data.(map[string]any); !ok && object {
		got, ok = shelf{[]any{data}, -1}, true
	}
	if !ok {
		return none, w.p.refusal(oauth.BadResponse, "", errAnswer)
	}
	r := oauth.Reading[[]oauth.Wallet]{Data: []oauth.Wallet{}, Raw: outbound.Bare(answer.Body), SourceZone: w.p.zone.String()}
	r.Partial = got.total > len(got.rows)
	for _, row := range got.rows {
		s := layOut(row)
		wallet, found, err := s.wallet()
		if err != nil {
			return none, w.p.refusal(oauth.BadResponse, "", err)
		}
		prefix := ""
		if found {
			r.Data = append(r.Data, wallet)
		}
		if len(got.rows) > 1 && wallet.Total.Currency != "" {
			prefix = wallet.Total.Currency + "."
		}
		r.Partial = r.Partial || !found
		r.Unmapped = appendUnmapped(r.Unmapped, s.unmapped(prefix))
	}
	return r, nil
}

// FetchWalletFlow implements oauth.WalletFlowFetcher: what moved, newest first, at most 500.
func (f flows) FetchWalletFlow(ctx context.Context, cred oauth.Credential) (oauth.Reading[[]oauth.FlowEntry], error) {
	none := oauth.Reading[[]oauth.FlowEntry]{}
	rows, pages, partial, err := f.pages(ctx, cred)
	if err != nil {
		return none, err
	}
	r := oauth.Reading[[]oauth.FlowEntry]{Data: []oauth.FlowEntry{}, SourceZone: f.p.zone.String(), Partial: partial}
	for _, row := range rows {
		s := layOut(row)
		entry, found, err := s.entry(f.p.zone)
		if err != nil {
			return none, f.p.refusal(oauth.BadResponse, "", err)
		}
		if found {
			r.Data = append(r.Data, entry)
		}
		r.Partial = r.Partial || !found
		r.Unmapped = appendUnmapped(r.Unmapped, s.unmapped(""))
	}
	slices.SortStableFunc(r.Data, func(a, b oauth.FlowEntry) int { return b.OccurredAt.Compare(a.OccurredAt) })
	r.Raw, err = json.Marshal(pages)
	return r, err
}

// pages reads until it has what the provider says there is, or all that it will read. A provider that tells no total is
// asked for a further page only after a full one.
func (f flows) pages(ctx context.Context, cred oauth.Credential) (rows []any, raw []json.RawMessage, partial bool, err error) {
	for index := 1; index <= maxPages; index++ {
		query, err := pageQuery(index, pageSize)
		if err != nil {
			return nil, nil, false, err
		}
		answer, data, err := f.p.read(ctx, cred, f.p.paths.flow, query)
		if err != nil {
			return nil, nil, false, err
		}
		got, ok := rowsOf(data)
		if !ok {
			return nil, nil, false, f.p.refusal(oauth.BadResponse, "", errAnswer)
		}
		body := outbound.Bare(answer.Body)
		if n := len(raw); n > 0 && len(got.rows) > 0 && bytes.Equal(raw[n-1], body) {
			break // the page before once more: the number was not understood, and the next would be the same
		}
		rows, raw = append(rows, got.rows...), append(raw, body)
		if partial = got.total > len(rows); got.total < 0 {
			partial = len(got.rows) >= pageSize
		}
		if !partial || len(got.rows) == 0 {
			break
		}
	}
	return rows, raw, partial, nil
}

// appendUnmapped adds fields whose names are not there yet: of five hundred rows, one example each is enough.
func appendUnmapped(all, more []oauth.Unmapped) []oauth.Unmapped {
	for _, u := range more {
		known := slices.ContainsFunc(all, func(k oauth.Unmapped) bool { return k.Name == u.Name })
		if !known && len(all) < mostUnmapped {
			all = append(all, u)
		}
	}
	return all
}
