package chainup

import "mooring/internal/simulator/bench"

// About is what the index page says of this simulator. base is the address it answers at.
func (s *Simulator) About(base string) bench.About {
	sample := s.Sample()
	call := func(path string, note bench.Text) bench.Endpoint {
		return bench.Endpoint{Method: "POST", Path: api + path, Note: note}
	}
	about := bench.About{
		Slug: Slug, Title: title(),
		Summary: bench.Text{
			ZH: "授权码跳转；v2 接口用 RSA 加密和签名；读取各币种余额和用户资料。",
			EN: "A code by redirect; v2 calls, encrypted and signed with RSA; reads balances per coin and the user's profile.",
		},
		Settings: []bench.Field{
			{Label: bench.Text{ZH: "base", EN: "base"}, Value: base},
			{Label: bench.Text{ZH: "app_id（即 appKey）", EN: "app_id, which is the appKey"}, Value: sample.AppID},
			{Label: bench.Text{ZH: "rsa_third_pri（示例应用的私钥）", EN: "rsa_third_pri, the sample's private key"}, Value: sample.PrivateKey},
			{Label: bench.Text{ZH: "rsa_saas_pub（交易所公钥）", EN: "rsa_saas_pub, the exchange's public key"}, Value: sample.SaasPublicKey},
			{Label: bench.Text{ZH: "登记的 redirectUrl", EN: "Registered redirectUrl"}, Value: sample.RedirectURL},
		},
		Endpoints: []bench.Endpoint{
			{Method: "GET", Path: "/platform/login.html", Note: bench.Text{ZH: "登录授权页面", EN: "login and consent"}},
			call("/auth/token", bench.Text{ZH: "换取令牌", EN: "token"}),
			call("/auth/refreshToken", bench.Text{ZH: "刷新令牌", EN: "refresh"}),
			call("/user/accountBalance", bench.Text{ZH: "各币种余额", EN: "balances per coin"}),
			call("/ouser/v2/userAccounts", bench.Text{ZH: "账户明细", EN: "accounts by type"}),
			call("/user/user_superior", bench.Text{ZH: "openId 对应的 uid", EN: "the uid of an openId"}),
			call("/user/inquire_user", bench.Text{ZH: "用户资料", EN: "the user's profile"}),
		},
	}
	for _, u := range s.people {
		about.Accounts = append(about.Accounts, bench.Account{
			Business: bench.Text{ZH: u.Nick, EN: u.Nick}, Note: u.About,
			Fields: []bench.Field{
				{Label: bench.Text{ZH: "UID", EN: "UID"}, Value: u.UID},
				{Label: bench.Text{ZH: "账号 / 密码", EN: "Account / password"}, Value: u.Email + " / " + u.Password},
			},
		})
	}
	return about
}
