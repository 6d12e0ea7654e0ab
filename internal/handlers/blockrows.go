package handlers

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"mooring/internal/oauth"
)

// longAmount is the length from which an amount needs a line of its own.
const longAmount = 18

// DataRow is one line of a block.
type DataRow struct {
	Field   string // its JSON name
	Label   string
	Value   string
	Badge   *Badge // in the value's place
	Digits  bool   // numbers that line up
	Masked  bool   // the provider shows only parts of it
	Changed bool   // it is not what it was in the version before

	Personal bool // about a person: masked, unless it was revealed
}

// rows collects the lines that have something to say.
type rows struct {
	Words
	block   oauth.Block
	masked  map[string]oauth.Masked
	changed []string
	bare    bool // personal values are shown, because somebody has given a reason
	all     []DataRow
}

// add shows a field's value or, in its place, what the provider shows of it. A field goes by its JSON name.
func (r *rows) add(field, value string, digits bool) {
	row := DataRow{Value: value, Digits: digits}
	if value == "" {
		row.Value, row.Masked = r.masked[field].String(), true
	}
	if row.Value != "" {
		r.append(field, row)
	}
}

// personal shows a value about a person, masked unless it is revealed.
func (r *rows) personal(field string, value oauth.Personal, digits bool) {
	row := DataRow{Value: value.String(), Digits: digits, Personal: true}
	switch {
	case value == "":
		r.add(field, "", digits)
		return
	case r.bare:
		row.Value = value.Reveal()
	}
	r.append(field, row)
}

func (r *rows) badge(field string, b Badge) { r.append(field, DataRow{Badge: &b}) }

func (r *rows) append(field string, row DataRow) {
	row.Field = field
	row.Label, _ = r.FieldName(r.block, field)
	row.Changed = slices.Contains(r.changed, field)
	r.all = append(r.all, row)
}

func (r *rows) date(field string, t time.Time) {
	if !t.IsZero() {
		r.add(field, r.Date(t), false)
	}
}

// Rows are the lines of the blocks that have lines: merchant, company and user.
func (b BlockCard) Rows() []DataRow { return b.rows(false) }

// rows are the block's lines. Whoever asks for them bare has written down why.
func (b BlockCard) rows(bare bool) []DataRow {
	r := &rows{Words: b.Words, bare: bare}
	if b.changedLately() {
		r.changed = b.Changed
	}
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
	r.block = oauth.BlockMerchant
	r.add("id", m.ID, true)
	r.add("name", m.Name, false)
	if m.Status != "" {
		r.badge("status", r.StatusBadge(m.Status))
	}
	r.add("gateways", strings.Join(m.Gateways, ", "), true)
}

func (r *rows) company(c oauth.Company) {
	r.block, r.masked = oauth.BlockCompany, c.Masked
	r.add("name", c.Name, false)
	r.add("type", c.Type, false)
	r.personal("tax_number", c.TaxNumber, true)
	r.add("province", c.Province, false)
	r.add("city", c.City, false)
	r.add("zone", c.Zone, false)
	r.add("address", c.Address, false)
	r.personal("phone", c.Phone, true)
	r.personal("legal_person", c.LegalPerson, false)
	r.personal("legal_phone", c.LegalPhone, true)
	r.date("registered", c.Registered)
}

// user leaves out the code for the sex: nobody can read it, and nobody needs it.
func (r *rows) user(u oauth.User) {
	r.block, r.masked = oauth.BlockUser, u.Masked
	r.add("id", u.ID, true)
	r.add("username", u.Username, false)
	r.personal("real_name", u.RealName, false)
	r.personal("phone", u.Phone, true)
	r.personal("email", u.Email, false)
	if u.Admin {
		r.badge("admin", Badge{"good", "check", r.T("block.yes")})
	}
	r.add("verification_type", u.VerificationType, true)
	r.add("verification_level", u.VerificationLevel, true)
	r.date("created", u.Created)
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
			if long(b.Money(m)) {
				return true
			}
		}
		return false
	})
}

func long(amount string) bool { return utf8.RuneCountInString(amount) > longAmount }

func told(m oauth.Money) bool { return m.Currency != "" || !m.Amount.IsZero() }
