package handlers

import (
	"cmp"
	"slices"
	"time"

	"mooring/internal/oauth"
)

// Total is what is available in one currency. Currencies are never added to each other, nor play money to real money.
type Total struct {
	Words
	Environment oauth.Environment
	Amount      oauth.Money
	Accounts    int
}

// Sum is the total as the reader writes it.
func (t Total) Sum() string { return t.Money(t.Amount) }

// totals adds up what is available, live before test, in the order in which the currencies come up.
func (p OverviewPage) totals() []Total {
	var totals []Total
	for _, account := range p.Accounts {
		counted := map[int]bool{}
		for _, card := range account.Data {
			for _, wallet := range card.Wallets {
				i := slices.IndexFunc(totals, func(t Total) bool {
					return t.Environment == account.Environment && t.Amount.Currency == wallet.Available.Currency
				})
				if i < 0 {
					i = len(totals)
					totals = append(totals, Total{Words: p.Words, Environment: account.Environment, Amount: oauth.Money{Currency: wallet.Available.Currency}})
				}
				totals[i].Amount.Amount = totals[i].Amount.Amount.Add(wallet.Available.Amount)
				if !counted[i] {
					counted[i] = true
					totals[i].Accounts++
				}
			}
		}
	}
	slices.SortStableFunc(totals, func(a, b Total) int { return cmp.Compare(rank(a.Environment), rank(b.Environment)) })
	return totals
}

func rank(e oauth.Environment) int {
	if e == oauth.Live {
		return 0
	}
	return 1
}

// FlowSum is how much moved in one account, of one kind.
type FlowSum struct {
	Account OverviewAccount
	Heading string
	Total   int
	Newest  time.Time // zero: the provider does not date them
}

// flows counts the movements; all of them are on the account's page.
func (p OverviewPage) flows() []FlowSum {
	var sums []FlowSum
	for _, account := range p.Accounts {
		for _, card := range account.Data {
			if card.Block != oauth.BlockWalletFlow {
				continue
			}
			for _, group := range card.Groups() {
				sum := FlowSum{Account: account, Heading: group.Heading, Total: group.Total}
				if len(group.Entries) > 0 {
					sum.Newest = group.Entries[0].OccurredAt
				}
				sums = append(sums, sum)
			}
		}
	}
	return sums
}
