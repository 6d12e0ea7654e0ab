package handlers

import (
	"slices"
	"time"

	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// How many entries of each kind stand on a page at once, and how many more unfold.
const (
	flowShown  = 10
	flowFolded = 40
	fewKinds   = 2 // of so few, each is shown, even if it is empty
)

// BlockCard is one block of data on a page.
type BlockCard struct {
	Words
	connect.BlockView
	Heading string
	Kinds   []oauth.FlowKind
	Ended   bool   // the connection is disconnected: nothing more will come
	History string // where its changes are shown; "" if nowhere for this reader
	Stale   string // that it may be outdated, and as of when; "" while it is fresh
	Parked  string // until when the provider wants no more questions; "" if it takes them
	Course  string // where the balances are shown over time; likewise
	Reveal  string // where its personal values can be shown; likewise
	Answer  string // where the provider's answer can be read; likewise
}

// FlowGroup is the movements of one kind, newest first.
type FlowGroup struct {
	Words
	Heading  string
	Entries  []oauth.FlowEntry
	Rest     []oauth.FlowEntry // what unfolds
	Total    int
	Statuses bool // some entry tells one
	Reasons  bool // some entry tells one
}

// Folded is the part that unfolds, as a table of its own.
func (g FlowGroup) Folded() FlowGroup {
	g.Entries = g.Rest
	return g
}

// Shown counts what can be seen here.
func (g FlowGroup) Shown() int { return len(g.Entries) + len(g.Rest) }

// Hidden says whether the page shows less than there is.
func (g FlowGroup) Hidden() bool { return g.Shown() < g.Total }

// staleAfter is how many of its provider's intervals a reading stays fresh for.
const staleAfter = 3

func (w Words) blockCards(view connect.ConnectionView, now time.Time) []BlockCard {
	cards := make([]BlockCard, 0, len(view.Blocks))
	for _, b := range view.Blocks {
		cards = append(cards, BlockCard{
			Words: w, BlockView: b, Heading: w.BlockName(b.Block), Kinds: view.Provider.FlowKinds, Ended: view.State == models.Disconnected,
			Stale: w.stale(view, b, now), Parked: w.parked(view),
		})
	}
	return cards
}

// stale says that a block may be outdated. What counts is the provider's own date where it tells one, for a figure that
// was fetched a minute ago can be nine days old; and nothing is fresh that nobody can fetch any more.
func (w Words) stale(view connect.ConnectionView, b connect.BlockView, now time.Time) string {
	asOf := b.FetchedAt
	if !b.ProviderAsOf.IsZero() {
		asOf = b.ProviderAsOf
	}
	over := view.State.Broken() || view.State == models.Disconnected || now.Sub(asOf) > staleAfter*connect.Every(view.Provider)
	if !b.Fetched() || !over {
		return ""
	}
	return w.T("state.stale_as_of", "date", w.DateTime(asOf))
}

// parked says until when a provider that asked for a pause is left alone.
func (w Words) parked(view connect.ConnectionView) string {
	if !view.State.Broken() || view.Reason != string(oauth.RateLimited) || view.NextSyncAt == nil {
		return ""
	}
	return w.T("state.parked_until", "provider", w.Say(view.Provider.Title), "date", w.DateTime(*view.NextSyncAt))
}

// Groups sorts movements by kind: those that the provider declares, in its order, then whatever else there is. Of two
// kinds an empty one is worth telling; of many it is only in the way.
func (b BlockCard) Groups() []FlowGroup {
	byKind := map[string][]oauth.FlowEntry{}
	for _, e := range b.Flow {
		byKind[e.Kind] = append(byKind[e.Kind], e)
	}
	var groups []FlowGroup
	declared := map[string]bool{}
	for _, k := range b.Kinds {
		declared[k.Kind] = true
		if len(byKind[k.Kind]) > 0 || len(b.Kinds) <= fewKinds {
			groups = append(groups, b.group(b.Say(k.Title), byKind[k.Kind]))
		}
	}
	for _, e := range b.Flow {
		if !declared[e.Kind] {
			declared[e.Kind] = true
			groups = append(groups, b.group(e.Kind, byKind[e.Kind]))
		}
	}
	return groups
}

func (b BlockCard) group(heading string, all []oauth.FlowEntry) FlowGroup {
	slices.SortStableFunc(all, func(a, b oauth.FlowEntry) int { return b.OccurredAt.Compare(a.OccurredAt) })
	g := FlowGroup{Words: b.Words, Heading: heading, Total: len(all), Entries: all[:min(flowShown, len(all))]}
	g.Rest = all[len(g.Entries):min(flowShown+flowFolded, len(all))]
	g.Statuses = slices.ContainsFunc(all, func(e oauth.FlowEntry) bool { return e.Status != "" })
	g.Reasons = slices.ContainsFunc(all, func(e oauth.FlowEntry) bool { return e.Reason != "" })
	return g
}

// StatusBadge shows a status: in our words where we know the provider's, else as delivered.
func (w Words) StatusBadge(status string) Badge {
	text := status
	if key := "block.status_" + status; w.Has(key) {
		text = w.T(key)
	}
	switch status {
	case "success", "succeeded", "paid", "won", "active":
		return Badge{"good", "check", text}
	case "failed", "fail", "declined", "lost":
		return Badge{"bad", "no", text}
	case "pending", "processing", "open":
		return Badge{"wait", "clock", text}
	}
	return Badge{"told", "dot", text}
}

// MayReveal says whether the reader can have personal values shown that the block has.
func (b BlockCard) MayReveal() bool { return b.Reveal != "" && len(b.PersonalFields()) > 0 }

// ChangedBefore says whether the data was the same already at an earlier look.
func (b BlockCard) ChangedBefore() bool { return b.FetchedAt.Sub(b.ChangedAt) > time.Second }

// BlockName names a kind of data.
func (w Words) BlockName(b oauth.Block) string { return w.T("block." + string(b)) }
