package cardwallet

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"mooring/internal/oauth"
)

// Values of settings.
const (
	paramsQuery = "query"
	paramsForm  = "form"
	unitSeconds = "seconds"
	unitMinutes = "minutes"
	none        = "none" // AUTH_PREFIX: the token stands alone
)

// describe is the descriptor before any setting is known: with all that could be read.
func describe() oauth.Descriptor {
	return described(paths{merchant: "/", wallet: "/", flow: "/"})
}

// described is the descriptor of a provider that reads by these paths.
func described(on paths) oauth.Descriptor {
	d := oauth.Descriptor{
		Slug:     slug,
		Title:    oauth.Text{ZH: "卡钱包", EN: "Card wallet (卡钱包)"},
		Summary:  oauth.Text{ZH: "虚拟卡钱包：读取商户资料、钱包余额和流水。", EN: "Virtual cards: your merchant profile, wallet balance and wallet flow."},
		Flow:     oauth.FlowKey,
		DocsURL:  "https://falpay.apifox.cn",
		Settings: settings(),
		Reads: []oauth.Text{
			{ZH: "您的 client_id 和授权范围（scope）", EN: "Your client_id and the scope that it is given"},
		},
		NotReads: []oauth.Text{
			{ZH: "不开卡、不充值、不提现，不动用任何资金", EN: "No card is issued, nothing is recharged or withdrawn: no call moves money"},
			{ZH: "卡号、CVV 等卡片信息", EN: "Card numbers, security codes and other data of cards"},
		},
		Needs: []oauth.Text{
			{ZH: "卡钱包为您开通的 client_id 和 client_secret", EN: "The client_id and client_secret that the service gave you"},
			{ZH: "大约一分钟", EN: "About a minute"},
		},
		Lifetime: oauth.Text{
			ZH: "长期有效，直到您断开连接，或 client_secret 被更换或停用。",
			EN: "It lasts until you disconnect, or until the client_secret is changed or ended.",
		},
		Stop: oauth.Text{
			ZH: "在此处点击“断开连接”，我们随即删除 client_secret。如需彻底停用，请让卡钱包更换您的 client_secret。",
			EN: "Press Disconnect here and the client_secret is deleted. To end it altogether, have the service change your client_secret.",
		},
		News: oauth.Text{
			ZH: "请把这个地址交给卡钱包，登记为您的异步回调地址（卡片授权、销卡与冻结、钱包审核、充值、提现、商户审核）。收到回调后我们只重新读取数据，不会按回调内容改动任何信息。",
			EN: "Give this address to the service as the one for your callbacks (card authorisations, cancelled and frozen cards, wallet review, recharge, withdrawal, merchant review). A callback only makes us fetch your data again; nothing that it says is taken over.",
		},
		EndThere: oauth.Text{
			ZH: "请让卡钱包更换您的 client_secret，旧的随即失效。",
			EN: "Have the service change your client_secret; the old one then opens nothing.",
		},
		Errors: explanations(),
	}
	if on.merchant != "" {
		d.Blocks = append(d.Blocks, oauth.BlockMerchant, oauth.BlockCompany)
		d.Reads = append(d.Reads, oauth.Text{ZH: "商户资料，以及其中的公司和法人信息", EN: "Your merchant profile, with the company and legal person in it"})
	}
	if on.wallet != "" {
		d.Blocks = append(d.Blocks, oauth.BlockWallet)
		d.Reads = append(d.Reads, oauth.Text{ZH: "钱包余额：可用、冻结和合计", EN: "Wallet balances: available, frozen and total"})
	}
	if on.flow != "" {
		d.Blocks, d.FlowKinds = append(d.Blocks, oauth.BlockWalletFlow), flowKinds()
		d.Reads = append(d.Reads, oauth.Text{ZH: "钱包流水：最近最多 500 条", EN: "Wallet flow: up to 500 of the latest entries"})
	}
	return d
}

