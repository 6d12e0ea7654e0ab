package asiabill

import "mooring/internal/simulator/bench"

// The names of AsiaBill's own faults.
const (
	faultDeny           = "deny"
	faultWrongMerchant  = "wrong_merchant"
	faultStateMissing   = "state_missing"
	faultStateForeign   = "state_foreign"
	faultNoCode         = "no_code"
	faultExpiredCode    = "expired_code"
	faultReusedCode     = "reused_code"
	faultReuseRevokes   = "reuse_revokes"
	faultTokenDead      = "token_dead"
	variantInData       = "token_in_data"
	variantInResult     = "token_in_result"
	variantNoExpiry     = "no_expires_in"
	variantGetOnly      = "token_get_only"
	variantUnwrapped    = "read_unwrapped"
	variantRequestInUTC = "request_time_utc"
)

// faults are AsiaBill's own faults and the second readings of its documents.
func faults() []bench.Fault {
	at := func(stages ...bench.Stage) []bench.Stage { return stages }
	fault := func(name string, group bench.Group, title, sentence bench.Text, stages []bench.Stage) bench.Fault {
		return bench.Fault{Name: name, Group: group, Title: title, Sentence: sentence, Stages: stages}
	}
	return []bench.Fault{
		fault(faultDeny, bench.Return, bench.Text{ZH: "拒绝授权", EN: "Deny"},
			bench.Text{ZH: "无论点击哪个按钮，都以 error=access_denied 返回。", EN: "Whichever button is pressed, the answer is error=access_denied."}, at(bench.Authorize)),
		fault(faultWrongMerchant, bench.Return, bench.Text{ZH: "商户号不符", EN: "Wrong merchant"},
			bench.Text{ZH: "跳转上的 merNo 是另一家商户，令牌仍属于登录的商户。", EN: "The redirect names another merNo; the token still belongs to the merchant who signed in."}, at(bench.Authorize)),
		fault(faultStateMissing, bench.Return, bench.Text{ZH: "不返回 state", EN: "State not echoed"},
			bench.Text{ZH: "跳转上没有 state。文档没有承诺会返回它。", EN: "The redirect carries no state. The documents do not promise one."}, at(bench.Authorize)),
		fault(faultStateForeign, bench.Return, bench.Text{ZH: "别人的 state", EN: "Foreign state"},
			bench.Text{ZH: "跳转上的 state 不是客户端发出的那一个。", EN: "The redirect carries a state that the client never sent."}, at(bench.Authorize)),
		fault(faultNoCode, bench.Return, bench.Text{ZH: "没有授权码", EN: "No code"},
			bench.Text{ZH: "跳转上既没有 code 也没有 error。", EN: "The redirect carries neither a code nor an error."}, at(bench.Authorize)),
		fault(faultExpiredCode, bench.Credential, bench.Text{ZH: "授权码已过期", EN: "Expired code"},
			bench.Text{ZH: "返回的授权码在换取令牌时已经过期。", EN: "The code on the redirect has expired by the time it is exchanged."}, at(bench.Authorize)),
		fault(faultReusedCode, bench.Credential, bench.Text{ZH: "授权码已被使用", EN: "Code already used"},
			bench.Text{ZH: "返回的授权码已经被用过一次。", EN: "The code on the redirect has already been used once."}, at(bench.Authorize)),
		fault(faultReuseRevokes, bench.Credential, bench.Text{ZH: "重复使用会吊销令牌", EN: "Reuse revokes"},
			bench.Text{ZH: "同一授权码第二次使用时，第一次换得的令牌也失效。", EN: "When a code is used a second time, the token from the first time dies as well."}, at(bench.Token)),
		fault(faultTokenDead, bench.Credential, bench.Text{ZH: "令牌失效 401", EN: "Dead token 401"},
			bench.Text{ZH: "读取数据时，令牌一律被拒绝。", EN: "Every token is refused when data is read."}, at(bench.Read)),
		fault(variantInData, bench.Variant, bench.Text{ZH: "令牌在 data 里", EN: "Token under data"},
			bench.Text{ZH: "令牌回答套在 {code, message, data} 里。", EN: "The token answer is wrapped in {code, message, data}."}, at(bench.Token)),
		fault(variantInResult, bench.Variant, bench.Text{ZH: "令牌在 result.data 里", EN: "Token under result.data"},
			bench.Text{ZH: "令牌回答套在 {result: {code, message, data}} 里。", EN: "The token answer is wrapped in {result: {code, message, data}}."}, at(bench.Token)),
		fault(variantNoExpiry, bench.Variant, bench.Text{ZH: "没有 expires_in", EN: "No expires_in"},
			bench.Text{ZH: "令牌长期有效，回答里没有 expires_in。", EN: "The token is long-lived and its answer names no expires_in."}, at(bench.Token)),
		fault(variantGetOnly, bench.Variant, bench.Text{ZH: "令牌接口只接受 GET", EN: "Token by GET only"},
			bench.Text{ZH: "POST 得到 405；参数须放在查询串里。", EN: "POST is answered 405; the parameters belong in the query."}, at(bench.Token)),
		fault(variantUnwrapped, bench.Variant, bench.Text{ZH: "数据不套 result", EN: "Data without result"},
			bench.Text{ZH: "数据回答的最外层直接是 {code, message, data}。", EN: "Data answers begin with {code, message, data}, without the outer result."}, at(bench.Read)),
		fault(variantRequestInUTC, bench.Variant, bench.Text{ZH: "request-time 按 UTC", EN: "request-time in UTC"},
			bench.Text{ZH: "request-time 按 UTC 而不是北京时间读取。", EN: "request-time is read as UTC instead of Beijing time."}, at(bench.Read)),
	}
}
