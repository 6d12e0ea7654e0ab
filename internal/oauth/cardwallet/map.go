package cardwallet

import (
	"cmp"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

// The lists of names below are guesses in the order of their likelihood, written as alike writes them.

func (s sheet) merchant() oauth.Merchant {
	m := oauth.Merchant{
		ID:     s.take(plain, "merchantid", "id", "merchantno", "merno", "mchid", "merchantcode"),
		Name:   s.take(plain, "merchantname", "name", "shortname"),
		Status: s.take(plain, "status", "merchantstatus", "auditstatus", "state"),
	}
	if m.Name == "" {
		m.Name = s.companyName()
	}
	return m
}

func (s sheet) companyName() string {
	if name := s.take(company, "companyname", "name", "enterprisename"); name != "" {
		return name
	}
	return s.take(plain, "companyname", "enterprisename")
}

func (s sheet) company(zone *time.Location) oauth.Company {
	tax := []string{"taxnumber", "taxno", "taxid", "unifiedsocialcreditcode", "socialcreditcode", "creditcode", "licenseno", "businesslicenseno", "regno", "registrationno"}
	c := oauth.Company{
		Name:        s.companyName(),
		Type:        s.take(company, "companytype", "type"),
		TaxNumber:   oauth.Personal(s.take(company, tax...)),
		Address:     s.take(company, "address", "companyaddress", "registeredaddress", "regaddress"),
		Province:    s.take(company, "province", "provincename"),
		City:        s.take(company, "city", "cityname"),
		Zone:        s.take(company, "district", "zone", "area", "county"),
		Phone:       oauth.Personal(s.take(company, "phone", "companyphone", "telephone", "contactphone", "mobile")),
		LegalPerson: oauth.Personal(s.take(legal, "name", "legalname", "legalpersonname", "realname", "fullname")),
		LegalPhone:  oauth.Personal(s.take(legal, "phone", "mobile", "phonenumber", "mobilenumber", "legalphone", "telephone")),
		Registered:  instant(s.take(company, "registerdate", "registrationdate", "establishdate", "registeredat", "createtime", "createdat"), zone),
	}
	for _, group := range []string{company, plain} { // written beside the rest instead of in objects of their own
		if c.LegalPerson == "" {
			c.LegalPerson = oauth.Personal(s.take(group, "legalperson", "legalpersonname", "legalname", "legalrepresentative"))
		}
		if c.LegalPhone == "" {
			c.LegalPhone = oauth.Personal(s.take(group, "legalphone", "legalmobile", "legalpersonphone"))
		}
	}
	if c.Type == "" {
		c.Type = s.take(plain, "companytype")
	}
	if c.TaxNumber == "" {
		c.TaxNumber = oauth.Personal(s.take(plain, tax...))
	}
	if c.Address == "" {
		c.Address = s.take(plain, "companyaddress", "registeredaddress", "address")
	}
	return c
}

// wallet reads a balance in the words that are there: a bare "balance" is what can be spent, unless another word says
// that, and then it is the whole. It says no where no amount is named: a zero that nobody sent would be a lie.
func (s sheet) wallet() (oauth.Wallet, bool, error) {
	currency := strings.ToUpper(s.take(plain, "currency", "currencycode", "walletcurrency", "balancecurrency", "ccy", "coin"))
	available := s.take(plain, "availablebalance", "availableamount", "available", "usablebalance", "usableamount")
	total := s.take(plain, "totalbalance", "totalamount", "total")
	frozen := s.take(plain, "frozenbalance", "freezebalance", "frozenamount", "freezeamount", "frozen", "lockedbalance")
	switch {
	case available == "":
		available = s.take(plain, "balance", "walletbalance", "amount")
	case total == "":
		total = s.take(plain, "balance", "walletbalance")
	}
	if available == "" && total == "" {
		return oauth.Wallet{Total: oauth.Money{Currency: currency}}, false, nil
	}
	var a, f, t decimal.Decimal
	for value, into := range map[*decimal.Decimal]string{&a: available, &f: frozen, &t: total} {
		d, ok := outbound.Exact(cmp.Or(into, "0"))
		if !ok {
			return oauth.Wallet{}, false, errAmount
		}
		*value = d
	}
	switch {
	case total == "":
		t = a.Add(f)
	case available == "":
		a = t.Sub(f)
	case frozen == "" && t.GreaterThan(a):
		f = t.Sub(a)
	}
	money := func(d decimal.Decimal) oauth.Money { return oauth.Money{Amount: d, Currency: currency} }
	return oauth.Wallet{Available: money(a), Frozen: money(f), Total: money(t)}, true, nil
}

// entry reads a movement. It says no where no amount is named.
func (s sheet) entry(zone *time.Location) (oauth.FlowEntry, bool, error) {
	amount := s.take(plain, "amount", "changeamount", "flowamount", "transactionamount", "tradeamount", "orderamount")
	if amount == "" {
		return oauth.FlowEntry{}, false, nil
	}
	value, ok := outbound.Exact(amount)
	if !ok {
		return oauth.FlowEntry{}, false, errAmount
	}
	currency := s.take(plain, "currency", "currencycode", "amountcurrency", "ccy", "coin")
	return oauth.FlowEntry{
		ID:      s.take(plain, "flowid", "id", "flowno", "serialno", "transactionid", "tradeno", "orderno"),
		Kind:    strings.ToLower(cmp.Or(s.take(plain, "flowtype", "type", "biztype", "businesstype", "transactiontype", "tradetype"), "wallet")),
		OrderNo: s.take(plain, "orderno", "orderid", "merchantorderno", "bizno", "outorderno"),
		Amount:  oauth.Money{Amount: value, Currency: strings.ToUpper(currency)},
		Status:  strings.ToLower(s.take(plain, "status", "flowstatus", "state")),
		Reason:  s.take(plain, "remark", "reason", "description", "memo", "note"),
		OccurredAt: instant(s.take(plain, "flowtime", "transactiontime", "tradetime", "occurredat", "createtime", "createdat",
			"createdtime", "gmtcreate", "time"), zone),
	}, true, nil
}
