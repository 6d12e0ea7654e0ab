package connect

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/vault"
)

const (
	// balancesRead bounds the versions that are opened for a look at balances over time.
	balancesRead = 200
	// balancesSpan is how far back such a look goes from the newest version.
	balancesSpan = 90 * 24 * time.Hour
)

// BalancesView is a connection's balances over time.
type BalancesView struct {
	ConnectionView        // without data
	Offered        bool   // the provider has balances
	Lines          []Line // by currency, in the newest version's order, then those that are gone
	Cut            bool   // there are older versions within the span
	Broken         int    // versions that do not open
}

// Line is the balance in one currency over time. Different currencies are different lines, never summed.
type Line struct {
	Currency string
	Points   []Point // oldest first
}

// Point is a balance that was told from one look on and still so at another.
type Point struct {
	From, Until time.Time
	AsOf        time.Time // the provider's own date, at the last look; zero: it gives none
	Wallet      oauth.Wallet
	Ended       bool // the look after it did not find the currency any more
}

// Last is the newest point.
func (l Line) Last() Point { return l.Points[len(l.Points)-1] }

// Balances gives a connection's balances over time.
func (s *Service) Balances(ctx context.Context, st *models.TenantStore, id uuid.UUID) (BalancesView, error) {
	page, err := st.Balances(ctx, id, balancesRead+1)
	if err != nil {
		return BalancesView{}, err
	}
	view := BalancesView{ConnectionView: s.outlineView(page.Connection, page.Account, page.Key)}
	view.Offered = slices.Contains(view.Provider.Blocks, oauth.BlockWallet)
	if len(page.Versions) == 0 {
		return view, nil
	}
	start := page.Versions[0].FetchedAt.Add(-balancesSpan)
	page.Versions = slices.DeleteFunc(page.Versions, func(v models.Version) bool { return v.FetchedAt.Before(start) })
	if view.Cut = len(page.Versions) > balancesRead; view.Cut {
		page.Versions = page.Versions[:balancesRead]
	}
	versions := make([]models.Snapshot, 0, len(page.Versions))
	for _, v := range page.Versions {
		versions = append(versions, v.Snapshot)
	}
	view.Lines, view.Broken = s.course(page.Connection, page.Key, versions, start)
	return view, nil
}

// course opens versions of a connection's balances, newest first, and tells how each currency went from start on.
func (s *Service) course(c models.Connection, key vault.WrappedKey, versions []models.Snapshot, start time.Time) (all []Line, broken int) {
	var lines lines
	for _, v := range slices.Backward(versions) {
		block := s.openBlock(c, key, v)
		if block.Broken {
			broken++
			continue
		}
		block.ChangedAt = later(block.ChangedAt, start)
		lines.add(block)
	}
	return lines.all, broken
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// lines grows version by version, from the oldest on.
type lines struct{ all []Line }

func (l *lines) add(b BlockView) {
	var told []string
	for _, w := range b.Wallets {
		currency := w.Total.Currency
		if slices.Contains(told, currency) {
			continue // a second one of the same currency would be taken for a change of the first
		}
		told = append(told, currency)
		l.tell(currency, Point{From: b.ChangedAt, Until: b.FetchedAt, AsOf: b.ProviderAsOf, Wallet: w})
	}
	for i := range l.all {
		if !slices.Contains(told, l.all[i].Currency) {
			l.all[i].Points[len(l.all[i].Points)-1].Ended = true
		}
	}
	slices.SortStableFunc(l.all, func(a, b Line) int { return rank(told, a.Currency) - rank(told, b.Currency) })
}

// tell adds a point to its currency's line. Of a version in which another currency has changed, nothing is new here.
func (l *lines) tell(currency string, p Point) {
	i := slices.IndexFunc(l.all, func(line Line) bool { return line.Currency == currency })
	if i < 0 {
		l.all = append(l.all, Line{Currency: currency, Points: []Point{p}})
		return
	}
	line := &l.all[i]
	if last := &line.Points[len(line.Points)-1]; !last.Ended && sameBalance(last.Wallet, p.Wallet) {
		last.Until, last.AsOf = p.Until, p.AsOf
		return
	}
	line.Points = append(line.Points, p)
}

func sameBalance(a, b oauth.Wallet) bool {
	return same(a.Total, b.Total) && same(a.Available, b.Available) && same(a.Frozen, b.Frozen)
}

// rank is a currency's place among those told; what is gone comes last.
func rank(told []string, currency string) int {
	if i := slices.Index(told, currency); i >= 0 {
		return i
	}
	return len(told)
}
