package oauth

import "context"

// Refresher gets a new credential before the old one expires. Both tokens of the answer replace the old ones; an
// answer without a refresh token keeps the old one.
type Refresher interface {
	Refresh(ctx context.Context, cred Credential) (Credential, error)
}

// Checker looks at a form's values before anything is sent or written down. What is plainly not what was asked for (half
// a key, a token with a letter that none has) is an Error of kind BadRequest whose Code is the field's name, which
// Descriptor.Errors explains: it is shown at the field, and what was typed stays. Check asks nobody. The way in itself
// refuses the same values as well.
type Checker interface {
	Check(values Values) error
}

// Revoker tells the provider that access has ended.
type Revoker interface {
	Revoke(ctx context.Context, cred Credential) error
}

// MerchantFetcher reads who the merchant is at the provider.
type MerchantFetcher interface {
	FetchMerchant(ctx context.Context, cred Credential) (Reading[Merchant], error)
}

// CompanyFetcher reads the registered company behind the account.
type CompanyFetcher interface {
	FetchCompany(ctx context.Context, cred Credential) (Reading[Company], error)
}

// UserFetcher reads the person who holds the account.
type UserFetcher interface {
	FetchUser(ctx context.Context, cred Credential) (Reading[User], error)
}

// WalletFetcher reads balances, one per currency or coin.
type WalletFetcher interface {
	FetchWallets(ctx context.Context, cred Credential) (Reading[[]Wallet], error)
}

// WalletFlowFetcher reads what moved: transactions, chargebacks, top-ups; each entry names its kind.
type WalletFlowFetcher interface {
	FetchWalletFlow(ctx context.Context, cred Credential) (Reading[[]FlowEntry], error)
}
