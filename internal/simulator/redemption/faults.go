package redemption

import "mooring/internal/simulator/bench"

// The names of this provider's own faults.
const (
	faultDeny            = "deny"
	faultUnsigned        = "callback_unsigned"
	faultForeignKey      = "callback_foreign_key"
	faultMD5             = "callback_md5_downgrade"
	faultTampered        = "callback_tampered"
	faultForeignSerial   = "callback_foreign_serial"
	faultForeignBusiness = "callback_foreign_business"
	faultWithheld        = "callback_withheld"
	faultDuplicates      = "callback_duplicates"
	faultLate            = "callback_late"
	faultSecondOpenID    = "callback_second_open_id"
	faultStatus          = "answer_status"
	faultStatus420       = "status_420"
	faultRefusedData     = "refused_with_data"
	faultIP              = "address_refused"
	faultForeignLink     = "link_elsewhere"
	faultScriptLink      = "link_script"
	faultNoLink          = "link_empty"
	faultExact           = "exact_amount"
	variantThirdAccount  = "third_account"
	variantTextAmounts   = "amounts_as_text"
	variantSignType      = "callback_sign_type"
	variantSpaced        = "callback_spaced"
	variantMinimal       = "callback_minimal"
	variantOpenID        = "callback_openid"
	variantAlipayOpenID  = "callback_alipay_open_id"
	variantSameNonce     = "callback_same_nonce"
)

// badCallbacks are the faults that spoil the callback itself; the first that is on counts.
func badCallbacks() []string {
	return []string{faultUnsigned, faultForeignKey, faultMD5, faultTampered, faultForeignSerial, faultForeignBusiness, faultWithheld}
}

func fault(name string, group bench.Group, zh, en, sentenceZH, sentenceEN string, stages ...bench.Stage) bench.Fault {
	return bench.Fault{
		Name: name, Group: group, Title: bench.Text{ZH: zh, EN: en},
		Sentence: bench.Text{ZH: sentenceZH, EN: sentenceEN}, Stages: stages,
	}
}

// faults are the provider's own faults and the second readings of its documents. Those of the callback are taken when
// somebody agrees.
func faults() []bench.Fault {
	all := append(callbackFaults(), deliveryFaults()...)
	all = append(all, callFaults()...)
	return append(all, variants()...)
}

func callbackFaults() []bench.Fault {
	const no = " 真正的回调不会随后发出。"
	const none = " No genuine one follows."
	return []bench.Fault{
		fault(faultDeny, bench.Return, "拒绝授权", "Refuse", "无论点击哪个按钮都算拒绝；文档没有为拒绝规定回调，商户什么也收不到。",
			"Whichever button is pressed counts as a refusal. The documents know no callback for that: the merchant hears nothing.", bench.Authorize),
		fault(faultUnsigned, bench.Return, "回调没有签名", "Unsigned callback", "回调没有 sign。"+no, "The callback has no sign."+none, bench.Authorize),
		fault(faultForeignKey, bench.Return, "回调由别人签名", "Foreign signature", "回调用别人的密钥签名。"+no, "The callback is signed with somebody else's key."+none, bench.Authorize),
		fault(faultMD5, bench.Return, "回调降级为 MD5", "MD5 downgrade", "回调声明 signType=MD5，并用空密钥签名。"+no, "The callback claims signType=MD5 and is signed with an empty key."+none, bench.Authorize),
		fault(faultTampered, bench.Return, "回调被改动", "Tampered callback", "签名之后，正文里的 openId 被换掉。"+no, "After signing, the openId in the body is exchanged."+none, bench.Authorize),
		fault(faultForeignSerial, bench.Return, "别人的流水号", "Foreign serialNo", "签名正确，但 serialNo 不属于任何请求。"+no, "Truly signed, but nobody ever asked with this serialNo."+none, bench.Authorize),
		fault(faultForeignBusiness, bench.Return, "别人的 businessId", "Foreign businessId", "签名正确，但请求头里的 businessId 是另一家商户。"+no, "Truly signed, but the businessId in the headers is another merchant's."+none, bench.Authorize),
		fault(faultWithheld, bench.Return, "回调没有发出", "No callback", "用户同意了，回调却没有发出。", "The person agrees, and no callback is sent.", bench.Authorize),
	}
}

