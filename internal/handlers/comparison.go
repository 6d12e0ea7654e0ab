package handlers

import (
	"cmp"
	"slices"
	"strings"

	"mooring/internal/oauth"
)

// Comparison puts what the providers say of merchant, company and holder side by side.
type Comparison struct {
	Words
	Accounts []OverviewAccount // the columns: those whose provider says anything
	Facts    []Fact
}

// Fact is one line of the comparison: what each provider says of the same thing.
type Fact struct {
	Label string
	Cells []*DataRow // one per account; nil: that provider does not say
}

// compare takes the lines in the order in which they come up.
func (w Words) compare(accounts []OverviewAccount) Comparison {
	type line struct {
		block oauth.Block
		label string
	}
	order := map[oauth.Block]int{oauth.BlockCompany: 0, oauth.BlockMerchant: 1, oauth.BlockUser: 2}
	var lines []line
	cells := map[line][]*DataRow{}
	beside := Comparison{Words: w}
	for _, account := range accounts {
		told := false
		for _, card := range account.Data {
			for _, row := range card.Rows() {
				if !told {
					told = true
					beside.Accounts = append(beside.Accounts, account)
				}
				at := line{card.Block, row.Label}
				if _, known := cells[at]; !known {
					lines = append(lines, at)
				}
				for len(cells[at]) < len(beside.Accounts)-1 {
					cells[at] = append(cells[at], nil)
				}
				cells[at] = append(cells[at], &row)
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(order[a.block], order[b.block]) })
	for _, at := range lines {
		fact := Fact{Label: w.T("connect.overview_fact", "block", w.BlockName(at.block), "field", at.label), Cells: cells[at]}
		for len(fact.Cells) < len(beside.Accounts) {
			fact.Cells = append(fact.Cells, nil)
		}
		beside.Facts = append(beside.Facts, fact)
	}
	return beside
}

// Verdict says whether the providers agree; nil where it cannot be told: fewer than two say anything, what they say is about the account
// and not the business, or the provider itself hides a part.
func (c Comparison) Verdict(f Fact) *Badge {
	var told []*DataRow
	for _, cell := range f.Cells {
		if cell != nil {
			told = append(told, cell)
		}
	}
	if len(told) < 2 || !ofBusiness(told[0].Field) || slices.ContainsFunc(told, func(r *DataRow) bool { return r.Masked }) {
		return nil
	}
	for _, cell := range told[1:] {
		if !strings.EqualFold(strings.Join(strings.Fields(cell.Value), " "), strings.Join(strings.Fields(told[0].Value), " ")) {
			return &Badge{"wait", "alert", c.T("viewas.differ")}
		}
	}
	if told[0].Personal { // what is masked alike may still differ
		return &Badge{"", "lock", c.T("viewas.alike")}
	}
	return &Badge{"good", "check", c.T("viewas.agree")}
}

// ofBusiness says whether a field is about the business, so that two providers should tell the same.
func ofBusiness(field string) bool {
	return slices.Contains([]string{
		"name", "tax_number", "province", "city", "zone", "address", "phone", "legal_person", "legal_phone", "real_name",
	}, field)
}
