package asiabill

import (
	"errors"
	"slices"
	"strings"
	"time"

	"mooring/internal/oauth"
)

// describe is the descriptor before any setting is known.
func describe() oauth.Descriptor {
	return oauth.Descriptor{
		Slug:        slug,
		Title:       oauth.Text{ZH: "AsiaBill", EN: "AsiaBill"},
		Summary:     oauth.Text{ZH: "跨境收单：读取您的交易和拒付记录。", EN: "Cross-border card acquiring: your transactions and chargebacks."},
		Flow:        oauth.FlowRedirect,
		StatePolicy: oauth.StateCookieFallback,
		ClockWindow: 30 * time.Minute,
		DocsURL:     "https://asiabill.gitbook.io/openapi",
		Blocks:      []oauth.Block{oauth.BlockMerchant, oauth.BlockWalletFlow},
		FlowKinds: []oauth.FlowKind{
			{Kind: "transaction", Title: oauth.Text{ZH: "交易", EN: "Transactions"}},
			{Kind: "chargeback", Title: oauth.Text{ZH: "拒付", EN: "Chargebacks"}},
		},
		Settings: slices.Concat(clientSettings(), callSettings(), policySettings()),
		Reads: []oauth.Text{
			{ZH: "商户号，以及近 30 天记录中出现的网关号", EN: "Your merchant number, and the gateway numbers that appear in the last 30 days"},
			{ZH: "近 30 天的交易：订单号、金额、币种、状态和时间", EN: "Transactions of the last 30 days: order number, amount, currency, status and time"},
			{ZH: "近 30 天的拒付：订单号、金额、币种、原因和时间", EN: "Chargebacks of the last 30 days: order number, amount, currency, reason and time"},
		},
		NotReads: []oauth.Text{
			{ZH: "您在 AsiaBill 的用户名和密码：只在 AsiaBill 的页面上输入", EN: "Your AsiaBill user name and password: you type them on AsiaBill's own page"},
			{ZH: "不发起退款、不上传物流或商品信息，不动用任何资金", EN: "Nothing is refunded, uploaded or paid: no call moves money"},
		},
		Needs: []oauth.Text{
			{ZH: "AsiaBill 商户号", EN: "Your AsiaBill merchant number"},
			{ZH: "超级管理员的用户名和密码（其他账号无法授权）", EN: "The super administrator's user name and password (no other user can consent)"},
			{ZH: "大约两分钟", EN: "About two minutes"},
		},
		Lifetime: oauth.Text{
			ZH: "长期有效，直到您断开连接或 AsiaBill 撤销授权。",
			EN: "It lasts until you disconnect, or until AsiaBill ends it.",
		},
		Stop: oauth.Text{
			ZH: "在此处点击“断开连接”，我们随即删除令牌。AsiaBill 没有公开的撤销接口；如需在其系统中一并撤销，请联系 AsiaBill 客服。",
			EN: "Press Disconnect here and the token is deleted. AsiaBill has no public way to revoke it; ask AsiaBill's support to end it on their side as well.",
		},
		EndThere: oauth.Text{
			ZH: "请联系 AsiaBill 客服，要求撤销对本平台的授权。",
			EN: "Ask AsiaBill's support to withdraw what you granted to this platform.",
		},
		Errors: explanations(),
	}
}

// clientSettings say who the platform is at AsiaBill, and where AsiaBill is.
func clientSettings() []oauth.Setting {
	return []oauth.Setting{
		{
			Name: "CLIENT_ID", Required: true,
			Help: oauth.Text{ZH: "AsiaBill 客服为平台开通的 client_id。", EN: "The platform's client_id, set up by AsiaBill's support."},
		},
		{
			Name: "CLIENT_SECRET", Required: true, Secret: true,
			Help: oauth.Text{ZH: "与 client_id 对应的 client_secret。", EN: "The client_secret that belongs to the client_id."},
		},
		{
			Name: "OAUTH_URL", Check: oauth.CheckURL,
			Help: oauth.Text{
				ZH: "授权地址。留空则按环境取文档所列：测试 https://auth-uat.asiabill.com，生产 https://oauth.asiabill.com。",
				EN: "Where merchants consent. Empty: the documented one of the environment, https://auth-uat.asiabill.com (test) or https://oauth.asiabill.com (live).",
			},
		},
		{
			Name: "OPENAPI_URL", Check: oauth.CheckURL,
			Help: oauth.Text{
				ZH: "接口地址。留空则按环境取文档所列：测试 https://api-uat.asiabill.com，生产 https://openapi.asiabill.com。",
				EN: "Where data is read. Empty: the documented one of the environment, https://api-uat.asiabill.com (test) or https://openapi.asiabill.com (live).",
			},
		},
	}
}