// flowKinds are the kinds that are likely: the documents name none. The last is a row that does not say what it is.
func flowKinds() []oauth.FlowKind {
	return []oauth.FlowKind{
		{Kind: "recharge", Title: oauth.Text{ZH: "充值", EN: "Recharges"}},
		{Kind: "withdraw", Title: oauth.Text{ZH: "提现", EN: "Withdrawals"}},
		{Kind: "card_consume", Title: oauth.Text{ZH: "卡消费", EN: "Card payments"}},
		{Kind: "card_refund", Title: oauth.Text{ZH: "卡退款", EN: "Card refunds"}},
		{Kind: "fee", Title: oauth.Text{ZH: "手续费", EN: "Fees"}},
		{Kind: "wallet", Title: oauth.Text{ZH: "未注明类型", EN: "Of no stated kind"}},
	}
}

func fields() []oauth.Field {
	return []oauth.Field{
		{
			Name: idField, Required: true,
			Label: oauth.Text{ZH: "client_id", EN: "client_id"},
			Help:  oauth.Text{ZH: "卡钱包为商户分配的 client_id，一串 19 位数字。", EN: "The client_id that the service gave to you as a merchant: 19 digits."},
		},
		{
			Name: secretField, Required: true, Secret: true,
			Label: oauth.Text{ZH: "client_secret", EN: "client_secret"},
			Help:  oauth.Text{ZH: "与 client_id 一同发放的密钥；我们加密保存，不再显示。", EN: "The secret that came with the client_id. We keep it encrypted and do not show it again."},
		},
	}
}

// settings are the address, and what the documents leave open. A value of any but the first may be missing.
func settings() []oauth.Setting {
	return slices.Concat([]oauth.Setting{
		{
			Name: "BASE_URL", Required: true, Check: oauth.CheckURL,
			Help: oauth.Text{ZH: "卡钱包接口地址，文档未给出，请向服务方索取。", EN: "The address of the API. The documents give none; ask the service."},
		},
	}, tokenSettings(), readSettings())
}

func tokenSettings() []oauth.Setting {
	return []oauth.Setting{
		{
			Name: "TOKEN_PATH", Default: tokenPath, Check: checkPath,
			Help: oauth.Text{ZH: "获取令牌接口的路径。", EN: "The path of the token call."},
		},
		{
			Name: "TOKEN_PARAMS", Default: paramsQuery, Check: oauth.CheckOneOf(paramsQuery, paramsForm),
			Help: oauth.Text{
				ZH: "获取令牌的参数放在哪里：query（文档写法）或 form（请求体，密钥不进入地址）。",
				EN: "Where the parameters of the token call go: query, as documented, or form, which keeps the secret out of the address.",
			},
		},
		{
			Name: "EXPIRES_IN_UNIT", Default: unitSeconds, Check: oauth.CheckOneOf(unitSeconds, unitMinutes),
			Help: oauth.Text{
				ZH: "expires_in 的单位：seconds 或 minutes。文档未说明；不确定时用 seconds。",
				EN: "The unit of expires_in: seconds or minutes. The documents do not say; seconds is safe either way.",
			},
		},
		{
			Name: "CALLBACK_ACK", Default: ack, Check: checkAck,
			Help: oauth.Text{
				ZH: "收到回调时的应答内容。文档未说明；默认 success。",
				EN: "What a callback is answered with. The documents do not say; success unless the service wants another word.",
			},
		},
	}
}

func readSettings() []oauth.Setting {
	off := func(zh, en, example string) oauth.Text {
		return oauth.Text{
			ZH: zh + "接口的路径，例如 " + example + "；留空则不读取。",
			EN: "The path of the " + en + " call, such as " + example + ". Empty: it is not read.",
		}
	}
	return []oauth.Setting{
		{
			Name: "AUTH_HEADER", Default: "Authorization", Check: checkHeader,
			Help: oauth.Text{ZH: "携带令牌的请求头。", EN: "The header that carries the token."},
		},
		{
			Name: "AUTH_PREFIX", Default: "Bearer", Check: checkHeader,
			Help: oauth.Text{ZH: "令牌前的字样；none 表示没有。", EN: "The word before the token; none leaves it out."},
		},
		{Name: "MERCHANT_PATH", Check: checkPath, Help: off("商户详情", "merchant detail", "/api/open/merchant/detail")},
		{Name: "WALLET_PATH", Check: checkPath, Help: off("钱包信息", "wallet info", "/api/open/wallet/info")},
		{Name: "FLOW_PATH", Check: checkPath, Help: off("钱包流水", "wallet flow", "/api/open/wallet/flow")},
	}
}

