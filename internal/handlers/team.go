package handlers

import (
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/models"
)

// TeamPage is who works in the tenant and who is asked to.
type TeamPage struct {
	Page
	People      []ColleagueLine
	Invitations []InvitationLine
	MayInvite   bool
}

// ColleagueLine is a person in the team.
type ColleagueLine struct {
	Email, Role, Href string
	You               bool
	Since             string
	Seen              *Moment // nil: not known
}

// InvitationLine is an invitation, or a step that somebody was asked to do.
type InvitationLine struct {
	Email, What, Inviter string
	Badge                Badge
	Ends                 string // until when it can be accepted; "" if it cannot any more
	Asked                *Moment
	Send, Revoke         string // where a press sends it again or ends it; "" if the reader may not
}

// showTeam answers "GET /team".
func (s *Server) showTeam(c *gin.Context, m *Merchant) error {
	people, invitations, err := m.Store.Team(c.Request.Context())
	if err != nil {
		return err
	}
	page := TeamPage{Page: s.page(c, "team.title"), MayInvite: m.Session.Role == models.Owner}
	for _, p := range people {
		page.People = append(page.People, page.colleagueLine(p, m.Session.UserID))
	}
	page.Invitations = s.invitationLines(page.Page, m, invitations)
	return s.show(c, page)
}

func (p Page) colleagueLine(m models.TeamMember, me uuid.UUID) ColleagueLine {
	line := ColleagueLine{
		Email: m.Email, Role: p.roleName(m.Role), Href: "/team/" + m.ID.String(), You: m.ID == me, Since: p.Date(m.JoinedAt),
	}
	if m.SeenAt != nil {
		seen := p.When(*m.SeenAt)
		line.Seen = &seen
	}
	return line
}

func (s *Server) invitationLines(page Page, m *Merchant, invitations []models.Invitation) []InvitationLine {
	var lines []InvitationLine
	for _, i := range invitations {
		line := InvitationLine{Email: i.Email, What: page.roleName(i.Role), Inviter: i.Inviter, Badge: page.invitationBadge(i)}
		if d, _, ok := s.Connect.Describe(i.Provider); ok {
			line.What = page.T("team.step_what", "provider", page.Say(d.Title))
		}
		if i.State == models.InvitationSent {
			line.Ends = page.DateTime(i.ExpiresAt)
		}
		mine := m.Session.Role == models.Owner || m.Session.Role.MayOperate() && i.InvitedBy == m.Session.UserID
		if mine && (i.State == models.InvitationSent || i.State == models.InvitationExpired) {
			address := "/team/invitations/" + i.ID.String()
			line.Send, line.Revoke = address+"/send", address+"/revoke"
		}
		if i.AskedAt != nil && i.State == models.InvitationExpired {
			asked := page.When(*i.AskedAt)
			line.Asked = &asked
		}
		lines = append(lines, line)
	}
	return lines
}

func (w Words) invitationBadge(i models.Invitation) Badge {
	text := w.T("team.state_" + string(i.State))
	switch i.State {
	case models.InvitationAccepted, models.InvitationDone:
		return Badge{"good", "check", text}
	case models.InvitationOpened:
		return Badge{"sea", "link", text}
	case models.InvitationExpired:
		return Badge{"wait", "clock", text}
	case models.InvitationRevoked:
		return Badge{"", "no", text}
	}
	return Badge{"sea", "clock", text}
}

// roleName is a role in one word.
func (w Words) roleName(r models.Role) string {
	if r == "" {
		return ""
	}
	return w.T("team.role_" + string(r))
}

// Choice is a line of a list to choose from.
type Choice struct {
	Value, Text string
	Note        string // what it means
	Chosen      bool
}

// roleChoices are the roles with what they may do.
func (w Words) roleChoices(chosen models.Role) []Choice {
	var choices []Choice
	for _, r := range []models.Role{models.Viewer, models.Operator, models.Owner} {
		choices = append(choices, Choice{Value: string(r), Text: w.roleName(r), Note: w.T("team.can_" + string(r)), Chosen: r == chosen})
	}
	return choices
}

// ColleaguePage is one person of the team: what they may do, and where owners change it.
type ColleaguePage struct {
	Page
	Person ColleagueLine
	Can    string
	Roles  []Choice // empty: the reader may not change the role
	Action string   // of the forms, before their last word
	Last   bool     // the reader is the only owner, who cannot leave
}

// showColleague answers "GET /team/:id". Owners prove themselves before they see the forms: what they choose must not be lost
// to the proof.
func (s *Server) showColleague(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	mine := id == m.Session.UserID
	if m.Session.Role == models.Owner && !mine {
		if err := recent(&m.Person); err != nil {
			return err
		}
	}
	people, _, err := m.Store.Team(c.Request.Context())
	if err != nil {
		return err
	}
	owners := 0
	var found *models.TeamMember
	for _, p := range people {
		if p.Role == models.Owner {
			owners++
		}
		if p.ID == id {
			found = &p
		}
	}
	if found == nil {
		return models.NotFound()
	}
	page := ColleaguePage{Page: s.page(c, "team.person_title"), Action: "/team/" + id.String(), Last: mine && found.Role == models.Owner && owners == 1}
	page.Person, page.Can = page.colleagueLine(*found, m.Session.UserID), page.T("team.can_"+string(found.Role))
	if m.Session.Role == models.Owner && !mine {
		page.Roles = page.roleChoices(found.Role)
	}
	return s.show(c, page)
}
