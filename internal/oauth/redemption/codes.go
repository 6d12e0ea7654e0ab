package redemption

import (
	"cmp"

	"mooring/internal/oauth"
)

// The statuses that need more than their line in the table.
const (
	codeSignature = "2"
	codeLate      = "5"
)

// code is one line of the documents' table of statuses, 接口响应状态.
type code struct {
	status string
	kind   oauth.Kind // of a read
	link   oauth.Kind // of the call for a link, where it may have had an effect; "": the same
	cause  oauth.Text
	actor  oauth.Text
	next   oauth.Text
}

func (c code) once() oauth.Kind { return cmp.Or(c.link, c.kind) }

func codeOf(status string) (code, bool) {
	if status == "0" {
		return code{status: status}, true
	}
	for _, c := range codes() {
		if c.status == status {
			return c, true
		}
	}
	return code{}, false
}

// codes are all statuses but 0, success.
func codes() []code { return append(plainCodes(), doubtfulCodes()...) }

// plainCodes are refusals of which nothing is in doubt.
func plainCodes() []code {
	you, platform := oauth.Text{ZH: "您", EN: "You"}, oauth.Text{ZH: "平台", EN: "The platform"}
	provider := oauth.Text{ZH: "兑换系统", EN: "The redemption system"}
	return []code{
		{
			"1", oauth.Upstream, "",
			oauth.Text{ZH: "兑换系统返回“失败”，没有说明原因。", EN: "The redemption system answered “failed” and named no reason."}, provider,
			oauth.Text{ZH: "请稍后再试；若一直如此，请联系其客服。", EN: "Try again later; if it goes on, ask its support."},
		},
		{
			codeSignature, oauth.Signature, "",
			oauth.Text{ZH: "签名验证失败：签名方式或密钥与兑换系统登记的不一致。", EN: "The signature was refused: algorithm or key are not those that the redemption system has on record."}, you,
			oauth.Text{ZH: "请核对 businessId、签名方式和密钥，然后重新连接。", EN: "Check business ID, signature type and key, then connect again."},
		},
		{
			"3", oauth.BadRequest, "",
			oauth.Text{ZH: "兑换系统认为请求缺少参数。", EN: "The redemption system finds a parameter missing in our request."}, platform,
			oauth.Text{ZH: "请平台对照最新文档检查；若文档要求 thirdAccount，请打开 REDEMPTION_ALSO_SEND_THIRD_ACCOUNT。", EN: "Compare with the latest documents; where they ask for thirdAccount, turn REDEMPTION_ALSO_SEND_THIRD_ACCOUNT on."},
		},
		{
			"4", oauth.AuthConfig, "",
			oauth.Text{ZH: "兑换系统没有我们请求的接口方法。", EN: "The redemption system does not have the method that we asked for."}, platform,
			oauth.Text{ZH: "请检查 REDEMPTION_BASE_URL。", EN: "Check REDEMPTION_BASE_URL."},
		},
		{
			"7", oauth.NotFound, "",
			oauth.Text{ZH: "兑换系统中没有这个资源：商家或业务不存在。", EN: "The redemption system has no such resource: the merchant or the business does not exist."}, you,
			oauth.Text{ZH: "请核对商家 ID 和业务 ID，然后重新连接。", EN: "Check merchant ID and business ID, then connect again."},
		},
		{
			"9", oauth.Permission, "",
			oauth.Text{ZH: "兑换系统中的余额不足。", EN: "The balance at the redemption system does not suffice."}, you,
			oauth.Text{ZH: "请在兑换系统充值后再试。", EN: "Top up at the redemption system, then try again."},
		},
		{
			"10", oauth.AuthConfig, "",
			oauth.Text{ZH: "我们服务器的 IP 不在兑换系统的白名单中。", EN: "Our server's address is not on the redemption system's allow-list."}, platform,
			oauth.Text{ZH: "请把平台的出口 IP 加入该业务的白名单。", EN: "Have the platform's outgoing address added to the allow-list of this business."},
		},
		{
			"11", oauth.Permission, "",
			oauth.Text{ZH: "兑换系统报告库存不足。", EN: "The redemption system reports that its stock is used up."}, you,
			oauth.Text{ZH: "请联系兑换系统客服；读取数据并不需要库存。", EN: "Ask the redemption system's support; reading data needs no stock."},
		},
	}
}

