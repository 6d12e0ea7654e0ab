package handlers

import (
	"slices"
	"strings"
	"time"

	"mooring/internal/models"
	"mooring/internal/oauth"
)

// changeShown is how long the newest change of a field is pointed at.
const changeShown = 30 * 24 * time.Hour

// FieldName names a field of a block, by the JSON name it has there. Not ok: it is shown nowhere.
func (w Words) FieldName(block oauth.Block, field string) (name string, ok bool) {
	key := fieldKey(block, field)
	if key == "" {
		return "", false
	}
	return w.T(key), true
}

// fieldKey is the one table of names that all pages use.
func fieldKey(block oauth.Block, field string) string {
	switch block {
	case oauth.BlockMerchant:
		return merchantKey(field)
	case oauth.BlockCompany:
		return companyKey(field)
	case oauth.BlockUser:
		return userKey(field)
	case oauth.BlockWallet:
		return walletKey(field)
	}
	return ""
}

func merchantKey(field string) string {
	switch field {
	case "id":
		return "block.merchant_id"
	case "name":
		return "block.merchant_name"
	case "status":
		return "block.merchant_status"
	case "gateways":
		return "block.merchant_gateways"
	}
	return ""
}

func companyKey(field string) string {
	switch field {
	case "name", "type", "province", "city", "zone", "address", "phone", "registered":
		return "block.company_" + field
	case "tax_number":
		return "block.company_tax"
	case "legal_person":
		return "block.company_legal"
	case "legal_phone":
		return "block.company_legal_phone"
	case "none":
		return "history.company_none"
	}
	return ""
}

func userKey(field string) string {
	switch field {
	case "id", "username", "phone", "email", "admin", "created":
		return "block.user_" + field
	case "real_name":
		return "block.user_name"
	case "verification_type":
		return "block.user_verified"
	case "verification_level":
		return "block.user_verified_level"
	}
	return ""
}

func walletKey(field string) string {
	switch field {
	case "available", "frozen", "total":
		return "block.wallet_" + field
	case "credit_line":
		return "block.wallet_credit"
	case "worth":
		return "history.wallet_worth"
	case "all_worth":
		return "history.wallet_all_worth"
	}
	return ""
}

// blockOf names the block that an event tells of, "" if it tells of none.
func (w Words) blockOf(e models.Event) string {
	if block, _ := e.Detail["block"].(string); block != "" {
		return w.BlockName(oauth.Block(block))
	}
	return ""
}

// fieldsOf names the fields that an event tells of, each once.
func (w Words) fieldsOf(e models.Event) string {
	block, _ := e.Detail["block"].(string)
	fields, _ := e.Detail["fields"].([]any)
	var names []string
	for _, told := range fields {
		field, _ := told.(string)
		name, ok := w.FieldName(oauth.Block(block), field)
		if !ok {
			name = w.T("history.unmapped")
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, w.T("history.separator"))
}

// changedLately says whether the newest version is new enough to be pointed at.
func (b BlockCard) changedLately() bool { return b.FetchedAt.Sub(b.ChangedAt) < changeShown }

// ChangedFields says whether some line of the card is pointed at.
func (b BlockCard) ChangedFields() bool {
	return slices.ContainsFunc(b.Rows(), func(r DataRow) bool { return r.Changed })
}
