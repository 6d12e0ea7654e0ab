package chainup

import "mooring/internal/oauth"

const dailyLimit = "50013" // lasts until the exchange's next day

// kinds sorts the documented codes. Where a code stands twice in the list, the first is what a call makes of it.
func kinds() map[string]oauth.Kind {
	m := map[string]oauth.Kind{}
	for _, e := range explanations() {
		if _, twice := m[e.Code]; e.Code != "" && !twice {
			m[e.Code] = e.Kind
		}
	}
	return m
}

// words are the sentences that many codes share.
type words struct {
	merchant, platform, exchange, nobody oauth.Text // who must act
	again, later, ask, report, compare   oauth.Text // what to do
}

func sentences() words {
	return words{
		merchant: oauth.Text{ZH: "您", EN: "You"},
		platform: oauth.Text{ZH: "平台", EN: "The platform"},
		exchange: oauth.Text{ZH: "交易所", EN: "The exchange"},
		nobody:   oauth.Text{ZH: "无需处理", EN: "Nobody"},
		again:    oauth.Text{ZH: "请重新连接，大约需要一分钟。", EN: "Connect again; it takes about a minute."},
		later:    oauth.Text{ZH: "系统会自动重试；如果长时间没有恢复，请联系交易所。", EN: "It is tried again by itself; if it does not pass, ask the exchange."},
		ask:      oauth.Text{ZH: "请与交易所核对该应用在开放平台后台的设置。", EN: "Compare the app's settings in the open platform's back office with the exchange."},
		report:   oauth.Text{ZH: "请把此代码和发生时间告诉平台管理员。", EN: "Tell the platform's administrator this code and the time."},
		compare:  oauth.Text{ZH: "请核对服务器时钟和 CHAINUP_TIME_FORMAT；日志中有发送的时间和测得的偏差。", EN: "Check the server's clock and CHAINUP_TIME_FORMAT; the log has the time that was sent and the offset that was measured."},
	}
}

// explanations are the exchange's documented codes, and what is ours to say beside them.
func explanations() []oauth.Explanation {
	w := sentences()
	all := []oauth.Explanation{
		{Kind: oauth.AccountMismatch, Actor: w.merchant, Next: w.again,
			Cause: oauth.Text{ZH: "续期后的令牌属于另一个账户。", EN: "The renewed token belongs to another account."}},
		{Kind: oauth.BadResponse, Actor: w.platform,
			Cause: oauth.Text{ZH: "交易所的应答无法用双方密钥解开，或内容不完整。", EN: "The exchange's answer cannot be opened with the keys, or is not complete."},
			Next: oauth.Text{
				ZH: "请确认 CHAINUP_PRIVATE_KEY 与上传的公钥是一对，CHAINUP_PLATFORM_PUBLIC_KEY 是交易所的公钥。",
				EN: "Make sure that CHAINUP_PRIVATE_KEY belongs to the uploaded public key, and that CHAINUP_PLATFORM_PUBLIC_KEY is the exchange's.",
			}},
		{Kind: oauth.AuthConfig, Actor: w.platform, Next: w.ask,
			Cause: oauth.Text{ZH: "交易所不接受平台的应用编号、地址或来源 IP。", EN: "The exchange does not accept the platform's app, its address or where its calls come from."}},
	}
	all = append(all, generalCodes(w)...)
	all = append(all, accessCodes(w)...)
	all = append(all, tokenCodes(w)...)
	return append(all, orderCodes(w)...)
}

