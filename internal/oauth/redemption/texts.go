package redemption

import (
	"errors"
	"time"

	"mooring/internal/oauth"
)

// describe is the descriptor before any setting is known.
func describe() oauth.Descriptor {
	return oauth.Descriptor{
		Slug:     slug,
		Title:    oauth.Text{ZH: "兑换系统", EN: "Redemption system"},
		Summary:  oauth.Text{ZH: "支付宝授权兑换：读取您的业务余额和授信额度。", EN: "Redemptions by Alipay authorisation: your business balance and credit line."},
		Flow:     oauth.FlowLink,
		DocsURL:  "https://www.showdoc.com.cn/1550488137087711",
		Blocks:   []oauth.Block{oauth.BlockMerchant, oauth.BlockWallet},
		Settings: settings(),
		Reads: []oauth.Text{
			{ZH: "商家 ID 和业务 ID", EN: "Your merchant ID and business ID"},
			{ZH: "业务余额和授信额度", EN: "The balance and the credit line of your business"},
			{ZH: "授权人的支付宝 openId（一个固定的编号）", EN: "The Alipay openId of the person who agrees (a fixed number)"},
		},
		NotReads: []oauth.Text{
			{ZH: "支付宝的账号、密码、余额和账单", EN: "Alipay's account name, password, balance and bills"},
			{ZH: "不转账、不发券、不下单，不动用任何资金", EN: "Nothing is transferred, issued or ordered: no call moves money"},
		},
		Needs: []oauth.Text{
			{ZH: "兑换系统的商家 ID 和业务 ID", EN: "Your merchant ID and business ID at the redemption system"},
			{ZH: "签名密钥：商户 RSA 私钥，或 MD5 密钥", EN: "Your signing key: the RSA private key, or the MD5 key"},
			{ZH: "装有支付宝的手机，用来扫码授权", EN: "A telephone with Alipay, to scan the code and agree"},
		},
		Lifetime: oauth.Text{
			ZH: "openId 长期不变；密钥有效期间可以一直读取余额。",
			EN: "The openId stays; the balance can be read as long as your key is valid.",
		},
		Stop: oauth.Text{
			ZH: "在此处点击“断开连接”，我们随即删除密钥和 openId。另可在兑换系统更换密钥，并在支付宝“设置 → 隐私 → 授权管理”中解除授权。",
			EN: "Press Disconnect here, and key and openId are deleted. You can also change the key at the redemption system, and end the authorisation in Alipay under Settings, Privacy, Authorisations.",
		},
		EndThere: oauth.Text{
			ZH: "请在兑换系统更换密钥，并在支付宝“设置 → 隐私 → 授权管理”中解除授权。",
			EN: "Change the key at the redemption system, and end the authorisation in Alipay under Settings, Privacy, Authorisations.",
		},
		Errors: explanations(),
	}
}

// Fields implements oauth.LinkFlow.
func (p *Provider) Fields() []oauth.Field {
	return []oauth.Field{
		{
			Name: businessID, Required: true, Label: oauth.Text{ZH: "业务 ID（businessId）", EN: "Business ID (businessId)"},
			Help: oauth.Text{ZH: "兑换系统为您的业务分配的编号。", EN: "The number that the redemption system gave your business."},
		},
		{
			Name: merchantID, Required: true, Label: oauth.Text{ZH: "商家 ID（merchantId）", EN: "Merchant ID (merchantId)"},
			Help: oauth.Text{ZH: "兑换系统为您分配的商家编号。", EN: "The number that the redemption system gave you as a merchant."},
		},
		{
			Name: signType, Choices: []string{signRSA, signMD5}, Label: oauth.Text{ZH: "签名方式", EN: "Signature type"},
			Help: oauth.Text{ZH: "与兑换系统登记的一致。建议使用 SHA256-RSA。", EN: "The one that the redemption system has on record. SHA256-RSA is the better one."},
		},
		{
			Name: privateKey, Secret: true, Long: true, Label: oauth.Text{ZH: "商户 RSA 私钥", EN: "RSA private key"},
			Help: oauth.Text{ZH: "签名方式为 SHA256-RSA 时填写。PEM，或 Base64 编码的 PKCS#8 / PKCS#1，至少 2048 位。", EN: "For SHA256-RSA. PEM, or Base64 of PKCS #8 or PKCS #1, at least 2048 bits."},
		},
		{
			Name: md5Key, Secret: true, Label: oauth.Text{ZH: "MD5 密钥", EN: "MD5 key"},
			Help: oauth.Text{ZH: "签名方式为 MD5 时填写。", EN: "For MD5."},
		},
	}
}

