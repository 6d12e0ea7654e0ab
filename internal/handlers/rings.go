package handlers

import (
	"slices"
	"strings"
	"time"

	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// Step is a ring of the checklist.
type Step struct {
	Class string // done, yours, waits (for us or the provider), no
	Icon  string
	What  string
	Who   string // who is waited for, or that nobody is
	Date  string // since when it is so; "" where that is not known
	Note  string
	Link  Link // where whoever looks can act; empty: they cannot, or need not
}

// Done says whether nobody is waited for.
func (s Step) Done() bool { return s.Class == "done" }

// rings is the checklist of a connection, as one of its readers sees it.
type rings struct {
	Words
	connect.ConnectionView
	theirs  bool // the reader is of the platform's staff, and not "you"
	operate bool // the reader may act on it
}

// steps is how far a connection has come, and who must act, for a member of its tenant.
func (p Page) steps(v connect.ConnectionView) []Step {
	return rings{Words: p.Words, ConnectionView: v, operate: p.Viewer != nil && p.Viewer.Operate}.all()
}

// theirSteps is the same for the platform's staff, who act on nothing here.
func (w Words) theirSteps(v connect.ConnectionView) []Step {
	return rings{Words: w, ConnectionView: v, theirs: true}.all()
}

func (r rings) all() []Step {
	return []Step{r.connected(), r.permitted(), r.confirmed(), r.received(), r.reviewed()}
}

// connected is where every trouble is told that is no other ring's.
func (r rings) connected() Step {
	own := r.Reason == string(oauth.Permission) || r.Reason == string(oauth.AccountMismatch)
	if !r.State.Broken() || own || r.State != models.NeedsYou && r.FirstData().IsZero() {
		return r.done("connected", r.CreatedAt, "")
	}
	return r.waits("connected", r.holder(), r.why())
}

func (r rings) permitted() Step {
	switch {
	case len(r.Refused) > 0:
		return r.waits("permitted", byYou, r.refusal())
	case r.State.Broken() && r.Reason == string(oauth.Permission): // of a reading before it was kept which
		return r.waits("permitted", byYou, r.why())
	case r.SyncedAt != nil:
		return r.done("permitted", *r.SyncedAt, "")
	}
	return r.waits("permitted", r.holder(), r.T("connect.ring_permitted_later"))
}

// refusal names what may be read, if anything, and what may not.
func (r rings) refusal() string {
	var got, refused []string
	for _, b := range r.Refused {
		refused = append(refused, r.BlockName(b))
	}
	for _, b := range r.Blocks {
		if name := r.BlockName(b.Block); b.Fetched() && !slices.Contains(r.Refused, b.Block) {
			got = append(got, name)
		}
	}
	and := r.T("connect.offers_and")
	if len(got) == 0 {
		return r.T("connect.ring_refused", "refused", strings.Join(refused, and))
	}
	return r.T("connect.ring_refused_some", "refused", strings.Join(refused, and), "got", strings.Join(got, and))
}

// confirmed is true from the beginning: an account is identified by asking before anything is connected.
func (r rings) confirmed() Step {
	if r.State.Broken() && r.Reason == string(oauth.AccountMismatch) {
		return r.waits("confirmed", byYou, r.why())
	}
	return r.done("confirmed", r.CreatedAt, "")
}

func (r rings) received() Step {
	if first := r.FirstData(); !first.IsZero() {
		note := ""
		if r.SyncedAt != nil {
			note = r.T("connect.ring_newest", "ago", r.Ago(*r.SyncedAt))
		}
		return r.done("received", first, note)
	}
	note := ""
	switch {
	case r.State == models.Provider || r.State == models.Ours:
		note = r.why()
	case r.State.Broken():
	case !r.PausedSince.IsZero():
		note = r.PauseNote(r.PausedSince)
	case r.idle():
		note = r.T("connect.ring_paused")
	case r.SyncedAt != nil:
		note = r.T("connect.ring_nothing")
	default:
		note = r.T("connect.ring_fetching")
	}
	return r.waits("received", r.holder(), note)
}

// reviewed is the same for all connections of a tenant: its business is looked at once.
func (r rings) reviewed() Step {
	review, name := r.Review, ""
	if review.Begun() {
		name = r.T("review.state_" + string(review.State))
	}
	switch review.State {
	case models.ReviewApproved:
		return r.done("reviewed", review.Since, "")
	case models.ReviewRejected:
		step := Step{Class: "no", Icon: "no", What: r.T("connect.ring_reviewed"), Who: name, Date: r.Date(review.Since)}
		if r.Has("review.reason_" + review.Reason) {
			step.Note = r.T("review.reason_" + review.Reason)
		}
		return step
	case models.ReviewNeedsMore:
		step := r.waits("reviewed", byYou, name)
		if review.Deadline != nil {
			step.Note = r.T("connect.ring_more_until", "date", r.Date(*review.Deadline))
		}
		step.Link = Link{}
		if !r.theirs {
			step.Link = Link{r.T("connect.ring_more"), "/overview#review-title"}
		}
		return step
	}
	return r.waits("reviewed", byUs, name)
}

// idle says whether nothing is fetched because the merchant wants it so.
func (r rings) idle() bool { return r.SyncPausedAt != nil && r.SyncState == models.SyncIdle }

// holder is who holds the next reading up.
func (r rings) holder() string {
	switch {
	case r.State == models.NeedsYou:
		return byYou
	case r.State == models.Ours, r.State == models.Connected && !r.PausedSince.IsZero():
		return byUs
	case r.State == models.Connected && r.idle():
		return byYou
	}
	return byProvider
}

// why is the trouble in a sentence.
func (r rings) why() string {
	variant := ""
	if r.theirs {
		variant = "_theirs"
	}
	return r.explain(r.Provider, r.Reason, "", variant).What
}

func (r rings) done(step string, at time.Time, note string) Step {
	return Step{Class: "done", Icon: "check", What: r.T("connect.ring_" + step), Who: r.T("connect.ring_done"), Date: r.Date(at), Note: note}
}

// waits is a ring that somebody must act for; where that is the reader, it leads to where they can.
func (r rings) waits(step, who, note string) Step {
	icons := map[string]string{byYou: "you", byUs: "tool", byProvider: "away"}
	key := "connect.ring_by_" + who
	if r.theirs && r.Has(key+"_theirs") {
		key += "_theirs"
	}
	s := Step{Class: "waits", Icon: icons[who], What: r.T("connect.ring_" + step), Who: r.T(key), Note: note}
	if who == byYou {
		s.Class = "yours"
	}
	if who == byYou && r.operate && r.State == models.NeedsYou && note != "" {
		s.Link = Link{r.T("connect.reconnect"), "/connections/" + r.ID.String() + "/reconnect"}
	}
	return s
}