// generalCodes are 1xxxx.
func generalCodes(w words) []oauth.Explanation {
	return []oauth.Explanation{
		{Kind: oauth.Upstream, Code: "10001", Actor: w.exchange, Next: w.later,
			Cause: oauth.Text{ZH: "交易所系统异常。", EN: "The exchange's system failed."}},
		{Kind: oauth.BadRequest, Code: "10003", Actor: w.platform, Next: w.report,
			Cause: oauth.Text{ZH: "滑块验证未通过；我们的请求本不应触发验证。", EN: "A slider check was not passed; our calls should meet none."}},
		{Kind: oauth.Upstream, Code: "10004", Actor: w.exchange, Next: w.later,
			Cause: oauth.Text{ZH: "交易所的短信发送失败。", EN: "The exchange could not send a text message."}},
		{Kind: oauth.RateLimited, Code: "10005", Actor: w.nobody, Next: w.later,
			Cause: oauth.Text{ZH: "请求过于频繁。", EN: "Too many requests in a short time."}},
		{Kind: oauth.BadRequest, Code: "10009", Actor: w.platform, Next: w.report,
			Cause: oauth.Text{ZH: "短信或邮箱验证码错误；我们的请求不含验证码。", EN: "A code from a text message or e-mail is wrong; our calls carry none."}},
		{Kind: oauth.BadRequest, Code: "10010", Actor: w.platform, Next: w.report,
			Cause: oauth.Text{ZH: "谷歌验证码错误；我们的请求不含验证码。", EN: "A Google code is wrong; our calls carry none."}},
		{Kind: oauth.Upstream, Code: "10015", Actor: w.exchange, Next: w.later,
			Cause: oauth.Text{ZH: "交易所操作失败。", EN: "The exchange could not carry it out."}},
		{Kind: oauth.BadRequest, Code: "10020", Actor: w.platform, Next: w.report,
			Cause: oauth.Text{ZH: "交易所认为请求参数错误。", EN: "The exchange finds a parameter wrong."}},
	}
}

// accessCodes are 5xxxx: the app, its keys, its permissions, the clock.
func accessCodes(w words) []oauth.Explanation {
	return []oauth.Explanation{
		{Kind: oauth.BadRequest, Code: "50000", Actor: w.platform, Next: w.report,
			Cause: oauth.Text{ZH: "请求方式不被支持（应为 JSON 的 POST）。", EN: "The method is not supported; calls are POST with JSON."}},
		{Kind: oauth.AuthConfig, Code: "50001", Actor: w.platform, Next: w.ask,
			Cause: oauth.Text{ZH: "应用编号（appKey）不合法。", EN: "The app's number (appKey) is not a valid one."}},
		{Kind: oauth.AuthConfig, Code: "50002", Actor: w.platform,
			Cause: oauth.Text{ZH: "回调地址与交易所后台登记的不一致。", EN: "The redirect address is not the one registered at the exchange."},
			Next:  oauth.Text{ZH: "请在交易所后台登记页面上显示的回调地址，逐字一致，不带参数。", EN: "Register our redirect address at the exchange, letter by letter and without parameters."}},
		{Kind: oauth.AuthConfig, Code: "50003", Actor: w.platform, Next: w.ask,
			Cause: oauth.Text{ZH: "交易所未给该应用分配权限组。", EN: "The exchange has given the app no permission group."}},
		{Kind: oauth.AuthConfig, Code: "50004", Actor: w.platform, Next: w.ask,
			Cause: oauth.Text{ZH: "应用编号（appKey）不存在。", EN: "There is no app with this number (appKey)."}},
		{Kind: oauth.Signature, Code: "50005", Actor: w.platform,
			Cause: oauth.Text{ZH: "交易所验签失败。", EN: "The exchange could not verify our signature."},
			Next:  oauth.Text{ZH: "请核对密钥：上传到交易所的公钥必须与 CHAINUP_PRIVATE_KEY 是一对；日志中有两把公钥的指纹。", EN: "Compare the keys: the public key uploaded to the exchange must belong to CHAINUP_PRIVATE_KEY; the log has the fingerprints of both public keys."}},
		{Kind: oauth.BadRequest, Code: "50006", Actor: w.platform, Next: w.ask,
			Cause: oauth.Text{ZH: "请求的资源为空。", EN: "No resource was named in the request."}},
		{Kind: oauth.BadRequest, Code: "50007", Actor: w.platform, Next: w.ask,
			Cause: oauth.Text{ZH: "请求的资源无效。", EN: "The resource that was asked for is not valid."}},
		{Kind: oauth.BadRequest, Code: "50008", Actor: w.platform, Next: w.ask,
			Cause: oauth.Text{ZH: "项目前缀无效。", EN: "The prefix of the address is not valid."}},
		{Kind: oauth.ClockSkew, Code: "50009", Actor: w.platform, Next: w.compare,
			Cause: oauth.Text{ZH: "交易所认为请求超时：请求时间过早，或在途时间过长。", EN: "The exchange finds the request too old: its time is behind, or it was long on its way."}},
		{Kind: oauth.ClockSkew, Code: "50010", Actor: w.platform, Next: w.compare,
			Cause: oauth.Text{ZH: "交易所认为请求时间不合法。", EN: "The exchange does not accept the request's time."}},
		{Kind: oauth.Upstream, Code: "50011", Actor: w.exchange, Next: w.later,
			Cause: oauth.Text{ZH: "交易所内部网络异常。", EN: "The exchange has trouble with its network."}},
		{Kind: oauth.Permission, Code: "50012", Actor: w.platform, Next: w.ask,
			Cause: oauth.Text{ZH: "该应用没有访问此资源的权限。", EN: "The app may not read this."}},
		{Kind: oauth.RateLimited, Code: dailyLimit, Actor: w.nobody,
			Cause: oauth.Text{ZH: "此资源今天的访问次数已用完。", EN: "Today's number of requests for this is used up."},
			Next:  oauth.Text{ZH: "明天自动恢复；如经常出现，请平台向交易所申请提高上限。", EN: "It goes on tomorrow by itself; if this happens often, the platform can ask the exchange for more."}},
		{Kind: oauth.Permission, Code: "50014", Actor: w.exchange, Next: w.report,
			Cause: oauth.Text{ZH: "该商户不支持此类账户支付；我们不发起支付。", EN: "The exchange's merchant does not support payments from this account; we make none."}},
	}
}

