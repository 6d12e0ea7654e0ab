package zhiyun

import "mooring/internal/simulator/bench"

// About is what the index page says of this simulator. base is the address it answers at.
func (s *Simulator) About(base string) bench.About {
	sample := s.Sample()
	about := bench.About{
		Slug: Slug, Title: title(),
		Summary: bench.Text{
			ZH: "粘贴桌面软件的 access_token；30 秒的 auth_code；读取用户与公司资料。",
			EN: "The desktop software's access_token is pasted; an auth_code of 30 seconds; reads user and company.",
		},
		Settings: []bench.Field{
			{Label: bench.Text{ZH: "接口地址", EN: "Base address"}, Value: base + BasePath},
			{Label: bench.Text{ZH: "client_id", EN: "client_id"}, Value: sample.ClientID},
			{Label: bench.Text{ZH: "client_secret", EN: "client_secret"}, Value: sample.ClientSecret},
			{Label: bench.Text{ZH: "桌面软件（取得 access_token）", EN: "Desktop software (gives the access_token)"}, Value: base + "/desktop"},
		},
		Endpoints: []bench.Endpoint{
			{Method: "GET", Path: "/desktop", Note: bench.Text{ZH: "模拟桌面软件：登录后显示 access_token", EN: "plays the desktop software: shows the access_token after a login"}},
			{Method: "GET", Path: BasePath + "/authService/authorize/json", Note: bench.Text{ZH: "换取 auth_code（也有 /xml）", EN: "auth_code (/xml as well)"}},
			{Method: "GET", Path: BasePath + "/userService/getUserInfo/json", Note: bench.Text{ZH: "用户资料（也有 /xml）", EN: "the user (/xml as well)"}},
			{Method: "GET", Path: BasePath + "/companyService/getCompanyInfo/json", Note: bench.Text{ZH: "公司资料（也有 /xml）", EN: "the company (/xml as well)"}},
			{Method: "POST", Path: "/_control/tokens", Note: bench.Text{ZH: "不经浏览器签发 access_token", EN: "an access_token without a browser"}},
		},
	}
	for _, u := range s.people {
		business := bench.Text{ZH: u.RealName, EN: u.RealName}
		if u.Company != nil {
			business = bench.Text{ZH: u.Company.Name, EN: u.Company.Name}
		}
		about.Accounts = append(about.Accounts, bench.Account{Business: business, Note: u.About, Fields: []bench.Field{
			{Label: bench.Text{ZH: "用户名 / 密码", EN: "User name / password"}, Value: u.Username + " / " + u.Password},
		}})
	}
	return about
}
