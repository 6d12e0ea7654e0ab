package redemption

import "mooring/internal/simulator/bench"

// About is what the index page says of this simulator. base is the address it answers at.
func (s *Simulator) About(base string) bench.About {
	about := bench.About{
		Slug: Slug, Title: title(),
		Summary: bench.Text{
			ZH: "签名请求换取支付宝授权链接；用户同意后，由服务器回调送达 openId；读取业务余额。",
			EN: "A signed call gives an Alipay link; the openId arrives by a signed server callback; reads the business balance.",
		},
		Settings: []bench.Field{
			{Label: bench.Text{ZH: "接口地址", EN: "Base address"}, Value: base},
			{Label: bench.Text{ZH: "平台公钥（验证 RSA 回调）", EN: "Platform public key (RSA callbacks)"}, Value: told(s.publicText(platformOwner))},
		},
		Endpoints: []bench.Endpoint{
			{Method: "POST", Path: linkPath, Note: bench.Text{ZH: "获取授权链接", EN: "get the authorisation link"}},
			{Method: "POST", Path: balancePath, Note: bench.Text{ZH: "查询业务余额", EN: "business balance"}},
			{Method: "GET", Path: alipayPath, Note: bench.Text{ZH: "扮演支付宝的页面", EN: "the page that plays Alipay"}},
			{Method: "GET", Path: "/_control/callbacks", Note: bench.Text{ZH: "已发出的回调", EN: "callbacks that were sent"}},
			{Method: "POST", Path: "/_control/callbacks/{serialNo}", Note: bench.Text{ZH: "再次发出真正的回调", EN: "send the genuine one again"}},
		},
	}
	for _, m := range s.people {
		about.Accounts = append(about.Accounts, s.account(m))
	}
	return about
}

// account is the merchant as the index page shows it.
func (s *Simulator) account(m merchant) bench.Account {
	a := bench.Account{Business: m.Name, Note: m.About, Fields: []bench.Field{
		{Label: bench.Text{ZH: "业务 ID（businessId）", EN: "businessId"}, Value: m.BusinessID},
		{Label: bench.Text{ZH: "商家 ID（merchantId）", EN: "merchantId"}, Value: m.MerchantID},
	}}
	if m.MD5Key != "" {
		a.Fields = append(a.Fields, bench.Field{Label: bench.Text{ZH: "MD5 密钥", EN: "MD5 key"}, Value: m.MD5Key})
	}
	if m.RSA {
		a.Fields = append(a.Fields, bench.Field{Label: bench.Text{ZH: "商户私钥", EN: "Private key"}, Value: told(s.privateText(m.BusinessID))})
	}
	return a
}

// told is a key as a page shows it.
func told(key string, err error) string {
	if err != nil {
		return "–"
	}
	return key
}
