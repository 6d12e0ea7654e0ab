package connect

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"mooring/internal/oauth"
)

func money(amount, currency string) oauth.Money {
	return oauth.Money{Amount: decimal.RequireFromString(amount), Currency: currency}
}

func masks(field, shown string) map[string]oauth.Masked {
	return map[string]oauth.Masked{field: oauth.NewMasked(shown)}
}

// shown writes changes as a person might.
func shown(all []Change) string {
	side := func(t Told) string {
		switch t.Kind {
		case ToldNothing:
			return "-"
		case ToldTime:
			return t.At.UTC().Format("2006-01-02")
		case ToldMoney:
			return t.Money.Amount.String() + t.Money.Currency
		case ToldFlag:
			return fmt.Sprint(t.Yes)
		case ToldMasked:
			return t.Text + "*"
		}
		return t.Text
	}
	var lines []string
	for _, c := range all {
		line := c.Field
		if c.Of != "" {
			line += "/" + c.Of
		}
		if len(c.Added)+len(c.Removed) > 0 {
			line += fmt.Sprintf(" +%v -%v", c.Added, c.Removed)
		} else {
			line += " " + side(c.Old) + ">" + side(c.New)
		}
		if c.Hidden() {
			line += " alike"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

func TestChanges(t *testing.T) {
	t.Parallel()
	day := time.Date(2020, 5, 1, 0, 0, 0, 0, time.UTC)
	merchant := func(m oauth.Merchant) BlockView { return BlockView{Block: oauth.BlockMerchant, Merchant: &m} }
	company := func(c oauth.Company) BlockView { return BlockView{Block: oauth.BlockCompany, Company: &c} }
	user := func(u oauth.User) BlockView { return BlockView{Block: oauth.BlockUser, User: &u} }
	wallets := func(w ...oauth.Wallet) BlockView { return BlockView{Block: oauth.BlockWallet, Wallets: w} }
	usd := oauth.Wallet{Available: money("1", "USD"), Frozen: money("0", "USD"), Total: money("1", "USD")}
	more := usd
	more.Available, more.Total = money("1.000000000000000001", "USD"), money("1.000000000000000001", "USD")
	btc := oauth.Wallet{Available: money("2", "BTC"), Total: money("2", "BTC")}
	for name, c := range map[string]struct {
		before, after BlockView
		want          string
	}{
		"nothing":          {company(oauth.Company{Name: "A", Registered: day}), company(oauth.Company{Name: "A", Registered: day.In(time.FixedZone("", 3600))}), ""},
		"text":             {company(oauth.Company{Name: "A"}), company(oauth.Company{Name: "B"}), "name A>B"},
		"came and went":    {company(oauth.Company{Name: "A"}), company(oauth.Company{City: "B"}), "name A>-; city ->B"},
		"a day":            {company(oauth.Company{Registered: day}), company(oauth.Company{Registered: day.AddDate(0, 0, 1)}), "registered 2020-05-01>2020-05-02"},
		"no company":       {company(oauth.Company{}), company(oauth.Company{None: true}), "none false>true"},
		"personal":         {company(oauth.Company{LegalPerson: "Lin Yue Ming"}), company(oauth.Company{LegalPerson: "Wang Fang Fang"}), "legal_person Li•••ng>Wa•••ng"},
		"personal, alike":  {company(oauth.Company{Phone: "13900001234"}), company(oauth.Company{Phone: "13911111234"}), "phone 13•••34>13•••34 alike"},
		"masked":           {company(oauth.Company{Masked: masks("phone", "133****0170")}), company(oauth.Company{Masked: masks("phone", "139****0170")}), "phone 133****0170*>139****0170*"},
		"masked the same":  {company(oauth.Company{Masked: masks("phone", "133****0170")}), company(oauth.Company{Masked: masks("phone", "133****0170")}), ""},
		"masked from now":  {company(oauth.Company{Phone: "13300000170"}), company(oauth.Company{Masked: masks("phone", "133****0170")}), "phone 13•••70>133****0170*"},
		"shown from now":   {user(oauth.User{Masked: masks("real_name", "林*")}), user(oauth.User{RealName: "林月明"}), "real_name 林**>林•••明"},
		"a flag":           {user(oauth.User{Admin: true}), user(oauth.User{}), "admin true>false"},
		"a list":           {merchant(oauth.Merchant{Gateways: []string{"1", "2"}}), merchant(oauth.Merchant{Gateways: []string{"2", "3"}}), "gateways +[3] -[1]"},
		"a list in order":  {merchant(oauth.Merchant{Gateways: []string{"1", "2"}}), merchant(oauth.Merchant{Gateways: []string{"2", "1"}}), ""},
		"balances":         {wallets(usd, btc), wallets(btc, more), "available/USD 1USD>1.000000000000000001USD; total/USD 1USD>1.000000000000000001USD"},
		"1.0 is 1":         {wallets(usd), wallets(oauth.Wallet{Available: money("1.00", "USD"), Frozen: money("0.0", "USD"), Total: money("1.0", "USD")}), ""},
		"currencies":       {wallets(usd), wallets(btc), "total/USD 1USD>-; total/BTC ->2BTC"},
		"one twice":        {wallets(usd, usd), wallets(usd, more), "available/USD 1USD>1.000000000000000001USD; total/USD 1USD>1.000000000000000001USD"},
		"all worth, once":  {wallets(oauth.Wallet{AllWorth: money("1", "BTC")}, oauth.Wallet{Total: money("0", "X"), AllWorth: money("1", "BTC")}), wallets(oauth.Wallet{AllWorth: money("2", "BTC")}, oauth.Wallet{Total: money("0", "X"), AllWorth: money("2", "BTC")}), "all_worth 1BTC>2BTC"},
		"no balances left": {wallets(usd), wallets(), "total/USD 1USD>-"},
		"unmapped": {
			BlockView{Block: oauth.BlockMerchant, Merchant: &oauth.Merchant{}, Unmapped: []oauth.Unmapped{{Name: "a", Value: "secret-1"}, {Name: "gone", Value: "secret-2"}}},
			BlockView{Block: oauth.BlockMerchant, Merchant: &oauth.Merchant{}, Unmapped: []oauth.Unmapped{{Name: "a", Value: "hidden-1"}, {Name: "new", Value: "secret-3"}}},
			"unmapped/a se•••-1>hi•••-1; unmapped/new ->se•••-3; unmapped/gone se•••-2>-",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := shown(changes(c.before, c.after)); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// TestChanges_NoValueOfAPersonIsInThem prints everything that changes hold, the unexported included.
func TestChanges_NoValueOfAPersonIsInThem(t *testing.T) {
	t.Parallel()
	old, fresh := BlockView{Company: &oauth.Company{}}, BlockView{Company: &oauth.Company{}}
	fill := func(c *oauth.Company, value string) {
		v := reflect.ValueOf(c).Elem()
		for i := range v.NumField() {
			if v.Field(i).Type() == reflect.TypeFor[oauth.Personal]() {
				v.Field(i).SetString(value)
			}
		}
	}
	fill(old.Company, "ab-first-canary-yz")
	fill(fresh.Company, "ab-second-canary-yz")
	all := changes(old, fresh)
	if len(all) != 4 {
		t.Errorf("%d changes, want one for each personal field", len(all))
	}
	if text := fmt.Sprintf("%#v", all); strings.Contains(text, "canary") {
		t.Errorf("a personal value in %s", text)
	}
}

// TestEveryFieldIsCompared changes each field of each normalised type alone: a new one must not be forgotten.
func TestEveryFieldIsCompared(t *testing.T) {
	t.Parallel()
	for _, into := range []func() (any, BlockView){
		func() (any, BlockView) { m := &oauth.Merchant{}; return m, BlockView{Merchant: m} },
		func() (any, BlockView) { c := &oauth.Company{}; return c, BlockView{Company: c} },
		func() (any, BlockView) { u := &oauth.User{}; return u, BlockView{User: u} },
	} {
		_, before := into()
		sample, _ := into()
		for i := range reflect.TypeOf(sample).Elem().NumField() {
			value, after := into()
			field := reflect.TypeOf(sample).Elem().Field(i)
			switch f := reflect.ValueOf(value).Elem().Field(i); f.Interface().(type) {
			case string, oauth.Personal:
				f.SetString("x")
			case bool:
				f.SetBool(true)
			case time.Time:
				f.Set(reflect.ValueOf(time.Now()))
			case []string:
				f.Set(reflect.ValueOf([]string{"x"}))
			case map[string]oauth.Masked:
				continue
			default:
				t.Errorf("%s is of a type that nothing here knows", field.Name)
			}
			if all := changes(before, after); len(all) != 1 || all[0].Field == "" {
				t.Errorf("%s: %+v", field.Name, all)
			}
		}
	}
}
