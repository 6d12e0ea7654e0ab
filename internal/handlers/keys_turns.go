package handlers

import "mooring/internal/models"

// TurnsBox is how replacing the tenants' data keys stands.
type TurnsBox struct {
	Counts string // empty: it was never done
	Kept   int    // old keys that cannot be destroyed
	Lines  []TurnLine
	More   int // turns that are not shown
}

// TurnLine is a tenant whose data key is being replaced.
type TurnLine struct {
	Name, Href string
	Badge      Badge
	Rewritten  int
	Next       Moment
}

func (w Words) turnsBox(k models.KeyTurns) TurnsBox {
	box := TurnsBox{Kept: k.Kept, More: k.Underway() + k.Kept - len(k.Open)}
	if k.Underway()+k.Kept+k.Ended > 0 {
		box.Counts = w.T("keys.tenants_counts", "waiting", k.Waiting, "rewriting", k.Rewriting, "resting", k.Resting, "ended", k.Ended, "values", k.Rewritten)
	}
	for _, o := range k.Open {
		box.Lines = append(box.Lines, TurnLine{
			Name: o.Name, Href: "/admin/tenants/" + o.Tenant.String(), Badge: w.turnBadge(o.KeyTurn), Rewritten: o.Rewritten, Next: w.When(o.DueAt),
		})
	}
	return box
}

func (w Words) turnBadge(turn models.KeyTurn) Badge {
	switch {
	case turn.SealingAt == nil:
		return Badge{"wait", "clock", w.T("keys.turn_waiting")}
	case turn.RewrittenAt == nil:
		return Badge{"wait", "clock", w.T("keys.turn_rewriting")}
	case turn.Stuck > 0:
		return Badge{"bad", "alert", w.T("keys.turn_kept", "count", turn.Stuck)}
	}
	return Badge{"good", "check", w.T("keys.turn_resting")}
}
