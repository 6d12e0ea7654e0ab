package zhiyun

import (
	"errors"
	"strings"

	"mooring/internal/oauth"
)

// describe is the descriptor before any setting is known.
func describe() oauth.Descriptor {
	return oauth.Descriptor{
		Slug:        slug,
		Title:       oauth.Text{ZH: "致云", EN: "ZhiCloud (致云)"},
		Summary:     oauth.Text{ZH: "企业财税账户：读取您的账号资料和企业资料。", EN: "Business accounts for tax and finance: your user and company details."},
		Flow:        oauth.FlowKey,
		ClockWindow: clockWindow,
		DocsURL:     "https://github.com/MengyangRen/auth2.0-php",
		Blocks:      []oauth.Block{oauth.BlockCompany, oauth.BlockUser},
		Settings:    settings(),
		Reads: []oauth.Text{
			{ZH: "账号资料：用户名、姓名、电话、性别、是否企业管理员、创建时间", EN: "Your user: user name, name, phone, sex, whether you administer the company's account, date of creation"},
			{ZH: "企业资料：名称、类型、税号、地址、法人姓名和电话、创建时间", EN: "Your company: name, type, tax number, address, legal representative and their phone, date of creation"},
		},
		NotReads: []oauth.Text{
			{ZH: "您在致云的密码：只在致云桌面软件里输入", EN: "Your ZhiCloud password: you type it in their desktop program only"},
			{ZH: "头像：不下载也不显示", EN: "Your picture: it is neither fetched nor shown"},
			{ZH: "不修改任何资料，不动用任何资金", EN: "Nothing is changed, and no call moves money"},
		},
		Needs: []oauth.Text{
			{ZH: "已登录的致云桌面软件", EN: "The ZhiCloud desktop program, signed in"},
			{ZH: "软件里显示的 access_token", EN: "The access_token that it shows"},
			{ZH: "大约一分钟", EN: "About a minute"},
		},
		Lifetime: oauth.Text{
			ZH: "令牌从您登录桌面软件起有效三个月。我们从粘贴之日起按 90 天计算，第 75 天开始提醒。",
			EN: "A token lives three months from the sign-in to the desktop program. We count 90 days from the day you paste it, and remind you from day 75.",
		},
		Stop: oauth.Text{
			ZH: "在此处点击“断开连接”，我们随即删除令牌。致云没有撤销接口；在桌面软件中重新登录或等待到期，令牌即失效。",
			EN: "Press Disconnect here and the token is deleted. ZhiCloud has no way to revoke it; it ends by itself after three months.",
		},
		EndThere: oauth.Text{
			ZH: "请在致云桌面软件中重新登录，旧令牌随即失效；否则它会在三个月内自行到期。",
			EN: "Sign in again in ZhiCloud's desktop software and the old token ends; otherwise it ends by itself within three months.",
		},
		Errors: explanations(),
	}
}

func fields() []oauth.Field {
	return []oauth.Field{{
		Name: tokenField, Secret: true, Required: true,
		Label: oauth.Text{ZH: "access_token", EN: "access_token"},
		Help: oauth.Text{
			ZH: "登录致云桌面软件后即可得到：请在软件的账号（授权）信息中找到 access_token，整段复制后粘贴到这里。它只含小写字母和数字，通常为 32 到 36 位；多余的空格和换行会自动去掉。找不到时，请向致云客服询问“开放平台 access_token”。",
			EN: "Sign in to the ZhiCloud desktop program: the sign-in makes the token. Find access_token in the program's account (authorisation) details, copy all of it and paste it here. It has lower-case letters and digits only, usually 32 to 36 of them; spaces and line breaks are taken out. If you cannot find it, ask ZhiCloud's support for the open platform's access_token.",
		},
	}}
}

// settings say who the platform is at 致云, and where 致云 is.
func settings() []oauth.Setting {
	return []oauth.Setting{
		{
			Name: "BASE_URL", Required: true, Check: oauth.CheckURL,
			Help: oauth.Text{
				ZH: "接口地址，到 /apis/rest 为止，例如 https://auth.example.com/apis/rest。文档只给出 http；明文 http 须另行放行。",
				EN: "Where the interface is, up to /apis/rest, such as https://auth.example.com/apis/rest. The documents know plain http only, which has to be allowed separately.",
			},
		},
		{
			Name: "CLIENT_ID", Required: true, Check: checkClientID,
			Help: oauth.Text{ZH: "致云为平台开通的 client_id（十位数字）。", EN: "The platform's client_id at ZhiCloud (ten digits)."},
		},
		{
			Name: "CLIENT_SECRET", Required: true, Secret: true,
			Help: oauth.Text{ZH: "与 client_id 对应的 client_secret（十六个字符）。", EN: "The client_secret that belongs to the client_id (sixteen characters)."},
		},
		{
			Name: "FORMAT", Default: formatJSON, Check: oauth.CheckOneOf(formatJSON, formatXML),
			Help: oauth.Text{ZH: "回答的格式：json 或 xml。", EN: "The format of the answers: json or xml."},
		},
	}
}

// checkClientID takes what Basic auth can carry as a name. The documents' ten digits are a habit of one server.
func checkClientID(value string) error {
	if value == "" || len(value) > 64 || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }) {
		return errors.New("must be the ten digits that were issued, without spaces or colons")
	}
	return nil
}
