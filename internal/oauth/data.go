package oauth

import (
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"
)

// Reading is one block of data, as we understand it and as it came.
type Reading[T any] struct {
	Data         T
	Raw          json.RawMessage // the provider's answer; kept sealed, never shown unredacted
	ProviderAsOf time.Time       // the provider's own date of the data; zero: it tells none
	SourceZone   string          // the IANA zone that the provider's times were read in
	Partial      bool            // the provider holds more than was read
	Unmapped     []Unmapped      // what came besides, where the documents name no fields: better shown than dropped
}

// Unmapped is a value under the provider's own name. What it means is not known, so it is taken for personal.
type Unmapped struct {
	Name  string   `json:"name"` // the path to it, such as company.regNo
	Value Personal `json:"value"`
}

// Personal is a value about a person. It is stored sealed; formatting it shows the masked form, so that a page or a
// log must call Reveal on purpose.
type Personal string

// Reveal gives the value.
func (p Personal) Reveal() string { return string(p) }

// String masks all but the ends.
func (p Personal) String() string { return Mask(string(p)) }

// Mask hides the middle of a value so that its owner still recognises it: two characters at each end stay when the
// value is long enough, one when it is short, none when it is shorter still.
func Mask(value string) string {
	runes := []rune(value)
	keep := 2
	switch {
	case len(runes) == 0:
		return ""
	case len(runes) < 3:
		keep = 0
	case len(runes) < 8:
		keep = 1
	}
	return string(runes[:keep]) + "•••" + string(runes[len(runes)-keep:])
}

// Masked is a value of which the provider itself shows only parts: 133****0170. It is not the value. It stands in the
// Masked map of its block under the JSON name of the field that would hold the value, and that field is then empty. Two
// that look alike may hide different values, so == does not compile; its JSON is an object, so that no export and no
// search takes it for the value.
type Masked struct {
	_     [0]func()
	shown string
}

// NewMasked keeps what the provider shows.
func NewMasked(shown string) Masked { return Masked{shown: shown} }

// String gives what the provider shows, fit for a page as it is.
func (m Masked) String() string { return m.shown }

type maskedText struct {
	Masked string `json:"masked"`
}

// MarshalJSON implements json.Marshaler.
func (m Masked) MarshalJSON() ([]byte, error) { return json.Marshal(maskedText{m.shown}) }

// UnmarshalJSON implements json.Unmarshaler.
func (m *Masked) UnmarshalJSON(text []byte) error {
	var t maskedText
	err := json.Unmarshal(text, &t)
	m.shown = t.Masked
	return err
}

// Money is an exact amount. Currency is an ISO 4217 code or a coin's symbol; empty where the provider tells none.
type Money struct {
	Amount   decimal.Decimal `json:"amount"`
	Currency string          `json:"currency"`
}

// Merchant is the account as the provider's merchant.
type Merchant struct {
	ID       string   `json:"id"`
	Name     string   `json:"name,omitempty"`
	Status   string   `json:"status,omitempty"`
	Gateways []string `json:"gateways,omitempty"`
}

// Company is the registered company.
type Company struct {
	Name        string    `json:"name,omitempty"`
	Type        string    `json:"type,omitempty"`
	TaxNumber   Personal  `json:"tax_number,omitempty"`
	Address     string    `json:"address,omitempty"`
	LegalPerson Personal  `json:"legal_person,omitempty"`
	LegalPhone  Personal  `json:"legal_phone,omitempty"`
	Registered  time.Time `json:"registered,omitzero"`
	Province    string    `json:"province,omitempty"`
	City        string    `json:"city,omitempty"`
	Zone        string    `json:"zone,omitempty"` // district
	Phone       Personal  `json:"phone,omitempty"`
	None        bool      `json:"none,omitempty"` // the provider says that the account has no company

	Masked map[string]Masked `json:"masked,omitempty"` // by the JSON name of the field that is empty because of it
}

// User is the person who holds the account at the provider.
type User struct {
	ID       string    `json:"id,omitempty"`
	Username string    `json:"username,omitempty"`
	RealName Personal  `json:"real_name,omitempty"`
	Phone    Personal  `json:"phone,omitempty"`
	Email    Personal  `json:"email,omitempty"`
	Created  time.Time `json:"created,omitzero"`
	Sex      string    `json:"sex,omitempty"`   // the provider's own code
	Admin    bool      `json:"admin,omitempty"` // administers the company's account, by the provider's word

	VerificationType  string `json:"verification_type,omitempty"`  // how the provider verified the person, by its own code
	VerificationLevel string `json:"verification_level,omitempty"` // how far, by its own code

	Masked map[string]Masked `json:"masked,omitempty"` // by the JSON name of the field that is empty because of it
}

// Wallet is the balance in one currency or coin. Frozen is part of Total; CreditLine is not.
type Wallet struct {
	Available  Money `json:"available"`
	Frozen     Money `json:"frozen"`
	Total      Money `json:"total"`
	CreditLine Money `json:"credit_line,omitzero"` // what may be spent beyond the balance, where the provider grants that

	Worth    Money `json:"worth,omitzero"`     // what the provider reckons Total is worth, in another currency; zero: it does not say
	AllWorth Money `json:"all_worth,omitzero"` // the same of all the account's wallets together; equal in each of them
}

// FlowEntry is one movement. Kind and Status are the provider's own words, lower case.
type FlowEntry struct {
	ID         string    `json:"id"`
	Kind       string    `json:"kind"` // "transaction", "chargeback"
	OrderNo    string    `json:"order_no,omitempty"`
	Gateway    string    `json:"gateway,omitempty"`
	Amount     Money     `json:"amount"`
	Status     string    `json:"status,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	OccurredAt time.Time `json:"occurred_at,omitzero"`
}