func deliveryFaults() []bench.Fault {
	duplicates := fault(faultDuplicates, bench.Return, "重复的回调", "Duplicate callbacks", "同一个回调同时发出多次。", "The same callback is sent several times at once.", bench.Authorize)
	duplicates.Value = &bench.Value{Unit: bench.Text{ZH: "次", EN: "times"}, Default: 5, Max: 200}
	late := fault(faultLate, bench.Return, "回调迟到", "Late callback", "回调过一会儿才发出。", "The callback is sent after a while.", bench.Authorize)
	late.Value = &bench.Value{Unit: bench.Text{ZH: "秒", EN: "s"}, Default: 20, Max: 86_400}
	return []bench.Fault{
		duplicates, late,
		fault(faultSecondOpenID, bench.Return, "第二个 openId", "A second openId", "第一个回调成功之后，再发一个签名正确、openId 不同的回调。",
			"After the first callback has succeeded, another one follows: truly signed, with another openId.", bench.Authorize),
	}
}

func callFaults() []bench.Fault {
	status := fault(faultStatus, bench.Credential, "返回指定状态", "Answer with a status", "以文档状态表里的一个状态回答，请求未被处理。",
		"Answers with a status of the documents' table; the call is not carried out.", bench.Token, bench.Read)
	status.Value = &bench.Value{Unit: bench.Text{ZH: "状态", EN: "status"}, Default: 98, Max: 999}
	return []bench.Fault{
		status,
		fault(faultRefusedData, bench.Credential, "失败却带着数据", "Refused, with data", "status 为 2，却带着 data，如文档的样例。", "The status is 2, and there is data all the same, as in the documents' sample.", bench.Token, bench.Read),
		fault(faultIP, bench.Credential, "IP 校验不通过", "Address refused", "status 为 10：来源地址不在白名单。", "The status is 10: the caller's address is not on the list.", bench.Token, bench.Read),
		fault(faultForeignLink, bench.Credential, "链接指向别处", "Link elsewhere", "alipayAuthUrl 指向 abc.com，如文档的样例。", "alipayAuthUrl leads to abc.com, as in the documents' sample.", bench.Token),
		fault(faultScriptLink, bench.Credential, "链接是脚本", "Link is a script", "alipayAuthUrl 是 javascript: 地址。", "alipayAuthUrl is a javascript: address.", bench.Token),
		fault(faultNoLink, bench.Credential, "成功却没有链接", "Success without a link", "status 为 0，alipayAuthUrl 为空。", "The status is 0, and alipayAuthUrl is empty.", bench.Token),
		fault(faultExact, bench.Credential, "极精确的金额", "Very exact amount", "amount 为 9007199254740993.01，浮点数存不下。", "amount is 9007199254740993.01, which no float64 holds.", bench.Read),
	}
}

func variants() []bench.Fault {
	return []bench.Fault{
		fault(faultStatus420, bench.Variant, "status 420", "Status 420", "成功的回答里 status 为 420、message 为 success，如文档的样例。", "A successful answer has status 420 and message success, as in the documents' sample.", bench.Token),
		fault(variantThirdAccount, bench.Variant, "thirdAccount", "thirdAccount", "必填的是 thirdAccount 而不是 userId，如文档的样例。", "thirdAccount is required instead of userId, as in the documents' sample.", bench.Token),
		fault(variantTextAmounts, bench.Variant, "金额是文本", "Amounts as text", "amount 和 creditLine 是带引号的文本。", "amount and creditLine are texts in quotes.", bench.Read),
		fault(variantSignType, bench.Variant, "回调带 signType", "Callback with signType", "回调的请求头里有 signType，并参与签名。", "The callback's headers hold signType, and it is signed.", bench.Authorize),
		fault(variantSpaced, bench.Variant, "正文带空白", "Spaced body", "回调正文倒序、带空白和转义；重新序列化后验签必然失败。", "The callback's body is backwards, spaced and escaped: who verifies what he has parsed verifies something else.", bench.Authorize),
		fault(variantMinimal, bench.Variant, "正文最少", "Minimal body", "回调正文只有 serialNo 和 openId。", "The callback's body holds serialNo and openId only.", bench.Authorize),
		fault(variantOpenID, bench.Variant, "字段名 openid", "Field openid", "回调里的字段名是 openid。", "The field in the callback is openid.", bench.Authorize),
		fault(variantAlipayOpenID, bench.Variant, "字段名 alipayOpenId", "Field alipayOpenId", "回调里的字段名是 alipayOpenId。", "The field in the callback is alipayOpenId.", bench.Authorize),
		fault(variantSameNonce, bench.Variant, "重试不换 nonce", "Retries keep their nonce", "重试的回调与第一次逐字节相同。", "Retried callbacks are the first one, byte by byte.", bench.Authorize),
	}
}
