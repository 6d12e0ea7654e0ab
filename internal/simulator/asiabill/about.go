package asiabill

import "mooring/internal/simulator/bench"

// About is what the index page says of this simulator. base is the address it answers at.
func (s *Simulator) About(base string) bench.About {
	sample := s.Sample()
	about := bench.About{
		Slug: Slug, Title: title(),
		Summary: bench.Text{
			ZH: "OAuth 授权码跳转；登录者须为商户超级管理员；读取交易与拒付。",
			EN: "OAuth code by redirect; the merchant's super administrator signs in; reads transactions and chargebacks.",
		},
		Settings: []bench.Field{
			{Label: bench.Text{ZH: "oauthUrl 与 openApiUrl", EN: "oauthUrl and openApiUrl"}, Value: base},
			{Label: bench.Text{ZH: "client_id", EN: "client_id"}, Value: sample.ClientID},
			{Label: bench.Text{ZH: "client_secret", EN: "client_secret"}, Value: sample.ClientSecret},
			{Label: bench.Text{ZH: "登记的 redirect_uri", EN: "Registered redirect_uri"}, Value: sample.RedirectURI},
		},
		Endpoints: []bench.Endpoint{
			{Method: "GET", Path: "/oauth/authorize", Note: bench.Text{ZH: "授权页面", EN: "authorisation page"}},
			{Method: "POST", Path: "/oauth/token", Note: bench.Text{ZH: "换取令牌（也接受 GET）", EN: "token (GET as well)"}},
			{Method: "GET", Path: "/openApi/chargebacks", Note: bench.Text{ZH: "拒付", EN: "chargebacks"}},
			{Method: "GET", Path: "/openApi/transactions", Note: bench.Text{ZH: "交易", EN: "transactions"}},
		},
	}
	for _, m := range s.people {
		about.Accounts = append(about.Accounts, m.account())
	}
	return about
}

// account is the merchant as the index page shows it.
func (m merchant) account() bench.Account {
	gateways := ""
	for i, g := range m.Gateways {
		if i > 0 {
			gateways += " · "
		}
		gateways += g.No
	}
	a := bench.Account{Business: m.Name, Note: m.About, Fields: []bench.Field{
		{Label: bench.Text{ZH: "商户号", EN: "Merchant number"}, Value: m.No},
		{Label: bench.Text{ZH: "网关号", EN: "Gateways"}, Value: gateways},
	}}
	for _, u := range m.Users {
		label := bench.Text{ZH: "操作员（会被拒绝）", EN: "Operator (refused)"}
		if u.Super {
			label = bench.Text{ZH: "超级管理员", EN: "Super administrator"}
		}
		a.Fields = append(a.Fields, bench.Field{Label: label, Value: u.Name + " / " + u.Password})
	}
	return a
}
