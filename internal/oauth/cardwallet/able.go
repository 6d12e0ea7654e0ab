package cardwallet

import "mooring/internal/oauth"

// What each configured path adds to a Provider.
type (
	merchants struct{ p *Provider }
	wallets   struct{ p *Provider }
	flows     struct{ p *Provider }
)

var (
	_ oauth.MerchantFetcher   = merchants{}
	_ oauth.CompanyFetcher    = merchants{}
	_ oauth.WalletFetcher     = wallets{}
	_ oauth.WalletFlowFetcher = flows{}
)

// able gives a provider that has the methods whose paths are configured, and no others.
func (p *Provider) able() oauth.Provider {
	m, w, f := merchants{p}, wallets{p}, flows{p}
	switch on := [3]bool{p.paths.merchant != "", p.paths.wallet != "", p.paths.flow != ""}; on {
	case [3]bool{true, true, true}:
		return struct {
			*Provider
			merchants
			wallets
			flows
		}{p, m, w, f}
	case [3]bool{true, true, false}:
		return struct {
			*Provider
			merchants
			wallets
		}{p, m, w}
	case [3]bool{true, false, true}:
		return struct {
			*Provider
			merchants
			flows
		}{p, m, f}
	case [3]bool{false, true, true}:
		return struct {
			*Provider
			wallets
			flows
		}{p, w, f}
	case [3]bool{true, false, false}:
		return struct {
			*Provider
			merchants
		}{p, m}
	case [3]bool{false, true, false}:
		return struct {
			*Provider
			wallets
		}{p, w}
	case [3]bool{false, false, true}:
		return struct {
			*Provider
			flows
		}{p, f}
	}
	return p
}
