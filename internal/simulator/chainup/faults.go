package chainup

import (
	"slices"

	"mooring/internal/simulator/bench"
)

// The names of the exchange's own faults and of the second readings of its documents.
const (
	faultDeny         = "deny"
	faultStateMissing = "state_missing"
	faultStateForeign = "state_foreign"
	faultNoCode       = "no_code"

	faultExpiredCode  = "expired_code"
	faultReusedCode   = "reused_code"
	faultReuseRevokes = "reuse_revokes"
	faultRefreshDead  = "refresh_dead"
	faultOtherOpenID  = "open_id_changes"
	faultOpenIDDead   = "open_id_dead"
	faultRefuse       = "refuse_code"
	faultTokenLife    = "token_life"
	faultTokenNeeded  = "token_required"

	faultWrongSign = "wrong_signature"
	faultSignKey   = "wrong_key_signature"
	faultDataKey   = "wrong_key_data"
	faultTampered  = "tampered_data"
	faultNoSign    = "no_signature"
	faultPlainData = "plain_data"

	variantAppKeyBack   = "app_key_returned"
	variantMillis       = "expire_in_millis"
	variantDuration     = "expire_in_duration"
	variantNoExpiry     = "expire_in_empty"
	variantExpiryNumber = "expire_in_number"
	variantMisspelt     = "refersh_token"
	variantUnderscored  = "refresh_token"
	variantSeconds      = "time_in_seconds"
	variantNumberCode   = "code_number"
	variantStdBase64    = "std_base64"
)

// faults are the exchange's own faults and the second readings of its documents.
func faults() []bench.Fault {
	return slices.Concat(returnFaults(), credentialFaults(), envelopeFaults(), readings())
}

func fault(name string, group bench.Group, title, sentence bench.Text, stages ...bench.Stage) bench.Fault {
	return bench.Fault{Name: name, Group: group, Title: title, Sentence: sentence, Stages: stages}
}

func returnFaults() []bench.Fault {
	return []bench.Fault{
		fault(faultDeny, bench.Return, bench.Text{ZH: "拒绝授权", EN: "Deny"},
			bench.Text{ZH: "无论点击哪个按钮，都以 error=access_denied 返回。", EN: "Whichever button is pressed, the answer is error=access_denied."}, bench.Authorize),
		fault(faultStateMissing, bench.Return, bench.Text{ZH: "不返回 state", EN: "State not echoed"},
			bench.Text{ZH: "跳转上没有 state。文档没有承诺会返回它。", EN: "The redirect carries no state. The documents do not promise one."}, bench.Authorize),
		fault(faultStateForeign, bench.Return, bench.Text{ZH: "别人的 state", EN: "Foreign state"},
			bench.Text{ZH: "跳转上的 state 不是客户端发出的那一个。", EN: "The redirect carries a state that the client never sent."}, bench.Authorize),
		fault(faultNoCode, bench.Return, bench.Text{ZH: "没有授权码", EN: "No code"},
			bench.Text{ZH: "跳转上既没有 code 也没有 error。", EN: "The redirect carries neither a code nor an error."}, bench.Authorize),
	}
}

func credentialFaults() []bench.Fault {
	answered := fault(faultRefuse, bench.Credential, bench.Text{ZH: "返回指定的错误码", EN: "Answer a code"},
		bench.Text{ZH: "以这个文档错误码回答，请求未被处理。", EN: "Answers this code of the documents; the request is not carried out."}, bench.Token, bench.Read)
	answered.Value = &bench.Value{Unit: bench.Text{ZH: "错误码", EN: "code"}, Default: 50012, Max: 99_999}
	life := fault(faultTokenLife, bench.Credential, bench.Text{ZH: "令牌有效期", EN: "Life of a token"},
		bench.Text{ZH: "新签发的 token 只在这段时间内有效。", EN: "A token that is issued lives for this long."}, bench.Token)
	life.Value = &bench.Value{Unit: bench.Text{ZH: "秒", EN: "s"}, Default: 60, Max: 86_400}
	return []bench.Fault{
		life,
		fault(faultTokenNeeded, bench.Credential, bench.Text{ZH: "读取需要有效的 token", EN: "Reads need a live token"},
			bench.Text{ZH: "只有 openId 名下有一个未过期、未吊销的 token 时才能读取，否则以 60002 拒绝。", EN: "An openId can be read only while a token of it is alive: not over, not replaced, not revoked. Otherwise 60002."}, bench.Read),
		fault(faultExpiredCode, bench.Credential, bench.Text{ZH: "授权码已过期", EN: "Expired code"},
			bench.Text{ZH: "返回的授权码在换取令牌时已经过期（60003）。", EN: "The code on the redirect has expired by the time it is exchanged (60003)."}, bench.Authorize),
		fault(faultReusedCode, bench.Credential, bench.Text{ZH: "授权码已被使用", EN: "Code already used"},
			bench.Text{ZH: "返回的授权码已经被用过一次（60003）。", EN: "The code on the redirect has already been used once (60003)."}, bench.Authorize),
		fault(faultReuseRevokes, bench.Credential, bench.Text{ZH: "重复使用会吊销令牌", EN: "Reuse revokes"},
			bench.Text{ZH: "同一授权码第二次使用时，第一次换得的令牌也失效。", EN: "When a code is used a second time, the tokens from the first time die as well."}, bench.Token),
		fault(faultRefreshDead, bench.Credential, bench.Text{ZH: "refreshToken 失效", EN: "Dead refreshToken"},
			bench.Text{ZH: "刷新一律以 60001 拒绝。", EN: "Every refresh is refused with 60001."}, bench.Token),
		fault(faultOtherOpenID, bench.Credential, bench.Text{ZH: "刷新后换了 openId", EN: "openId changes"},
			bench.Text{ZH: "刷新得到的 openId 属于另一个人。", EN: "The refreshed pair comes with somebody else's openId."}, bench.Token),
		fault(faultOpenIDDead, bench.Credential, bench.Text{ZH: "openId 失效", EN: "Dead openId"},
			bench.Text{ZH: "读取一律以 60004 拒绝，就像用户取消了授权。", EN: "Every read is refused with 60004, as if the user had withdrawn."}, bench.Read),
		answered,
	}
}