// tokenCodes are 6xxxx.
func tokenCodes(w words) []oauth.Explanation {
	return []oauth.Explanation{
		{Kind: oauth.NeedsReauth, Code: "60001", Actor: w.merchant, Next: w.again,
			Cause: oauth.Text{ZH: "刷新令牌已失效。", EN: "The refresh token is no longer valid."}},
		{Kind: oauth.AuthExpired, Code: "60002", Actor: w.nobody,
			Cause: oauth.Text{ZH: "访问令牌已失效。", EN: "The access token is no longer valid."},
			Next:  oauth.Text{ZH: "系统会自动续期。", EN: "It is renewed by itself."}},
		{Kind: oauth.NeedsReauth, Code: "60002", Actor: w.merchant, Next: w.again,
			Cause: oauth.Text{ZH: "续期时，交易所不再接受原来的令牌。", EN: "When the token was to be renewed, the exchange no longer accepted the old one."}},
		{Kind: oauth.NeedsReauth, Code: "60003", Actor: w.merchant, Next: w.again,
			Cause: oauth.Text{ZH: "授权码已使用过，只能使用一次。", EN: "The code has been used already; it works once."}},
		{Kind: oauth.NeedsReauth, Code: "60004", Actor: w.merchant, Next: w.again,
			Cause: oauth.Text{ZH: "交易所不再认识此账户的 openId。", EN: "The exchange no longer knows this account's openId."}},
	}
}

// orderCodes are 7xxxx. No call of ours makes or reads an order, so none of them should ever be seen.
func orderCodes(w words) []oauth.Explanation {
	var all []oauth.Explanation
	for _, c := range []struct{ code, zh, en string }{
		{"70001", "订单不存在。", "The order does not exist."},
		{"70002", "订单已存在。", "The order exists already."},
		{"70003", "订单状态异常。", "The order is in another state."},
		{"70004", "付款用户不合法。", "The paying user is not accepted."},
		{"70005", "商户账户不可用。", "The merchant's account is not available."},
		{"70006", "账户余额不足。", "The account's balance is not enough."},
		{"70007", "不支持该币种。", "The currency is not supported."},
		{"70008", "付款金额不合法。", "The amount is not accepted."},
		{"70009", "订单场景类型不合法。", "The kind of order is not accepted."},
	} {
		all = append(all, oauth.Explanation{Kind: oauth.BadRequest, Code: c.code, Actor: w.platform, Next: w.report,
			Cause: oauth.Text{ZH: c.zh + "我们不创建订单，本不应出现。", EN: c.en + " We make no orders, so this should not happen."}})
	}
	return all
}
