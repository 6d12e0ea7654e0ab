package connect

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// MaxNote is how long the words beside a reason, and an account's own label, may be.
const (
	MaxNote  = 200
	MaxLabel = 60
)

// otherReason is the reason that wants words beside it.
const otherReason = "other"

// RevealReasons are the reasons to look at personal values. The pages have a sentence for each.
func RevealReasons() []string { return []string{"check", "mistake", "support", "law", otherReason} }

// ViewReasons are the reasons for the staff to look at a merchant's pages as a viewer would.
func ViewReasons() []string { return []string{"asked", "review", "fault", otherReason} }

// Why is the reason that somebody gives for looking.
type Why struct {
	Reason string // one of those that are offered
	Note   string // in the person's own words; needed where the reason is "other"
}

// Check says what is wrong with it.
func (w Why) Check(offered []string) error {
	switch {
	case !slices.Contains(offered, w.Reason):
		return errs.New(errs.Invalid, "reveal.fault_reason").On("reason")
	case w.Reason == otherReason && w.Line() == "":
		return errs.New(errs.Invalid, "reveal.fault_note").On("note")
	case utf8.RuneCountInString(w.Note) > MaxNote:
		return errs.New(errs.Invalid, "reveal.fault_long").On("note")
	}
	return nil
}

// Line is the note as it is kept: one line of letters that can be seen.
func (w Why) Line() string { return oneLine(w.Note) }

// RevealRequest asks for the personal values of one block.
type RevealRequest struct {
	Connection uuid.UUID
	Block      oauth.Block
	Why
}

// Revealed is one block whose personal values somebody may see now.
type Revealed struct {
	ConnectionView // without data
	Block          BlockView
}

// looker reads a block and writes the event that tells of it, together.
type looker func(ctx context.Context, connection uuid.UUID, block oauth.Block, open func(models.Sight) (models.NewEvent, error)) error

// Reveal opens the personal values of a block for a member of its tenant. Who looked, at what and why stands in the tenant's
// history before anything is shown.
func (s *Service) Reveal(ctx context.Context, st *models.TenantStore, r RevealRequest) (Revealed, error) {
	return s.reveal(ctx, st.Reveal, r)
}

// RevealTo is Reveal for the platform's staff.
func (s *Service) RevealTo(ctx context.Context, p *models.PlatformStore, tenant uuid.UUID, r RevealRequest) (Revealed, error) {
	return s.reveal(ctx, func(ctx context.Context, id uuid.UUID, block oauth.Block, open func(models.Sight) (models.NewEvent, error)) error {
		return p.Reveal(ctx, tenant, id, block, open)
	}, r)
}

func (s *Service) reveal(ctx context.Context, look looker, r RevealRequest) (seen Revealed, err error) {
	if err := r.Check(RevealReasons()); err != nil {
		return Revealed{}, err
	}
	err = look(ctx, r.Connection, r.Block, func(sight models.Sight) (models.NewEvent, error) {
		seen.ConnectionView = s.outlineView(sight.Connection, sight.Account, sight.Key)
		seen.Block = s.openBlock(sight.Connection, sight.Key, sight.Snapshot)
		fields := seen.Block.PersonalFields()
		if len(fields) == 0 || seen.Block.Broken {
			return models.NewEvent{}, errs.New(errs.Conflict, "reveal.nothing")
		}
		detail := sightDetail(sight)
		detail["fields"], detail["reason"] = fields, r.Reason
		if note := r.Line(); note != "" {
			detail["note"] = note
		}
		return models.NewEvent{Kind: "connection.revealed", Connection: sight.ID, Detail: detail}, nil
	})
	if err != nil {
		return Revealed{}, err
	}
	return seen, nil
}

func sightDetail(s models.Sight) map[string]any {
	return map[string]any{"provider": s.Provider, "account": s.AccountMasked, "block": s.Snapshot.Block}
}

// PersonalFields names the fields of a block that hold a value about a person.
func (b BlockView) PersonalFields() []string {
	var names []string
	b.eachPersonal(func(name string, _ oauth.Personal) { names = append(names, name) })
	if len(b.Unmapped) > 0 {
		names = append(names, "unmapped")
	}
	return names
}

func (b BlockView) personalValues() []oauth.Personal {
	var values []oauth.Personal
	b.eachPersonal(func(_ string, value oauth.Personal) { values = append(values, value) })
	for _, u := range b.Unmapped {
		values = append(values, u.Value)
	}
	return values
}

// eachPersonal finds them by their type, so that a new one cannot be forgotten.
func (b BlockView) eachPersonal(see func(name string, value oauth.Personal)) {
	for _, data := range []any{b.Merchant, b.Company, b.User} {
		if reflect.ValueOf(data).IsNil() {
			continue
		}
		v := reflect.ValueOf(data).Elem()
		for i := range v.NumField() {
			if value, ok := v.Field(i).Interface().(oauth.Personal); ok && value != "" {
				name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
				see(name, value)
			}
		}
	}
}

// oneLine makes what somebody typed one line of letters that can be seen.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// OutlineOf is Outline for the platform's staff.
func (s *Service) OutlineOf(ctx context.Context, p *models.PlatformStore, tenant, connection uuid.UUID) (ConnectionView, error) {
	c, account, key, err := p.OutlineOf(ctx, tenant, connection)
	if err != nil {
		return ConnectionView{}, err
	}
	return s.outlineView(c, account, key), nil
}

// Label gives a connection the name that its tenant wants to see; an empty one takes it away.
func (s *Service) Label(ctx context.Context, st *models.TenantStore, connection uuid.UUID, label string) error {
	label = oneLine(label)
	if utf8.RuneCountInString(label) > MaxLabel {
		return errs.New(errs.Invalid, "reveal.label_long").With("count", MaxLabel)
	}
	return st.Label(ctx, connection, label)
}
