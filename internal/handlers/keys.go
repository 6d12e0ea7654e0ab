package handlers

import (
	"strings"

	"github.com/gin-gonic/gin"

	"mooring/internal/models"
)

// KeysPage is how the master keys stand. It names keys and shows none.
type KeysPage struct {
	Page
	Rows      []KeyLine
	Programs  []HolderLine
	Behind    int64 // rows on another key than the newest
	Done, All int64
	Missing   int64 // rows that need a key which nobody has ever loaded
	Nameless  int64
	Turns     TurnsBox
	Steps     []KeyStep
	Lines     []EventLine
}

// KeyLine is a master key in the list.
type KeyLine struct {
	ID    string
	Badge Badge
	Rows  int64
	Added Moment // zero: nobody has ever announced it
}

// HolderLine is a serving program with what it has loaded.
type HolderLine struct {
	Name, Main, Keys string
	Seen             Moment
}

// KeyStep is what to do next: a sentence, and the command that does it.
type KeyStep struct{ Text, Command string }

// showKeys answers "GET /admin/keys".
func (s *Server) showKeys(c *gin.Context, a *Admin) error {
	st, err := a.Store.MasterKeys(c.Request.Context())
	if err != nil {
		return err
	}
	page := KeysPage{Page: s.page(c, "keys.title"), Nameless: st.Nameless}
	page.Behind, page.All = st.Behind()
	page.Done = page.All - page.Behind
	for _, k := range st.Keys {
		line := KeyLine{ID: k.ID.String(), Badge: page.keyBadge(st, k), Rows: k.Rows}
		if !k.AddedAt.IsZero() {
			line.Added = page.When(k.AddedAt)
		} else {
			page.Missing += k.Rows
		}
		page.Rows = append(page.Rows, line)
	}
	for _, h := range st.Holders {
		page.Programs = append(page.Programs, HolderLine{
			Name: h.Replica, Main: h.Main.String(), Keys: strings.Join(h.Names(), ", "), Seen: page.When(h.SeenAt),
		})
	}
	page.Turns = page.turnsBox(st.Turns)
	page.Steps = page.keySteps(st)
	h := historian{words: page.Words, describe: s.Connect.Describe, nameOf: func(models.Event) string { return "" }}
	for _, e := range st.Acts {
		page.Lines = append(page.Lines, h.line(e))
	}
	return s.show(c, page)
}

func (w Words) keyBadge(st models.KeyStatus, k models.MasterKey) Badge {
	switch {
	case k.RetiredAt != nil && k.Rows == 0:
		return Badge{"", "off", w.T("keys.state_retired")}
	case k.AddedAt.IsZero() || k.RetiredAt != nil:
		return Badge{"bad", "alert", w.T("keys.state_unknown")}
	case k.ID == st.Newest:
		return Badge{"good", "check", w.T("keys.state_seals")}
	case k.PromotedAt == nil:
		return Badge{"wait", "clock", w.T("keys.state_added")}
	}
	return Badge{"", "eye", w.T("keys.state_opens")}
}

// keySteps says what an operator would do now, the most pressing first.
func (p KeysPage) keySteps(st models.KeyStatus) (steps []KeyStep) {
	const rotate = "web keys rotate"
	underWay := p.Behind > 0
	for _, k := range st.Keys {
		switch {
		case k.AddedAt.IsZero() || k.RetiredAt != nil || k.ID == st.Newest:
		case k.PromotedAt == nil:
			underWay = true
			if lacking := st.Lacking(k.ID); len(lacking) > 0 {
				steps = append(steps, KeyStep{Text: p.T("keys.next_wait", "count", len(lacking), "key", k.ID.String())})
			}
		case k.Rows == 0:
			steps = append(steps, KeyStep{p.T("keys.next_retire", "key", k.ID.String()), "web keys retire " + k.ID.String()})
		}
	}
	rotating := KeyStep{p.T("keys.next_rotate"), rotate}
	if underWay {
		rotating.Text = p.T("keys.next_go_on")
	}
	return append(steps, rotating, KeyStep{p.T("keys.next_tenants"), "web keys rotate-tenants --all --older 2160h"})
}
