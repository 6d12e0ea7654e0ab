package oauthtest

import (
	"context"
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"

	"mooring/internal/oauth"
)

// Identify implements oauth.Provider.
func (f *Fake) Identify(ctx context.Context, cred oauth.Credential) (oauth.Account, error) {
	var on func(context.Context, oauth.Credential) (oauth.Account, error)
	f.enter(OpIdentify, func() { on = f.OnIdentify })
	if on != nil {
		return on(ctx, cred)
	}
	account, err := accountOf(cred)
	if err != nil {
		return oauth.Account{}, err
	}
	return oauth.Account{ExternalID: account, Name: "Fake " + account}, ctx.Err()
}

// FetchMerchant implements oauth.MerchantFetcher.
func (f *Fake) FetchMerchant(ctx context.Context, cred oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
	var on func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error)
	f.enter(OpMerchant, func() { on = f.OnMerchant })
	return answer(ctx, cred, on, func(account string) oauth.Merchant {
		return oauth.Merchant{ID: account, Name: "Fake Trading " + account, Status: "active", Gateways: []string{account + "001"}}
	})
}

// FetchCompany implements oauth.CompanyFetcher.
func (f *Fake) FetchCompany(ctx context.Context, cred oauth.Credential) (oauth.Reading[oauth.Company], error) {
	var on func(context.Context, oauth.Credential) (oauth.Reading[oauth.Company], error)
	f.enter(OpCompany, func() { on = f.OnCompany })
	return answer(ctx, cred, on, func(account string) oauth.Company {
		return oauth.Company{Name: "Fake Ltd " + account, Type: "1", TaxNumber: "91330100MA2canary", LegalPerson: "Fake Person", LegalPhone: "13300000170"}
	})
}

// FetchUser implements oauth.UserFetcher.
func (f *Fake) FetchUser(ctx context.Context, cred oauth.Credential) (oauth.Reading[oauth.User], error) {
	var on func(context.Context, oauth.Credential) (oauth.Reading[oauth.User], error)
	f.enter(OpUser, func() { on = f.OnUser })
	return answer(ctx, cred, on, func(account string) oauth.User {
		return oauth.User{ID: account, Username: "fake-" + account, RealName: "Fake Person", Email: "person@fake.example"}
	})
}

// FetchWallets implements oauth.WalletFetcher.
func (f *Fake) FetchWallets(ctx context.Context, cred oauth.Credential) (oauth.Reading[[]oauth.Wallet], error) {
	var on func(context.Context, oauth.Credential) (oauth.Reading[[]oauth.Wallet], error)
	f.enter(OpWallets, func() { on = f.OnWallets })
	return answer(ctx, cred, on, func(string) []oauth.Wallet {
		return []oauth.Wallet{{Available: usd("90.10"), Frozen: usd("9.90"), Total: usd("100.00")}}
	})
}

// FetchWalletFlow implements oauth.WalletFlowFetcher.
func (f *Fake) FetchWalletFlow(ctx context.Context, cred oauth.Credential) (oauth.Reading[[]oauth.FlowEntry], error) {
	var on func(context.Context, oauth.Credential) (oauth.Reading[[]oauth.FlowEntry], error)
	f.enter(OpWalletFlow, func() { on = f.OnWalletFlow })
	return answer(ctx, cred, on, func(account string) []oauth.FlowEntry {
		at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
		return []oauth.FlowEntry{
			{ID: "t1", Kind: "transaction", OrderNo: "order-1", Gateway: account + "001", Amount: usd("19.99"), Status: "success", OccurredAt: at},
			{ID: "c1", Kind: "chargeback", OrderNo: "order-0", Gateway: account + "001", Amount: usd("5.00"), Status: "open", Reason: "fraud", OccurredAt: at},
		}
	})
}

// Refresh implements oauth.Refresher: a new pair for the same account.
func (r RenewingFake) Refresh(ctx context.Context, cred oauth.Credential) (oauth.Credential, error) {
	var on func(context.Context, oauth.Credential) (oauth.Credential, error)
	r.enter(OpRefresh, func() { on = r.OnRefresh })
	if on != nil {
		return on(ctx, cred)
	}
	account, err := accountOf(cred)
	if err != nil {
		return oauth.Credential{}, err
	}
	return r.Credential(account), ctx.Err()
}

// Revoke implements oauth.Revoker.
func (r RenewingFake) Revoke(ctx context.Context, cred oauth.Credential) error {
	var on func(context.Context, oauth.Credential) error
	r.enter(OpRevoke, func() { on = r.OnRevoke })
	if on != nil {
		return on(ctx, cred)
	}
	return ctx.Err()
}

// answer gives what the function field says, or else the default for the credential's account.
func answer[T any](ctx context.Context, cred oauth.Credential,
	on func(context.Context, oauth.Credential) (oauth.Reading[T], error), usual func(account string) T,
) (oauth.Reading[T], error) {
	if on != nil {
		return on(ctx, cred)
	}
	account, err := accountOf(cred)
	if err != nil {
		return oauth.Reading[T]{}, err
	}
	data := usual(account)
	raw, err := json.Marshal(data)
	if err != nil {
		return oauth.Reading[T]{}, err
	}
	return oauth.Reading[T]{Data: data, Raw: raw, SourceZone: "Asia/Shanghai"}, ctx.Err()
}

func usd(amount string) oauth.Money {
	return oauth.Money{Amount: decimal.RequireFromString(amount), Currency: "USD"}
}
