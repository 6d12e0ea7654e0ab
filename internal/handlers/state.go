package handlers

import (
	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// StatePanel says how a connection is, in the same words wherever it is shown: who must act, why, since when, what to
// do, and what became of it at the provider.
type StatePanel struct {
	Words
	connect.ConnectionView
	Reason  Reason // of its trouble, if it has one
	Operate bool   // whoever looks may act on it
}

// statePanel is a connection's panel for a member of its tenant.
func (p Page) statePanel(v connect.ConnectionView) StatePanel {
	panel := StatePanel{Words: p.Words, ConnectionView: v, Operate: p.Viewer != nil && p.Viewer.Operate}
	if v.State.Broken() {
		panel.Reason = p.reasonOf(v.Provider, v.Reason, "")
	}
	return panel
}

// theirStatePanel is the panel for the platform's staff, who act on nothing and are not "you".
func (p Page) theirStatePanel(v connect.ConnectionView) StatePanel {
	panel := StatePanel{Words: p.Words, ConnectionView: v}
	if v.State.Broken() {
		panel.Reason = p.explain(v.Provider, v.Reason, "", "_theirs")
	}
	return panel
}

// Broken says whether somebody must act, or the provider recover.
func (p StatePanel) Broken() bool { return p.State.Broken() }

// Gone says whether it is disconnected.
func (p StatePanel) Gone() bool { return p.State == models.Disconnected }

// Yours says whether the merchant must act.
func (p StatePanel) Yours() bool { return p.State == models.NeedsYou }

// NextTry is when a broken connection is fetched again by itself; "" if it is not, or is being fetched.
func (p StatePanel) NextTry() string {
	if p.NextSyncAt == nil || p.SyncPausedAt != nil || p.SyncState != models.SyncIdle {
		return ""
	}
	return p.DateTime(*p.NextSyncAt)
}

// AtProvider tells what became of the access at the provider; "" for what was disconnected before that was kept.
func (p StatePanel) AtProvider() string {
	r := p.Revocation
	if r == nil {
		return ""
	}
	provider := p.Say(p.Provider.Title)
	switch {
	case r.State == models.RevocationWaiting && r.Tries == 0:
		return p.T("state.revoke_now", "provider", provider)
	case r.State == models.RevocationWaiting:
		return p.T("state.revoke_waiting", "provider", provider, "next", p.DateTime(*r.NextAt), "until", p.DateTime(r.UntilAt))
	case r.State == models.RevocationConfirmed:
		return p.T("state.revoke_confirmed", "provider", provider, "date", p.DateTime(*r.EndedAt))
	}
	return p.T("state.revoke_"+string(r.State), "provider", provider)
}

// EndThere is how the merchant ends it at the provider, where nobody can say that it has ended; else "".
func (p StatePanel) EndThere() string {
	if r := p.Revocation; r == nil || r.State == models.RevocationWaiting || r.State == models.RevocationConfirmed {
		return ""
	}
	return p.Say(p.Provider.EndThere)
}

// DataFate tells what becomes of what was fetched.
func (p StatePanel) DataFate() string {
	switch {
	case p.ErasedAt != nil:
		return p.T("state.data_erased", "date", p.DateTime(*p.ErasedAt))
	case p.EraseAt != nil:
		return p.T("state.data_erasing", "date", p.DateTime(*p.EraseAt))
	}
	return p.T("state.data_kept")
}

// StateBadge says how a connection is.
func (w Words) StateBadge(c models.Connection) Badge {
	return w.badgeOf(c.Shown(), w.T("state."+string(c.Shown())))
}

// TheirStateBadge says how a merchant's connection is to the platform's staff.
func (w Words) TheirStateBadge(c models.Connection) Badge {
	key := "state." + string(c.Shown())
	if w.Has(key + "_theirs") {
		key += "_theirs"
	}
	return w.badgeOf(c.Shown(), w.T(key))
}

func (w Words) badgeOf(state models.State, text string) Badge {
	switch state {
	case models.Connected:
		return Badge{"good", "check", text}
	case models.Syncing:
		return Badge{"sea", "turn", text}
	case models.NeedsYou:
		return Badge{"bad", "you", text}
	case models.Provider:
		return Badge{"wait", "away", text}
	case models.Ours:
		return Badge{"wait", "tool", text}
	}
	return Badge{"", "off", text}
}

// Trouble is a broken connection in the banner of every page.
type Trouble struct {
	Account string // provider and account
	Text    string // who must act, and since when
	Href    string // where it is told, or mended
	Yours   bool   // whoever looks can mend it there
	Note    string // for one who may only look
}

// troubles are the broken connections, except the one whose page this is, where the whole page tells, and the one that is
// being reconnected here: a button that leads to its own page helps nobody.
func (p Page) troubles(all []models.Trouble, describe func(slug string) (d oauth.Descriptor, offered, ok bool)) (told []Trouble) {
	for _, t := range all {
		href := "/connections/" + t.ID.String()
		if p.path == href || p.path == href+"/reconnect" {
			continue
		}
		d, _, known := describe(t.Provider)
		if !known {
			d.Title = oauth.Text{ZH: t.Provider, EN: t.Provider}
		}
		one := Trouble{
			Account: p.T("state.banner", "provider", p.Say(d.Title), "account", p.labelled(t.Label, t.AccountMasked)),
			Text:    p.T("state.banner_"+string(t.State), "since", p.DateTime(t.StateSince)), Href: href,
		}
		switch {
		case t.State == models.NeedsYou && p.Viewer.Operate:
			one.Yours, one.Href = true, href+"/reconnect"
		case t.State == models.NeedsYou:
			one.Note = p.T("state.banner_viewer")
		}
		told = append(told, one)
	}
	return told
}