// explanations are for the refusals that the documents name. There is no table of codes.
func explanations() []oauth.Explanation {
	merchant := oauth.Text{ZH: "您", EN: "You"}
	platform := oauth.Text{ZH: "平台", EN: "The platform"}
	check := oauth.Text{ZH: "请核对 client_id 和 client_secret 后重新连接。", EN: "Check the client_id and client_secret, and connect again."}
	return []oauth.Explanation{
		{
			Kind: oauth.AuthConfig, Code: "401", Actor: merchant, Next: check,
			Cause: oauth.Text{ZH: "卡钱包不接受这组 client_id 和 client_secret。", EN: "The service does not accept this client_id and client_secret."},
		},
		{
			Kind: oauth.AuthExpired, Actor: merchant, Next: check,
			Cause: oauth.Text{ZH: "卡钱包不接受令牌，换取新令牌后仍被拒绝，可能没有为这个 client_id 开通此接口。", EN: "The service does not accept the token, nor a new one for it; perhaps this client_id may not make the call."},
		},
		{
			Kind: oauth.AuthConfig, Code: "403", Actor: merchant,
			Cause: oauth.Text{ZH: "卡钱包没有为这个 client_id 开通此接口，或限制了来源 IP。", EN: "The service does not let this client_id make the call, or not from our address."},
			Next:  oauth.Text{ZH: "请联系卡钱包，为您的 client_id 开通权限。", EN: "Ask the service to open the call to your client_id."},
		},
		{
			Kind: oauth.AuthConfig, Actor: merchant,
			Cause: oauth.Text{ZH: "卡钱包不接受 client_id 或 client_secret，或平台配置的接口路径有误。", EN: "The service does not accept the client_id or client_secret, or a path that the platform has configured is wrong."},
			Next: oauth.Text{
				ZH: "请核对 client_id 和 client_secret 后重新连接；仍然失败请联系平台。",
				EN: "Check the client_id and client_secret, and connect again. If that does not help, tell the platform.",
			},
		},
		{
			Kind: oauth.BadRequest, Code: idField, Actor: merchant,
			Cause: oauth.Text{ZH: "client_id 不完整，或中间夹有空格、换行。", EN: "The client_id is not whole, or has a space or line break inside."},
			Next:  oauth.Text{ZH: "请从卡钱包后台重新复制。", EN: "Copy it again from the service's console."},
		},
		{
			Kind: oauth.BadRequest, Code: secretField, Actor: merchant,
			Cause: oauth.Text{ZH: "client_secret 不完整，或中间夹有空格、换行。", EN: "The client_secret is not whole, or has a space or line break inside."},
			Next:  oauth.Text{ZH: "请从卡钱包后台重新复制，完整粘贴。", EN: "Copy it again from the service's console, and paste the whole of it."},
		},
		{
			Kind: oauth.BadRequest, Actor: platform,
			Cause: oauth.Text{ZH: "卡钱包不理解这次请求，或填写的内容不完整。", EN: "The service does not understand the request, or a value was not filled in whole."},
			Next:  oauth.Text{ZH: "请检查填写的内容，不要带空格或换行；平台请核对接口路径和参数方式。", EN: "Check the values for spaces and line breaks. The platform should check the paths and TOKEN_PARAMS."},
		},
	}
}

func checkPath(value string) error {
	if _, err := url.Parse(value); err != nil || !strings.HasPrefix(value, "/") || strings.ContainsAny(value, "?# ") {
		return errors.New(`must be a path that begins with "/"`)
	}
	return nil
}

func checkHeader(value string) error {
	if value == "" || strings.Trim(strings.ToLower(value), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return errors.New("must be a word of letters, digits and hyphens")
	}
	return nil
}

func checkAck(value string) error {
	if value == "" || len(value) > 100 || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New("must be up to 100 plain characters")
	}
	return nil
}
