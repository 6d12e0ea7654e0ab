package handlers

import (
	"slices"
	"time"

	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// flowShown is how many entries of each kind a page shows.
const flowShown = 50

// BlockCard is one block of data on a page.
type BlockCard struct {
	Words
	connect.BlockView
	Heading string
	Ended   bool // the connection is disconnected: nothing more will come
}

// FlowGroup is the movements of one kind.
type FlowGroup struct {
	Heading string
	Reasons bool // some entry tells one
	Entries []oauth.FlowEntry
	Total   int
}

func (w Words) blockCards(view connect.ConnectionView) []BlockCard {
	cards := make([]BlockCard, 0, len(view.Blocks))
	for _, b := range view.Blocks {
		cards = append(cards, BlockCard{
			Words: w, BlockView: b, Heading: w.T("block." + string(b.Block)), Ended: view.State == models.Disconnected,
		})
	}
	return cards
}

// Groups sorts movements by kind, transactions before chargebacks before whatever else there is, newest first.
func (b BlockCard) Groups() []FlowGroup {
	byKind := map[string][]oauth.FlowEntry{"transaction": nil, "chargeback": nil}
	kinds := []string{"transaction", "chargeback"}
	for _, e := range b.Flow {
		if !slices.Contains(kinds, e.Kind) {
			kinds = append(kinds, e.Kind)
		}
		byKind[e.Kind] = append(byKind[e.Kind], e)
	}
	groups := make([]FlowGroup, 0, len(kinds))
	for _, kind := range kinds {
		entries := slices.Clone(byKind[kind])
		slices.SortStableFunc(entries, func(a, b oauth.FlowEntry) int { return b.OccurredAt.Compare(a.OccurredAt) })
		g := FlowGroup{Heading: kind, Entries: entries[:min(flowShown, len(entries))], Total: len(entries)}
		if key := "block.flow_" + kind; b.Has(key) {
			g.Heading = b.T(key)
		}
		g.Reasons = slices.ContainsFunc(g.Entries, func(e oauth.FlowEntry) bool { return e.Reason != "" })
		groups = append(groups, g)
	}
	return groups
}

// StatusBadge shows a movement's status: in our words where we know the provider's, else as delivered.
func (b BlockCard) StatusBadge(status string) Badge {
	text := status
	if key := "block.status_" + status; b.Has(key) {
		text = b.T(key)
	}
	switch status {
	case "success", "succeeded", "paid", "won":
		return Badge{"good", "check", text}
	case "failed", "fail", "declined", "lost":
		return Badge{"bad", "no", text}
	case "pending", "processing", "open":
		return Badge{"wait", "clock", text}
	}
	return Badge{"", "dot", text}
}

// ChangedBefore says whether the data was the same already at an earlier look.
func (b BlockCard) ChangedBefore() bool { return b.FetchedAt.Sub(b.ChangedAt) > time.Second }

// BlockName names a kind of data.
func (w Words) BlockName(b oauth.Block) string { return w.T("block." + string(b)) }