func settings() []oauth.Setting {
	return []oauth.Setting{
		{
			Name: "BASE_URL", Required: true, Check: oauth.CheckURL,
			Help: oauth.Text{ZH: "接口地址，由兑换系统提供。", EN: "Where the interface is; the redemption system tells it."},
		},
		{
			Name: "PLATFORM_PUBLIC_KEY", Required: true, Check: checkPublic,
			Help: oauth.Text{
				ZH: "兑换系统的平台公钥，用于验证回调。PEM 或 Base64；更换密钥期间可同时填写新旧两把（Base64 以逗号分隔）。",
				EN: "The redemption system's public key, by which callbacks are checked. PEM or Base64; while keys are changed, both (Base64 with a comma between).",
			},
		},
		{
			Name: "AUTH_URL_HOSTS", Default: defaultHosts, Check: checkHosts,
			Help: oauth.Text{
				ZH: "授权链接允许指向的域名（含其子域名，仅 https），以逗号分隔；测试时也可以写完整来源，如 http://localhost:8101。",
				EN: "The domains that a link may lead to (with all below them, by https), with commas between; for tests also a whole origin such as http://localhost:8101.",
			},
		},
		{
			Name: "FORCE_HTTP1", Default: "true", Check: oauth.CheckBool,
			Help: oauth.Text{ZH: "是否只用 HTTP/1.1（true 或 false）。文档称请求头区分大小写，而 HTTP/2 一律小写。", EN: "Whether calls keep to HTTP/1.1 (true or false). The documents tell headers apart by case, and HTTP/2 knows lower case only."},
		},
		{
			Name: "ACCEPT_SUCCESS_MESSAGE", Default: "true", Check: oauth.CheckBool,
			Help: oauth.Text{
				ZH: "文档的示例以状态 420 和 success 表示成功。true：状态不在文档的表中、message 为 success 且链接合规时视为成功。",
				EN: "The documents' sample of a success has status 420. true: a status that no table has is taken for success if the message says so and the link is allowed.",
			},
		},
		{
			Name: "ALSO_SEND_THIRD_ACCOUNT", Default: "false", Check: oauth.CheckBool,
			Help: oauth.Text{ZH: "是否同时发送 thirdAccount（文档的表格写 userId，示例写 thirdAccount）。", EN: "Whether thirdAccount is sent besides userId (the documents' table says the one, their sample the other)."},
		},
		{
			Name: "CALLBACK_MAX_AGE", Default: "24h", Check: checkAge,
			Help: oauth.Text{ZH: "回调最多可以多旧。兑换系统会重发数小时，重发时未必更新时间。", EN: "How old a callback may be. The redemption system repeats for hours, perhaps with the first timestamp."},
		},
	}
}

func checkPublic(value string) error {
	_, err := publicKeys(value)
	return err
}

func checkHosts(value string) error {
	_, err := parseHosts(value)
	return err
}

func checkAge(value string) error {
	if d, err := time.ParseDuration(value); err != nil || d < time.Hour || d > 30*24*time.Hour {
		return errors.New("must be a duration such as 24h, from one hour to thirty days")
	}
	return nil
}
