package asiabill

import (
	"slices"

	"mooring/internal/simulator/bench"
)

// merchant is a business that has an account here. merNo has five digits; a gateway's number has eight and begins
// with them.
type merchant struct {
	No       string
	Name     bench.Text
	About    bench.Text
	Prefix   string // of its order numbers
	Gateways []gateway
	Daily    int // orders on an ordinary day; 0: none yet
	Users    []user
}

// gateway is one shop of a merchant.
type gateway struct {
	No, Site, Currency string
	Typical            int64 // an ordinary order, in the currency's smallest unit
	Decimals           int
}

// user is somebody who can sign in to AsiaBill. Only a super administrator may authorise a partner.
type user struct {
	Name, Password string
	Super          bool
}

// merchants are the sample merchants; their names are invented.
func merchants() []merchant {
	return []merchant{
		{
			No: "10231", Prefix: "LJ", Daily: 6, Users: users("10231"),
			Name:  bench.Text{ZH: "深圳市蓝鲸科技有限公司", EN: "Shenzhen Blue Whale Technology Co., Ltd."},
			About: bench.Text{ZH: "两个网关，美元和欧元", EN: "Two gateways, US dollars and euros"},
			Gateways: []gateway{
				{"10231001", "bluewhale-outdoor.example", "USD", 6490, 2},
				{"10231002", "blauwal-garten.example", "EUR", 5200, 2},
			},
		},
		{
			No: "20488", Prefix: "HF", Daily: 3, Users: users("20488"),
			Name:     bench.Text{ZH: "Harbour & Finch Ltd", EN: "Harbour & Finch Ltd"},
			About:    bench.Text{ZH: "一个网关，英镑", EN: "One gateway, pounds sterling"},
			Gateways: []gateway{{"20488001", "harbourandfinch.example", "GBP", 11800, 2}},
		},
		{
			No: "31760", Prefix: "MM", Daily: 10, Users: users("31760"),
			Name:  bench.Text{ZH: "杭州木棉服饰有限公司", EN: "Hangzhou Kapok Apparel Co., Ltd."},
			About: bench.Text{ZH: "三个网关，美元、日元和港元", EN: "Three gateways, US dollars, yen and Hong Kong dollars"},
			Gateways: []gateway{
				{"31760001", "kapok-wear.example", "USD", 3900, 2},
				{"31760002", "kapok-tokyo.example", "JPY", 7800, 0},
				{"31760003", "kapok-hk.example", "HKD", 42000, 2},
			},
		},
		{
			No: "40915", Prefix: "QP", Daily: 0, Users: users("40915"),
			Name:     bench.Text{ZH: "Quiet Pond Studio", EN: "Quiet Pond Studio"},
			About:    bench.Text{ZH: "新商户，还没有任何交易", EN: "A new merchant, no transaction yet"},
			Gateways: []gateway{{"40915001", "quietpond.example", "USD", 4500, 2}},
		},
	}
}

// users are a merchant's two sign-ins. The passwords are no secrets: the login page offers them.
func users(no string) []user {
	return []user{
		{Name: "admin", Password: "asiabill-" + no, Super: true},
		{Name: "operator", Password: "operator-" + no},
	}
}

// find looks a merchant up by merNo or by the number of one of its gateways.
func (s *Simulator) find(number string) (merchant, bool) {
	i := slices.IndexFunc(s.people, func(m merchant) bool { return m.No == number || m.owns(number) })
	if i < 0 {
		return merchant{}, false
	}
	return s.people[i], true
}

// owns says whether a gateway is the merchant's.
func (m merchant) owns(gatewayNo string) bool {
	return slices.ContainsFunc(m.Gateways, func(g gateway) bool { return g.No == gatewayNo })
}

// another is some other merchant than this one, always the same.
func (s *Simulator) another(than string) string {
	i := slices.IndexFunc(s.people, func(m merchant) bool { return m.No == than })
	return s.people[(i+1)%len(s.people)].No
}
