package zhiyun

import (
	"time"

	"mooring/internal/simulator/bench"
)

// codeLife is how long an auth_code lasts; until then it can be used as often as one likes.
const codeLife = 30 * time.Second

const (
	scopeUser    = "getUserInfo"
	scopeCompany = "getCompanyInfo"
)

// authCode is what an auth_code stands for.
type authCode struct {
	ClientID, Username string
	Scope              map[string]bool
	Expires            time.Time
}

// authorize handles "authService/authorize".
func (s *Simulator) authorize(c *bench.Call, r request) reply {
	now := s.Clock.Now()
	made := authCode{
		ClientID: r.ClientID, Username: r.User.Username, Expires: now.Add(codeLife),
		Scope: map[string]bool{scopeUser: true, scopeCompany: true},
	}
	if _, on := c.Fault(faultCodeExpired); on {
		made.Expires = now.Add(-time.Second)
	}
	if _, on := c.Fault(faultForeignClient); on {
		made.ClientID = "0000000000"
	}
	if _, on := c.Fault(faultForeignUser); on {
		made.Username = "somebody-else"
	}
	if _, on := c.Fault(faultNarrowScope); on {
		delete(made.Scope, scopeCompany)
	}
	code := hexText(40)
	s.mu.Lock()
	for old, past := range s.codes {
		if past.Expires.Add(time.Hour).Before(now) {
			delete(s.codes, old)
		}
	}
	s.codes[code] = made
	s.mu.Unlock()
	c.Code(code)
	c.Outcome(bench.OutcomeIssued)
	name := "auth_code"
	if _, on := c.Fault(variantAuthorizeCode); on {
		name = "authorize_code"
	}
	return ok(field{name, code})
}

// entitled checks an auth_code for one method. An unknown code and an expired one are the same to the server.
func (s *Simulator) entitled(c *bench.Call, r request, scope string) int {
	if r.AuthCode == "" {
		return codeCodeMissing
	}
	c.Code(r.AuthCode)
	s.mu.Lock()
	made, known := s.codes[r.AuthCode]
	s.mu.Unlock()
	switch {
	case !known || made.Expires.Before(s.Clock.Now()):
		return codeCodeExpired
	case made.ClientID != r.ClientID:
		return codeForeignClient
	case made.Username != r.User.Username:
		return codeForeignUser
	case !made.Scope[scope]:
		return codePermission
	}
	return codeOK
}

// userInfo handles "userService/getUserInfo". status is null for everybody: the server asks its database for a column that
// there is none of.
func (s *Simulator) userInfo(c *bench.Call, r request) reply {
	if code := s.entitled(c, r, scopeUser); code != codeOK {
		return refuse(code)
	}
	u := r.User
	mask := s.masks(c, u)
	admin := "0"
	if u.Admin {
		admin = "1"
	}
	return ok(
		field{"username", mask.name(u.Username)}, field{"truename", mask.person(u.RealName)}, field{"sex", u.Sex},
		field{"phone", mask.number(u.Phone)}, field{"is_admin", admin}, field{"status", nil},
		field{"avatar", "http://img.zhiyun.example/avatar/" + u.Username + ".png"},
		field{"created", written(u.Created)}, s.nowtime(c),
	)
}

// companyInfo handles "companyService/getCompanyInfo". Five of the fields are always empty.
func (s *Simulator) companyInfo(c *bench.Call, r request) reply {
	if code := s.entitled(c, r, scopeCompany); code != codeOK {
		return refuse(code)
	}
	company := r.User.Company
	if _, on := c.Fault(faultNoCompany); on || company == nil {
		return refuse(codeNoCompany)
	}
	mask := s.masks(c, r.User)
	return ok(
		field{"company_name", company.Name}, field{"company_type", company.Type}, field{"tax_number", mask.number(company.TaxNumber)},
		field{"province", ""}, field{"city", ""}, field{"zone", ""}, field{"disable", ""}, field{"tel_phone", ""},
		field{"address", company.Address}, field{"legal_person_phone", mask.number(company.LegalPhone)},
		field{"legal_person_name", mask.person(company.LegalPerson)}, field{"created", written(company.Created)}, s.nowtime(c),
	)
}

// nowtime is the only number of the data.
func (s *Simulator) nowtime(c *bench.Call) field {
	if _, on := c.Fault(variantNewtime); on {
		return field{"newtime", c.Now.Unix()}
	}
	return field{"nowtime", c.Now.Unix()}
}

func written(at time.Time) string { return at.In(zone()).Format(time.DateTime) }

// masking hides parts of what is about a person, as the documents' samples do and the server has not been seen to.
type masking bool

func (s *Simulator) masks(c *bench.Call, u user) masking {
	_, all := c.Fault(variantMasked)
	return masking(all || u.Masked)
}

// number keeps three characters and the last four: 133****0170.
func (m masking) number(value string) string { return m.keep(value, 3, 4, "****") }

// name keeps two characters and the last: la***n.
func (m masking) name(value string) string { return m.keep(value, 2, 1, "***") }

// person keeps the family name: 王*.
func (m masking) person(value string) string { return m.keep(value, 1, 0, "*") }

func (m masking) keep(value string, head, tail int, stars string) string {
	runes := []rune(value)
	if !bool(m) || len(runes) <= head+tail {
		return value
	}
	return string(runes[:head]) + stars + string(runes[len(runes)-tail:])
}
