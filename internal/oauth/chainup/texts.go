package chainup

import (
	"errors"
	"slices"
	"strings"

	"mooring/internal/oauth"
)

// describe is the descriptor before any setting is known.
func describe() oauth.Descriptor {
	return oauth.Descriptor{
		Slug:        slug,
		Title:       oauth.Text{ZH: "ChainUp 交易所", EN: "ChainUp exchange"},
		Summary:     oauth.Text{ZH: "数字资产交易所：读取您的各币种余额和账户资料。", EN: "Digital asset exchange: your balance in each coin, and your account."},
		Flow:        oauth.FlowRedirect,
		StatePolicy: oauth.StateCookieFallback,
		DocsURL:     "https://platformv2docs.chainup.com",
		Blocks:      []oauth.Block{oauth.BlockUser, oauth.BlockWallet},
		Settings:    slices.Concat(placeSettings(), keySettings(), policySettings()),
		Reads: []oauth.Text{
			{ZH: "各币种的可用、冻结和总余额，以及交易所的估值", EN: "What you hold of each coin: available, frozen and in all, with the exchange's valuation"},
			{ZH: "账户的 UID、昵称、认证等级和注册时间", EN: "Your account's UID, nickname, verification level and date of registration"},
			{ZH: "手机号和邮箱：加密保存，默认遮盖显示", EN: "Your phone number and e-mail address: stored encrypted, shown masked"},
		},
		NotReads: []oauth.Text{
			{ZH: "您在交易所的密码和验证码：只在交易所的页面上输入", EN: "Your password and codes: you type them on the exchange's own page"},
			{ZH: "不下单、不支付、不提币，不动用任何资产", EN: "Nothing is ordered, paid or withdrawn: no call moves your assets"},
		},
		Needs: []oauth.Text{
			{ZH: "交易所账号，以及登录所需的验证方式", EN: "Your account at the exchange, and what you need to sign in there"},
			{ZH: "大约一分钟", EN: "About a minute"},
		},
		Lifetime: oauth.Text{
			ZH: "令牌到期前自动续期，直到您断开连接或交易所终止授权。",
			EN: "It is renewed by itself until you disconnect, or until the exchange ends it.",
		},
		Stop: oauth.Text{
			ZH: "在此处点击“断开连接”，我们随即删除令牌。交易所没有公开的撤销接口；如需在其系统中一并取消，请联系交易所客服。",
			EN: "Press Disconnect here and the tokens are deleted. The exchange has no public way to revoke them; ask its support to end it on their side as well.",
		},
		EndThere: oauth.Text{
			ZH: "请联系交易所客服，要求取消对本平台的授权。",
			EN: "Ask the exchange's support to withdraw what you granted to this platform.",
		},
		Errors: explanations(),
	}
}

// placeSettings say where the exchange is and who the platform is there.
func placeSettings() []oauth.Setting {
	return []oauth.Setting{
		{
			Name: "BASE_URL", Required: true, Check: oauth.CheckURL,
			Help: oauth.Text{ZH: "交易所的服务地址，例如 https://service.example.com。", EN: "The exchange's address, for example https://service.example.com."},
		},
		{
			Name: "LOGIN_PATH", Default: loginPath, Check: checkLogin,
			Help: oauth.Text{
				ZH: "授权登录页的路径；如果登录页在另一个域名下，填写完整地址。",
				EN: "The path of the login page, or its whole address where it is on another host.",
			},
		},
		{
			Name: "APP_ID", Required: true,
			Help: oauth.Text{ZH: "开放平台为应用分配的 appKey（即 app_id）。", EN: "The app's appKey at the open platform (its app_id)."},
		},
	}
}

func keySettings() []oauth.Setting {
	return []oauth.Setting{
		{
			Name: "PRIVATE_KEY", Required: true, Secret: true, Check: checkPrivateKey,
			Help: oauth.Text{
				ZH: "平台的 RSA 私钥（rsa_third_pri）：2048 位，PKCS#8，PEM 或 Base64。对应的公钥上传到交易所后台。",
				EN: "The platform's RSA private key (rsa_third_pri): 2048 bits, PKCS #8, PEM or Base64. Its public half is uploaded at the exchange.",
			},
		},
		{
			Name: "PLATFORM_PUBLIC_KEY", Required: true, Check: checkPublicKey,
			Help: oauth.Text{
				ZH: "交易所的 RSA 公钥（rsa_saas_pub）：2048 位，X.509，PEM 或 Base64。",
				EN: "The exchange's RSA public key (rsa_saas_pub): 2048 bits, X.509, PEM or Base64.",
			},
		},
	}
}

// policySettings settle what the documents leave open.
func policySettings() []oauth.Setting {
	return []oauth.Setting{
		{
			Name: "TIME_FORMAT", Default: msNumber, Check: oauth.CheckOneOf(msNumber, msString, sNumber),
			Help: oauth.Text{
				ZH: "请求时间 time 的写法：ms_number（毫秒数字）、ms_string（毫秒字符串）或 s_number（秒数字）。文档与示例不一致，默认与官方示例程序相同。",
				EN: "How a request's time is written: ms_number, ms_string or s_number. Documents and samples disagree; the default is the official demo's.",
			},
		},
		{
			Name: "STATE_POLICY", Default: string(oauth.StateCookieFallback), Check: oauth.CheckOneOf(string(oauth.StateCookieFallback), string(oauth.StateStrict)),
			Help: oauth.Text{
				ZH: "返回时没有 state 怎么办：cookie_fallback（由本人确认账户后绑定）或 strict（拒绝）。",
				EN: "When a return carries no state: cookie_fallback (the person confirms the account) or strict (refuse).",
			},
		},
	}
}

// checkLogin takes a path or a whole address.
func checkLogin(value string) error {
	if path, ok := strings.CutPrefix(value, "/"); ok && !strings.HasPrefix(path, "/") && !strings.ContainsAny(value, "?# ") {
		return nil
	}
	if oauth.CheckURL(value) != nil {
		return errors.New(`must be a path that begins with "/", or a whole https address`)
	}
	return nil
}