// callSettings settle what the documents leave open about the calls.
func callSettings() []oauth.Setting {
	return []oauth.Setting{
		{
			Name: "TOKEN_METHOD", Default: postForm, Check: oauth.CheckOneOf(postForm, postJSON, getQuery),
			Help: oauth.Text{
				ZH: "换取令牌的方式：post_form、post_json 或 get_query。文档的两个版本不一致；地址不接受 POST 时会自动改用 GET。",
				EN: "How the code is exchanged: post_form, post_json or get_query. Two revisions of the documents disagree; where POST is not taken, GET is tried.",
			},
		},
		{
			Name: "REQUEST_TIME_ZONE", Default: homeZone, Check: checkZone,
			Help: oauth.Text{
				ZH: "request-time 和数据中时间所用的时区（IANA 名称）。",
				EN: "The zone of request-time and of the times in the data (an IANA name).",
			},
		},
	}
}

// policySettings settle what the documents leave open about the flow.
func policySettings() []oauth.Setting {
	return []oauth.Setting{
		{
			Name: "STATE_POLICY", Default: string(oauth.StateCookieFallback), Check: oauth.CheckOneOf(string(oauth.StateCookieFallback), string(oauth.StateStrict)),
			Help: oauth.Text{
				ZH: "返回时没有 state 怎么办：cookie_fallback（由本人确认账户后绑定）或 strict（拒绝）。",
				EN: "When a return carries no state: cookie_fallback (the person confirms the account) or strict (refuse).",
			},
		},
		{
			Name: "SEND_REDIRECT_URI", Default: "true", Check: oauth.CheckBool,
			Help: oauth.Text{
				ZH: "是否在授权地址中带上 redirect_uri（true 或 false）。",
				EN: "Whether redirect_uri is sent along to the consent page (true or false).",
			},
		},
		{
			Name: "REFRESH_ENABLED", Default: "false", Check: oauth.CheckBool,
			Help: oauth.Text{
				ZH: "是否使用 refresh_token 续期（true 或 false）。文档没有说明续期接口，确认可用后再打开。",
				EN: "Whether tokens are refreshed (true or false). The documents describe no refresh call; turn it on once it is known to work.",
			},
		},
		{
			Name: "PROBE_PATH", Default: chargebacksPath, Check: checkPath,
			Help: oauth.Text{
				ZH: "连接时用来验证令牌和账户的只读接口；off 表示不验证。",
				EN: "The read that proves token and account when a merchant connects; off leaves the proof out.",
			},
		},
	}
}

// explanations are for refusals that mean something particular here. AsiaBill publishes no table of codes for this
// product, so they go by kind, and OAuth's own words where they matter.
func explanations() []oauth.Explanation {
	merchant := oauth.Text{ZH: "您", EN: "You"}
	platform := oauth.Text{ZH: "平台", EN: "The platform"}
	return []oauth.Explanation{
		{
			Kind: oauth.NeedsReauth, Code: "invalid_grant", Actor: merchant,
			Cause: oauth.Text{ZH: "AsiaBill 的授权码已过期或已使用。", EN: "AsiaBill's authorisation code has expired or was used already."},
			Next:  oauth.Text{ZH: "重新连接即可，大约需要一分钟。", EN: "Connect again; it takes about a minute."},
		},
		{
			Kind: oauth.NeedsReauth, Actor: merchant,
			Cause: oauth.Text{ZH: "AsiaBill 不再接受此授权。", EN: "AsiaBill no longer accepts this authorisation."},
			Next:  oauth.Text{ZH: "请用超级管理员账号重新连接。", EN: "Connect again, signing in as the super administrator."},
		},
		{
			Kind: oauth.AccountMismatch, Actor: merchant,
			Cause: oauth.Text{ZH: "AsiaBill 返回的商户号与令牌所属的网关号不一致。", EN: "The merchant number that came back is not the one that the token's gateways belong to."},
			Next:  oauth.Text{ZH: "请重新连接，并确认登录的是要连接的商户。", EN: "Connect again, and make sure to sign in as the merchant you mean to connect."},
		},
		{
			Kind: oauth.ClockSkew, Actor: platform,
			Cause: oauth.Text{ZH: "AsiaBill 认为请求时间相差超过 30 分钟。", EN: "AsiaBill finds the time of our requests more than 30 minutes off."},
			Next:  oauth.Text{ZH: "请检查服务器时钟和 ASIABILL_REQUEST_TIME_ZONE。", EN: "Check the server's clock and ASIABILL_REQUEST_TIME_ZONE."},
		},
		{
			Kind: oauth.AuthConfig, Actor: platform,
			Cause: oauth.Text{ZH: "AsiaBill 不接受平台的 client_id、client_secret 或回调地址。", EN: "AsiaBill does not accept the platform's client_id, client_secret or redirect address."},
			Next:  oauth.Text{ZH: "请与 AsiaBill 客服核对这三项设置。", EN: "Compare these three settings with AsiaBill's support."},
		},
	}
}

func checkPath(value string) error {
	if value != probeOff && (!strings.HasPrefix(value, "/") || strings.ContainsAny(value, "?# ")) {
		return errors.New(`must be a path that begins with "/", or off`)
	}
	return nil
}

func checkZone(value string) error {
	if _, err := time.LoadLocation(value); err != nil || strings.EqualFold(value, "local") {
		return errors.New("must be the IANA name of a zone, such as Asia/Shanghai")
	}
	return nil
}