// doubtfulCodes are marked "query or confirm by hand": after one of them nobody knows what was done.
func doubtfulCodes() []code {
	platform, provider := oauth.Text{ZH: "平台", EN: "The platform"}, oauth.Text{ZH: "兑换系统", EN: "The redemption system"}
	nobody := oauth.Text{ZH: "无需任何人", EN: "Nobody"}
	again := oauth.Text{ZH: "请重新发起连接：会使用新的流水号，不会重复之前的请求。", EN: "Connect again: a new serial number is used, so nothing is done twice."}
	return []code{
		{
			codeLate, oauth.ClockSkew, oauth.Ambiguous,
			oauth.Text{ZH: "兑换系统认为请求时间过久。", EN: "The redemption system finds our request too old."}, platform,
			oauth.Text{ZH: "请检查服务器时钟；时钟无误则重新发起连接。", EN: "Check the server's clock; if it is right, connect again."},
		},
		{
			"6", oauth.Replay, oauth.Ambiguous,
			oauth.Text{ZH: "兑换系统认为随机数 nonce 重复。", EN: "The redemption system has seen the nonce of our request before."}, nobody, again,
		},
		{
			"8", oauth.Upstream, oauth.Ambiguous,
			oauth.Text{ZH: "兑换系统认为流水号重复。", EN: "The redemption system has seen our serial number before."}, nobody, again,
		},
		{
			"98", oauth.Upstream, oauth.Ambiguous,
			oauth.Text{ZH: "兑换系统报告订单异常，请求是否已执行并不确定。", EN: "The redemption system reports an irregular order; whether our request was carried out is not known."}, provider, again,
		},
		{
			"99", oauth.Upstream, oauth.Ambiguous,
			oauth.Text{ZH: "兑换系统报告数据异常，请求是否已执行并不确定。", EN: "The redemption system reports irregular data; whether our request was carried out is not known."}, provider, again,
		},
	}
}

// explanations are for every status, once for each kind that it can have, and for what we ourselves refuse.
func explanations() []oauth.Explanation {
	var all []oauth.Explanation
	for _, c := range codes() {
		if c.status == codeSignature { // whatever tells it: the key is the merchant's
			all = append(all, oauth.Explanation{Kind: c.kind, Cause: c.cause, Actor: c.actor, Next: c.next})
		}
		all = append(all, oauth.Explanation{Kind: c.kind, Code: c.status, Cause: c.cause, Actor: c.actor, Next: c.next})
		if c.link != "" {
			all = append(all, oauth.Explanation{Kind: c.link, Code: c.status, Cause: c.cause, Actor: c.actor, Next: c.next})
		}
	}
	you, platform := oauth.Text{ZH: "您", EN: "You"}, oauth.Text{ZH: "平台", EN: "The platform"}
	field := func(name string, cause, next oauth.Text) oauth.Explanation {
		return oauth.Explanation{Kind: oauth.BadRequest, Code: name, Cause: cause, Actor: you, Next: next}
	}
	return append(all,
		field(businessID, oauth.Text{ZH: "业务 ID 为空，或含有不可能的字符。", EN: "The business ID is empty or holds a character that it cannot."},
			oauth.Text{ZH: "请从兑换系统后台复制业务 ID。", EN: "Copy it from the redemption system."}),
		field(merchantID, oauth.Text{ZH: "商家 ID 为空，或含有不可能的字符。", EN: "The merchant ID is empty or holds a character that it cannot."},
			oauth.Text{ZH: "请从兑换系统后台复制商家 ID。", EN: "Copy it from the redemption system."}),
		field(signType, oauth.Text{ZH: "签名方式只能是 SHA256-RSA 或 MD5。", EN: "The signature type is neither SHA256-RSA nor MD5."},
			oauth.Text{ZH: "请选择兑换系统为您登记的那一种。", EN: "Choose the one that the redemption system has on record for you."}),
		field(md5Key, oauth.Text{ZH: "签名方式为 MD5，但没有填写 MD5 密钥。", EN: "The signature type is MD5, and there is no MD5 key."},
			oauth.Text{ZH: "请填写 MD5 密钥，或改选 SHA256-RSA。", EN: "Fill in the MD5 key, or choose SHA256-RSA."}),
		field(privateKey, oauth.Text{ZH: "商户私钥无法使用：需要至少 2048 位的 RSA 私钥，PEM 或 Base64 格式。", EN: "The private key cannot be used: it must be an RSA key of at least 2048 bits, in PEM or Base64."},
			oauth.Text{ZH: "请完整粘贴私钥（不是公钥）。", EN: "Paste the whole private key (not the public one)."}),
		oauth.Explanation{
			Kind: oauth.BadResponse, Code: linkField, Actor: platform,
			Cause: oauth.Text{ZH: "兑换系统返回的授权链接不在允许的网站上，因此没有显示。", EN: "The link from the redemption system leads to a host that is not allowed, so it is not shown."},
			Next:  oauth.Text{ZH: "请平台核实该链接；确属支付宝时，将其域名加入 REDEMPTION_AUTH_URL_HOSTS。", EN: "Look into where it leads; if it is Alipay's, add its domain to REDEMPTION_AUTH_URL_HOSTS."},
		},
	)
}
