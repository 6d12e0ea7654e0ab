package redemption

import (
	"context"
	"encoding/json"
	"errors"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

var errAmount = errors.New("an amount is missing or not a number")

type balanceRequest struct {
	MerchantID string `json:"merchantId"`
	BusinessID string `json:"businessId"`
}

type balanceWire struct {
	MerchantID outbound.Text `json:"merchantId"`
	BusinessID outbound.Text `json:"businessId"`
	Amount     outbound.Text `json:"amount"`
	CreditLine outbound.Text `json:"creditLine"`
}

// FetchMerchant implements oauth.MerchantFetcher: the numbers of merchant and business, and the proof that they and the
// key still open the account. There is no profile to ask for.
func (p *Provider) FetchMerchant(ctx context.Context, cred oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
	m, _, raw, err := p.balance(ctx, cred)
	if err != nil {
		return oauth.Reading[oauth.Merchant]{}, err
	}
	return oauth.Reading[oauth.Merchant]{Data: oauth.Merchant{ID: m.merchantID, Gateways: []string{m.businessID}}, Raw: raw}, nil
}

// FetchWallets implements oauth.WalletFetcher: one balance, and how far it may be overdrawn.
func (p *Provider) FetchWallets(ctx context.Context, cred oauth.Credential) (oauth.Reading[[]oauth.Wallet], error) {
	_, b, raw, err := p.balance(ctx, cred)
	if err != nil {
		return oauth.Reading[[]oauth.Wallet]{}, err
	}
	amount, ok := outbound.Exact(string(b.Amount))
	if !ok {
		return oauth.Reading[[]oauth.Wallet]{}, p.refusal(oauth.BadResponse, "", errAmount)
	}
	w := oauth.Wallet{
		Available: oauth.Money{Amount: amount, Currency: currency}, Total: oauth.Money{Amount: amount, Currency: currency},
		Frozen: oauth.Money{Currency: currency},
	}
	if b.CreditLine != "" {
		credit, ok := outbound.Exact(string(b.CreditLine))
		if !ok {
			return oauth.Reading[[]oauth.Wallet]{}, p.refusal(oauth.BadResponse, "", errAmount)
		}
		w.CreditLine = oauth.Money{Amount: credit, Currency: currency}
	}
	return oauth.Reading[[]oauth.Wallet]{Data: []oauth.Wallet{w}, Raw: raw}, nil
}

// balance asks for the balance of the merchant's business. Success is status 0 and nothing else; errors, too, come with
// data.
func (p *Provider) balance(ctx context.Context, cred oauth.Credential) (merchant, balanceWire, json.RawMessage, error) {
	var b balanceWire
	m, err := merchantOf(cred.Extra)
	if err != nil {
		return m, b, nil, err
	}
	answer, out, err := p.call(ctx, m, balancePath, balanceRequest{MerchantID: m.merchantID, BusinessID: m.businessID})
	if err != nil {
		return m, b, nil, oauth.UnansweredRead(slug, err)
	}
	r := parse(answer.Body)
	if !r.accepted() {
		return m, b, nil, p.refused(m, out, answer, r, false)
	}
	if outbound.DecodeJSON(r.data, &b) != nil || b.Amount == "" {
		return m, b, nil, p.refusal(oauth.BadResponse, "", errAmount)
	}
	if (b.MerchantID != "" && string(b.MerchantID) != m.merchantID) || (b.BusinessID != "" && string(b.BusinessID) != m.businessID) {
		return m, b, nil, p.refusal(oauth.BadResponse, "", errForeign)
	}
	return m, b, outbound.Bare(answer.Body), nil
}
