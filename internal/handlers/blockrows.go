package handlers

import (
	"slices"
	"strings"
	"time"

	"mooring/internal/oauth"
)

// longAmount is the length from which an amount needs a line of its own.
const longAmount = 18

// DataRow is one line of a block.
type DataRow struct {
	Label  string
	Value  string
	Badge  *Badge // in the value's place
	Digits bool   // numbers that line up
	Masked bool   // the provider shows only parts of it
}

// rows collects the lines that have something to say.
type rows struct {
	Words
	masked map[string]oauth.Masked
	all    []DataRow
}

// add shows a value or, under the field's JSON name, what the provider shows of it.
func (r *rows) add(key, value, field string, digits bool) {
	row := DataRow{Label: r.T("block." + key), Value: value, Digits: digits}
	if value == "" && field != "" {
		row.Value, row.Masked = r.masked[field].String(), true
	}
	if row.Value != "" {
		r.all = append(r.all, row)
	}
}

func (r *rows) badge(key string, b Badge) {
	r.all = append(r.all, DataRow{Label: r.T("block." + key), Badge: &b})
}

func (r *rows) date(key string, t time.Time) {
	if !t.IsZero() {
		r.add(key, r.Date(t), "", false)
	}
}

// Rows are the lines of the blocks that have lines: merchant, company and user.
func (b BlockCard) Rows() []DataRow {
	r := &rows{Words: b.Words}
	switch {
	case b.Merchant != nil:
		r.merchant(*b.Merchant)
	case b.Company != nil:
		r.company(*b.Company)
	case b.User != nil:
		r.user(*b.User)
	}
	return r.all
}

func (r *rows) merchant(m oauth.Merchant) {
	r.add("merchant_id", m.ID, "", true)
	r.add("merchant_name", m.Name, "", false)
	if m.Status != "" {
		r.badge("merchant_status", r.StatusBadge(m.Status))
	}
	r.add("merchant_gateways", strings.Join(m.Gateways, ", "), "", true)
}

func (r *rows) company(c oauth.Company) {
	r.masked = c.Masked
	r.add("company_name", c.Name, "name", false)
	r.add("company_type", c.Type, "type", false)
	r.add("company_tax", c.TaxNumber.String(), "tax_number", true)
	r.add("company_province", c.Province, "province", false)
	r.add("company_city", c.City, "city", false)
	r.add("company_zone", c.Zone, "zone", false)
	r.add("company_address", c.Address, "address", false)
	r.add("company_phone", c.Phone.String(), "phone", true)
	r.add("company_legal", c.LegalPerson.String(), "legal_person", false)
	r.add("company_legal_phone", c.LegalPhone.String(), "legal_phone", true)
	r.date("company_registered", c.Registered)
}

// user leaves out the code for the sex: nobody can read it, and nobody needs it.
func (r *rows) user(u oauth.User) {
	r.masked = u.Masked
	r.add("user_id", u.ID, "", true)
	r.add("user_username", u.Username, "username", false)
	r.add("user_name", u.RealName.String(), "real_name", false)
	r.add("user_phone", u.Phone.String(), "phone", true)
	r.add("user_email", u.Email.String(), "email", false)
	if u.Admin {
		r.badge("user_admin", Badge{"good", "check", r.T("block.yes")})
	}
	r.add("user_verified", u.VerificationType, "verification_type", true)
	r.add("user_verified_level", u.VerificationLevel, "verification_level", true)
	r.date("user_created", u.Created)
}

// NoCompany says whether the provider knows that there is none.
func (b BlockCard) NoCompany() bool { return b.Company != nil && b.Company.None }

// Credit says whether some wallet has a credit line.
func (b BlockCard) Credit() bool {
	return slices.ContainsFunc(b.Wallets, func(w oauth.Wallet) bool { return told(w.CreditLine) })
}

// CreditOf is a wallet's credit line.
func (b BlockCard) CreditOf(w oauth.Wallet) string {
	if !told(w.CreditLine) {
		return "–"
	}
	return b.Money(w.CreditLine)
}

// Worth is what the provider reckons all wallets are worth together, "" if it does not say.
func (b BlockCard) Worth() string {
	if len(b.Wallets) == 0 {
		return ""
	}
	switch first := b.Wallets[0]; {
	case told(first.AllWorth):
		return b.Money(first.AllWorth)
	case told(first.Worth) && len(b.Wallets) == 1:
		return b.Money(first.Worth)
	}
	return ""
}

// Long says whether some amount is too long for a table of several columns.
func (b BlockCard) Long() bool {
	return slices.ContainsFunc(b.Wallets, func(w oauth.Wallet) bool {
		for _, m := range []oauth.Money{w.Available, w.Frozen, w.Total, w.CreditLine} {
			if len([]rune(b.Money(m))) > longAmount {
				return true
			}
		}
		return false
	})
}

func told(m oauth.Money) bool { return m.Currency != "" || !m.Amount.IsZero() }
