package cardwallet

import "mooring/internal/simulator/bench"

// The names of the card wallet's own faults, and of the second readings of what is known of it.
const (
	faultWrongSecret = "wrong_secret"
	faultSuspended   = "client_suspended"
	faultTokenEmpty  = "token_empty"
	faultTokenDead   = "token_dead"
	faultShortToken  = "token_short"
	faultNewRevokes  = "new_token_revokes"
	faultEmptyData   = "data_null"
	faultStuckPage   = "page_stuck"

	variantForm             = "token_in_form"
	variantMinutes          = "expires_in_minutes"
	variantCodeNumber       = "code_number"
	variantStatus           = "status_follows_code"
	variantIDsAsText        = "ids_as_text"
	variantAmountsAsNumbers = "amounts_as_numbers"
	variantOtherNames       = "other_names"
	variantExtraFields      = "extra_fields"
	variantWalletList       = "wallet_list"
	variantRecords          = "paging_records"
	variantRows             = "paging_rows"
)

func faults() []bench.Fault { return append(credentialFaults(), variants()...) }

func at(stages ...bench.Stage) []bench.Stage { return stages }

func fault(name string, group bench.Group, stages []bench.Stage, title, sentence bench.Text) bench.Fault {
	return bench.Fault{Name: name, Group: group, Title: title, Sentence: sentence, Stages: stages}
}

func credentialFaults() []bench.Fault {
	return []bench.Fault{
		fault(faultWrongSecret, bench.Credential, at(bench.Token), bench.Text{ZH: "密钥错误", EN: "Wrong secret"},
			bench.Text{ZH: "任何 client_secret 都被当作错误的，code 为 \"401\"。", EN: `Every client_secret counts as a wrong one; the code is "401".`}),
		fault(faultSuspended, bench.Credential, at(bench.Token, bench.Read), bench.Text{ZH: "客户端已停用", EN: "Client suspended"},
			bench.Text{ZH: "换取令牌和读取数据都以 code \"403\" 拒绝。", EN: `Token calls and reads are refused with the code "403".`}),
		fault(faultTokenEmpty, bench.Credential, at(bench.Token), bench.Text{ZH: "令牌为空", EN: "Empty token"},
			bench.Text{ZH: "回答成功，但 access_token 是空的。", EN: "The answer says success and its access_token is empty."}),
		fault(faultTokenDead, bench.Credential, at(bench.Read), bench.Text{ZH: "令牌失效", EN: "Dead token"},
			bench.Text{ZH: "读取数据时，令牌一律被拒绝，code 为 \"401\"。", EN: `Every token is refused when data is read; the code is "401".`}),
		fault(faultShortToken, bench.Credential, at(bench.Token), bench.Text{ZH: "令牌提前失效", EN: "Token dies early"},
			bench.Text{ZH: "expires_in 仍写 60，令牌五秒后就失效。", EN: "expires_in still says 60, the token dies after five seconds."}),
		fault(faultNewRevokes, bench.Credential, at(bench.Token), bench.Text{ZH: "新令牌使旧令牌失效", EN: "A new token ends the old"},
			bench.Text{ZH: "同一客户端换取新令牌时，先前的令牌立即失效。文档没有说明。", EN: "When a client gets a new token its earlier ones end at once. The documents do not say."}),
	}
}

func variants() []bench.Fault {
	read := at(bench.Read)
	return []bench.Fault{
		fault(faultEmptyData, bench.Variant, read, bench.Text{ZH: "没有数据", EN: "No data"},
			bench.Text{ZH: "回答成功，data 为 null。", EN: "The answer says success and its data is null."}),
		fault(faultStuckPage, bench.Variant, read, bench.Text{ZH: "翻页无效", EN: "Paging is stuck"},
			bench.Text{ZH: "无论请求第几页，都返回第一页。", EN: "Whichever page is asked for, the first one comes."}),
		fault(variantForm, bench.Variant, at(bench.Token), bench.Text{ZH: "令牌参数在表单里", EN: "Token parameters in a form"},
			bench.Text{ZH: "只接受表单正文中的参数，查询串里的被拒绝。", EN: "Parameters are taken from a form body only; in the query they are refused."}),
		fault(variantMinutes, bench.Variant, at(bench.Token), bench.Text{ZH: "expires_in 按分钟", EN: "expires_in in minutes"},
			bench.Text{ZH: "令牌真正有效 60 分钟。", EN: "Tokens really live for 60 minutes."}),
		fault(variantCodeNumber, bench.Variant, at(bench.Token, bench.Read), bench.Text{ZH: "code 为数字", EN: "Code as a number"},
			bench.Text{ZH: "code 是数字 200，而不是文本 \"200\"。", EN: `The code is the number 200 instead of the text "200".`}),
		fault(variantStatus, bench.Variant, at(bench.Token, bench.Read), bench.Text{ZH: "HTTP 状态随 code", EN: "Status follows the code"},
			bench.Text{ZH: "拒绝时 HTTP 状态与 code 相同，而不是 200。", EN: "A refusal comes with its code as the HTTP status instead of 200."}),
		fault(variantIDsAsText, bench.Variant, read, bench.Text{ZH: "编号为文本", EN: "Ids as texts"},
			bench.Text{ZH: "19 位编号写成文本，而不是数字。", EN: "The ids of 19 digits are texts instead of numbers."}),
		fault(variantAmountsAsNumbers, bench.Variant, read, bench.Text{ZH: "金额为数字", EN: "Amounts as numbers"},
			bench.Text{ZH: "金额写成数字，而不是文本。", EN: "Amounts are numbers instead of texts."}),
		fault(variantOtherNames, bench.Variant, read, bench.Text{ZH: "字段的其他名称", EN: "Other names"},
			bench.Text{ZH: "字段用另一套名称：merchantId、name、balance、freezeBalance 等。", EN: "Fields go by their other names: merchantId, name, balance, freezeBalance and so on."}),
		fault(variantExtraFields, bench.Variant, read, bench.Text{ZH: "更多字段", EN: "More fields"},
			bench.Text{ZH: "回答里多出文档没有提到的字段，其中一个含有 HTML。", EN: "Answers hold fields that nobody has heard of, one of them with HTML in it."}),
		fault(variantWalletList, bench.Variant, read, bench.Text{ZH: "钱包列表", EN: "Wallets as a list"},
			bench.Text{ZH: "查询钱包时返回所有钱包的列表。", EN: "The wallet's query answers with a list of all wallets."}),
		fault(variantRecords, bench.Variant, read, bench.Text{ZH: "分页用 records", EN: "Paging by records"},
			bench.Text{ZH: "分页字段为 current、size、records。", EN: "A page's fields are current, size and records."}),
		fault(variantRows, bench.Variant, read, bench.Text{ZH: "分页用 rows", EN: "Paging by rows"},
			bench.Text{ZH: "分页字段为 pageNo、pageSize、rows，total 是文本。", EN: "A page's fields are pageNo, pageSize and rows; total is a text."}),
	}
}