func envelopeFaults() []bench.Fault {
	spoilt := func(name string, title, sentence bench.Text) bench.Fault {
		return fault(name, bench.Credential, title, sentence, bench.Token, bench.Read)
	}
	return []bench.Fault{
		spoilt(faultWrongSign, bench.Text{ZH: "签名错误", EN: "Wrong signature"},
			bench.Text{ZH: "回答的签名是对另一段内容作的。", EN: "The answer is signed over other bytes."}),
		spoilt(faultSignKey, bench.Text{ZH: "用别的私钥签名", EN: "Signed by another key"},
			bench.Text{ZH: "内容正确，但签名不是交易所的私钥作的。", EN: "The content is right, but the signature is not by the exchange's key."}),
		spoilt(faultDataKey, bench.Text{ZH: "用别的公钥加密", EN: "Encrypted to another key"},
			bench.Text{ZH: "data 是给另一个应用的，客户端解不开。", EN: "data is meant for another application; the client cannot open it."}),
		spoilt(faultTampered, bench.Text{ZH: "data 被改动", EN: "Tampered data"},
			bench.Text{ZH: "data 的最后一位被改过。", EN: "The last bit of data was changed."}),
		spoilt(faultNoSign, bench.Text{ZH: "没有签名", EN: "No signature"},
			bench.Text{ZH: "成功的回答里 sign 为空。", EN: "sign is empty in an answer that succeeds."}),
		spoilt(faultPlainData, bench.Text{ZH: "data 未加密", EN: "Plain data"},
			bench.Text{ZH: "data 是一个普通对象，没有加密也没有签名（v1 的样子）。", EN: "data is a plain object, neither encrypted nor signed, as in v1."}),
	}
}

func readings() []bench.Fault {
	reading := func(name string, title, sentence bench.Text, stages ...bench.Stage) bench.Fault {
		return fault(name, bench.Variant, title, sentence, stages...)
	}
	return []bench.Fault{
		reading(variantAppKeyBack, bench.Text{ZH: "返回 appKey", EN: "appKey returned"},
			bench.Text{ZH: "跳转上除 code 外还有 appKey 和 lan。", EN: "The redirect carries appKey and lan beside the code."}, bench.Authorize),
		reading(variantMillis, bench.Text{ZH: "expireIn 为毫秒时间", EN: "expireIn in milliseconds"},
			bench.Text{ZH: "expireIn 是毫秒的绝对时间。", EN: "expireIn is an absolute time in milliseconds."}, bench.Token),
		reading(variantDuration, bench.Text{ZH: "expireIn 为时长", EN: "expireIn as a duration"},
			bench.Text{ZH: "expireIn 是剩余秒数，而不是绝对时间。", EN: "expireIn is a number of seconds from now, not a time."}, bench.Token),
		reading(variantNoExpiry, bench.Text{ZH: "expireIn 为空", EN: "expireIn empty"},
			bench.Text{ZH: "expireIn 是空字符串。", EN: "expireIn is an empty string."}, bench.Token),
		reading(variantExpiryNumber, bench.Text{ZH: "expireIn 为数字", EN: "expireIn as a number"},
			bench.Text{ZH: "expireIn 是 JSON 数字，而不是字符串。", EN: "expireIn is a JSON number, not a string."}, bench.Token),
		reading(variantMisspelt, bench.Text{ZH: "refersh_token", EN: "refersh_token"},
			bench.Text{ZH: "字段名按旧文档写错为 refersh_token。", EN: "The field is misspelt refersh_token, as in older documents."}, bench.Token),
		reading(variantUnderscored, bench.Text{ZH: "refresh_token", EN: "refresh_token"},
			bench.Text{ZH: "字段名写作 refresh_token。", EN: "The field is written refresh_token."}, bench.Token),
		reading(variantSeconds, bench.Text{ZH: "time 为秒", EN: "time in seconds"},
			bench.Text{ZH: "请求的 time 按秒读取，毫秒会被拒绝（50010）。", EN: "The request's time is read as seconds; milliseconds are refused (50010)."}, bench.Token, bench.Read),
		reading(variantNumberCode, bench.Text{ZH: "code 为数字 0", EN: "code as the number 0"},
			bench.Text{ZH: "成功时 code 是数字 0。", EN: "A success has the number 0 as its code."}, bench.Token, bench.Read),
		reading(variantStdBase64, bench.Text{ZH: "标准 Base64", EN: "Standard Base64"},
			bench.Text{ZH: "data 和 sign 用标准字母表并带填充。", EN: "data and sign are in the standard alphabet, with padding."}, bench.Token, bench.Read),
	}
}
