package cardwallet

import (
	"slices"

	"mooring/internal/simulator/bench"
)

// merchant is a business that has an account here.
type merchant struct {
	ClientID string // 19 digits; the id of the merchant is another number
	ID       int64
	Name     bench.Text
	About    bench.Text
	Status   string // NORMAL, FROZEN
	Since    string
	Company  company
	Person   person
	Wallets  []wallet
}

// company is MerchantCompanyDto with its two neighbours. Names of fields are guesses; names of models are documented.
type company struct {
	Name, NameEN, Type, RegistrationNo, TaxNo, Country, Province, City, Address, Established string

	LegalName, LegalPhone, LegalIDNo string
	Shareholders                     []shareholder
}

type shareholder struct{ Name, Ratio string }

// person is MerchantPersonDto: who looks after the account.
type person struct{ Name, Phone, Email string }

// wallet is one currency of a merchant. Amounts are in its smallest unit.
type wallet struct {
	ID       int64
	Currency string
	Decimals int
	Cards    int   // how many cards spend from it on an ordinary day
	Typical  int64 // an ordinary purchase
	TopUp    int64 // an ordinary recharge
}

// merchants are the sample merchants; their names are invented. The ids are beyond what a float64 holds exactly, and
// two of them differ in the last digit only.
func merchants() []merchant {
	return []merchant{
		{
			ClientID: "1987654321098765431", ID: 1987654321098765433, Status: "NORMAL", Since: "2025-06-18 10:24:07",
			Name:  bench.Text{ZH: "深圳市星帆跨境电商有限公司", EN: "Shenzhen Star Sail Cross-Border E-Commerce Co., Ltd."},
			About: bench.Text{ZH: "一个美元钱包，每天有卡消费", EN: "One wallet in US dollars, card spending every day"},
			Company: company{
				Name: "深圳市星帆跨境电商有限公司", NameEN: "Shenzhen Star Sail Cross-Border E-Commerce Co., Ltd.", Type: "LIMITED", RegistrationNo: "440300998877665",
				TaxNo: "91440300MA5EXAMPLE", Country: "CN", Province: "广东省", City: "深圳市", Address: "南山区示例路 18 号 5 层", Established: "2019-03-12",
				LegalName: "陈示例", LegalPhone: "13800138001", LegalIDNo: "440301198801010011",
				Shareholders: []shareholder{{"陈示例", "70.00"}, {"周样本", "30.00"}},
			},
			Person:  person{"周样本", "13800138002", "ops@starsail.example"},
			Wallets: []wallet{{1987654321098765501, "USD", 2, 6, 4_250, 1_500_000}},
		},
		{
			ClientID: "1987654321098765432", ID: 1987654321098765434, Status: "NORMAL", Since: "2025-09-02 16:40:51",
			Name:  bench.Text{ZH: "Larkspur Trading (HK) Limited", EN: "Larkspur Trading (HK) Limited"},
			About: bench.Text{ZH: "两个钱包：USDT（六位小数）和港元", EN: "Two wallets: USDT with six decimals, and Hong Kong dollars"},
			Company: company{
				Name: "Larkspur Trading (HK) Limited", NameEN: "Larkspur Trading (HK) Limited", Type: "LIMITED", RegistrationNo: "70998877", TaxNo: "70998877-000",
				Country: "HK", City: "Hong Kong", Address: "Unit 1207, Example Tower, Wan Chai", Established: "2021-11-05",
				LegalName: "Lee Sample", LegalPhone: "85298765432", LegalIDNo: "X998877(6)", Shareholders: []shareholder{{"Larkspur Holdings Limited", "100.00"}},
			},
			Person: person{"Lee Sample", "85298765432", "finance@larkspur.example"},
			Wallets: []wallet{
				{1987654321098765511, "USDT", 6, 3, 61_250_000, 25_000_000_000},
				{1987654321098765512, "HKD", 2, 2, 38_800, 8_000_000},
			},
		},
		{
			ClientID: "1987654321098765440", ID: 1987654321098765441, Status: "FROZEN", Since: "2025-03-27 09:05:33",
			Name:  bench.Text{ZH: "杭州雨前茶业有限公司", EN: "Hangzhou Yuqian Tea Co., Ltd."},
			About: bench.Text{ZH: "商户已冻结，钱包仍可查询", EN: "The merchant is frozen, its wallet can still be read"},
			Company: company{
				Name: "杭州雨前茶业有限公司", Type: "LIMITED", RegistrationNo: "330100776655443", TaxNo: "91330100MA2EXAMPLE", Country: "CN", Province: "浙江省", City: "杭州市",
				Address: "西湖区样例街 6 号", Established: "2015-04-20", LegalName: "沈样例", LegalPhone: "13900139003", LegalIDNo: "330106197905050022",
			},
			Person:  person{"沈样例", "13900139003", ""},
			Wallets: []wallet{{1987654321098765521, "USD", 2, 1, 2_600, 300_000}},
		},
		{
			ClientID: "1987654321098765450", ID: 1987654321098765451, Status: "NORMAL", Since: "2026-02-11 11:11:42",
			Name:    bench.Text{ZH: "Quiet Pond Studio", EN: "Quiet Pond Studio"},
			About:   bench.Text{ZH: "新商户，还没有开通钱包", EN: "A new merchant without a wallet yet"},
			Company: company{Name: "Quiet Pond Studio", Type: "SOLE", Country: "SG", City: "Singapore", Address: "1 Example Lane", Established: "2025-12-01", LegalName: "Tan Sample"},
			Person:  person{"Tan Sample", "6581234567", "hello@quietpond.example"},
		},
	}
}

// find looks a merchant up by client_id.
func (s *Simulator) find(clientID string) (merchant, bool) {
	i := slices.IndexFunc(s.people, func(m merchant) bool { return m.ClientID == clientID })
	if i < 0 {
		return merchant{}, false
	}
	return s.people[i], true
}

// another is some other merchant than this one, always the same.
func (s *Simulator) another(than merchant) merchant {
	i := slices.IndexFunc(s.people, func(m merchant) bool { return m.ID == than.ID })
	return s.people[(i+1)%len(s.people)]
}
