package connect

import (
	"strconv"
	"strings"
	"unicode"

	"mooring/internal/oauth"
)

// exportField is one value of an item, under the name it has in our data.
type exportField struct{ name, value string }

// exportItem is what a block holds once (a company) or many times (wallets), in a fixed order.
type exportItem []exportField

func (i exportItem) get(name string) string {
	for _, f := range i {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

func (x *export) items(b BlockView) (items []exportItem) {
	switch {
	case b.Broken:
	case b.Merchant != nil:
		m := b.Merchant
		items = append(items, exportItem{{"id", m.ID}, {"name", m.Name}, {"status", m.Status}, {"gateways", strings.Join(m.Gateways, " ")}})
	case b.Company != nil:
		items = append(items, x.company(*b.Company))
	case b.User != nil:
		items = append(items, x.user(*b.User))
	}
	if !b.Broken {
		for _, w := range b.Wallets {
			items = append(items, exportItem{
				{"currency", w.Total.Currency}, {"available", w.Available.Amount.String()}, {"frozen", w.Frozen.Amount.String()},
				{"total", w.Total.Amount.String()}, {"credit_line", w.CreditLine.Amount.String()}, {"worth", w.Worth.Amount.String()},
				{"worth_currency", w.Worth.Currency},
			})
		}
		for _, f := range b.Flow {
			items = append(items, exportItem{
				{"id", f.ID}, {"kind", f.Kind}, {"order_no", f.OrderNo}, {"gateway", f.Gateway}, {"amount", f.Amount.Amount.String()},
				{"currency", f.Amount.Currency}, {"status", f.Status}, {"reason", f.Reason}, {"occurred_at", stamp(f.OccurredAt)},
			})
		}
		items = append(items, x.unmapped(b.Unmapped)...)
	}
	return items
}

// unmapped is an item of its own: its names are the provider's, and no column is called like them.
func (x *export) unmapped(told []oauth.Unmapped) []exportItem {
	if len(told) == 0 {
		return nil
	}
	var item exportItem
	for _, u := range told {
		item = append(item, exportField{"unmapped." + u.Name, x.personal(u.Value, oauth.Masked{})})
	}
	return []exportItem{item}
}

func (x *export) company(c oauth.Company) exportItem {
	return exportItem{
		{"name", c.Name}, {"type", c.Type}, {"tax_number", x.personal(c.TaxNumber, c.Masked["tax_number"])}, {"province", c.Province},
		{"city", c.City}, {"zone", c.Zone}, {"address", c.Address}, {"phone", x.personal(c.Phone, c.Masked["phone"])},
		{"legal_person", x.personal(c.LegalPerson, c.Masked["legal_person"])}, {"legal_phone", x.personal(c.LegalPhone, c.Masked["legal_phone"])},
		{"registered", stamp(c.Registered)}, {"none", strconv.FormatBool(c.None)},
	}
}

func (x *export) user(u oauth.User) exportItem {
	return exportItem{
		{"id", u.ID}, {"username", u.Username}, {"real_name", x.personal(u.RealName, u.Masked["real_name"])},
		{"phone", x.personal(u.Phone, u.Masked["phone"])}, {"email", x.personal(u.Email, u.Masked["email"])},
		{"admin", strconv.FormatBool(u.Admin)}, {"verification_type", u.VerificationType}, {"verification_level", u.VerificationLevel},
		{"created", stamp(u.Created)},
	}
}

// personal gives a value whole only where that was asked for; what the provider masks is never more than it shows.
func (x *export) personal(value oauth.Personal, masked oauth.Masked) string {
	switch {
	case value == "":
		return masked.String()
	case x.Personal:
		return value.Reveal()
	}
	return value.String()
}

// csvLine quotes every value, so that nothing in it ends it.
func csvLine(row []string) string {
	cells := make([]string, len(row))
	for i, value := range row {
		cells[i] = `"` + strings.ReplaceAll(disarm(value), `"`, `""`) + `"`
	}
	return strings.Join(cells, ",") + "\r\n"
}

// number is a value that is a number and nothing else: it stays one, whatever its sign.
func number(value string) bool {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(value, "-"), ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (!point || digits(fraction))
}

// separators part cells for some spreadsheet or other, whatever the quotes say.
const separators = ",;|\t\r\n"

// disarm puts an apostrophe before whatever a spreadsheet may take for a formula: at the beginning, and after everything that
// some reader may take for the beginning of a cell. One apostrophe taken away at those places gives the value back.
func disarm(value string) string {
	if number(value) {
		return value
	}
	var out strings.Builder
	if rest := strings.TrimLeft(value, "'"); rest != "" && strings.ContainsRune("\t\r\n", rune(rest[0])) {
		out.WriteByte('\'')
	}
	for value != "" {
		end := strings.IndexAny(value, separators)
		if end < 0 {
			end = len(value) - 1
		}
		if formula(strings.TrimRight(value[:end+1], separators)) {
			out.WriteByte('\'')
		}
		out.WriteString(value[:end+1])
		value = value[end+1:]
	}
	return out.String()
}

// formula says whether the first thing in a cell that is neither space, quote nor invisible begins a formula.
func formula(cell string) bool {
	cell = strings.TrimLeftFunc(cell, func(r rune) bool {
		return r == '\'' || r == '"' || unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf)
	})
	for _, r := range cell {
		return strings.ContainsRune("=+-@＝＋－＠﹦﹢﹣﹫−", r)
	}
	return false
}
