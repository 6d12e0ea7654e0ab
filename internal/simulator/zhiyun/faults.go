package zhiyun

import "mooring/internal/simulator/bench"

// The names of this provider's own faults and variants.
const (
	faultDeny            = "deny"
	faultRefuse          = "refuse"
	faultTokenDead       = "token_dead"
	faultCodeExpired     = "expired_code"
	faultForeignClient   = "code_of_another_client"
	faultForeignUser     = "code_of_another_user"
	faultNarrowScope     = "code_without_company"
	faultNoCompany       = "no_company"
	variantForeignBreaks = "foreign_code_breaks"
	variantAuthorizeCode = "authorize_code"
	variantNewtime       = "newtime"
	variantMasked        = "masked"
	variantCodeAsText    = "code_as_text"
	variantNoChecksum    = "no_checksum"
)

// faults are this provider's own faults and the second readings of its documents.
func faults() []bench.Fault {
	at := func(stages ...bench.Stage) []bench.Stage { return stages }
	fault := func(name string, group bench.Group, title, sentence bench.Text, stages []bench.Stage) bench.Fault {
		return bench.Fault{Name: name, Group: group, Title: title, Sentence: sentence, Stages: stages}
	}
	refuse := fault(faultRefuse, bench.Credential, bench.Text{ZH: "以错误码拒绝", EN: "Refuse with a code"},
		bench.Text{ZH: "HTTP 200，正文是所填的错误码：304、400、401、500、501、601、602、704、705、714、904、905、1045、100002、100008、100009、100013、100014、100018 至 100021、100023。",
			EN: "HTTP 200 with this code in the body: 304, 400, 401, 500, 501, 601, 602, 704, 705, 714, 904, 905, 1045, 100002, 100008, 100009, 100013, 100014, 100018 to 100021, 100023."},
		at(bench.Token, bench.Read))
	refuse.Value = &bench.Value{Unit: bench.Text{ZH: "错误码", EN: "code"}, Default: 500, Max: 999_999}
	return []bench.Fault{
		fault(faultDeny, bench.Return, bench.Text{ZH: "登录被拒绝", EN: "Login refused"},
			bench.Text{ZH: "桌面软件不接受任何用户名和密码。", EN: "The desktop software takes no user name and no password."}, at(bench.Authorize)),
		refuse,
		fault(faultTokenDead, bench.Credential, bench.Text{ZH: "令牌已过期 100014", EN: "Dead token 100014"},
			bench.Text{ZH: "任何 access_token 都视为已过期。", EN: "Every access_token counts as expired."}, at(bench.Token, bench.Read)),
		fault(faultCodeExpired, bench.Credential, bench.Text{ZH: "auth_code 已过期 100020", EN: "Expired auth_code 100020"},
			bench.Text{ZH: "签发的 auth_code 在使用前已经过期。", EN: "The auth_code has expired before it can be used."}, at(bench.Token)),
		fault(faultForeignClient, bench.Credential, bench.Text{ZH: "别的客户端的 code 100021", EN: "Another client's code 100021"},
			bench.Text{ZH: "签发的 auth_code 属于另一个客户端。", EN: "The auth_code belongs to another client."}, at(bench.Token)),
		fault(faultForeignUser, bench.Credential, bench.Text{ZH: "别的用户的 code 100023", EN: "Another user's code 100023"},
			bench.Text{ZH: "签发的 auth_code 属于另一个用户。", EN: "The auth_code belongs to another user."}, at(bench.Token)),
		fault(faultNarrowScope, bench.Credential, bench.Text{ZH: "code 不能读公司 100018", EN: "Code without company 100018"},
			bench.Text{ZH: "签发的 auth_code 只能读取用户信息。", EN: "The auth_code allows the user's data only."}, at(bench.Token)),
		fault(faultNoCompany, bench.Credential, bench.Text{ZH: "没有公司 905", EN: "No company 905"},
			bench.Text{ZH: "任何用户都没有公司。", EN: "No user has a company."}, at(bench.Read)),
		fault(variantForeignBreaks, bench.Variant, bench.Text{ZH: "100021 与 100023 变成 500 网页", EN: "100021 and 100023 end in a page"},
			bench.Text{ZH: "服务端抛出找不到的类，回答变成 HTTP 500 的网页。", EN: "The server throws a class that it cannot find: HTTP 500 and a page."}, at(bench.Read)),
		fault(variantAuthorizeCode, bench.Variant, bench.Text{ZH: "字段叫 authorize_code", EN: "The field is called authorize_code"},
			bench.Text{ZH: "注释中的另一个名字，代替 auth_code。", EN: "Another name, from a comment in the source, in place of auth_code."}, at(bench.Token)),
		fault(variantNewtime, bench.Variant, bench.Text{ZH: "字段叫 newtime", EN: "The field is called newtime"},
			bench.Text{ZH: "注释中的另一个名字，代替 nowtime。", EN: "Another name, from a comment in the source, in place of nowtime."}, at(bench.Read)),
		fault(variantMasked, bench.Variant, bench.Text{ZH: "个人信息打码", EN: "Personal data masked"},
			bench.Text{ZH: "像文档示例那样隐藏用户名、姓名、电话和税号的一部分。", EN: "User name, names, telephone and tax numbers are shown in parts, as in the documents' samples."}, at(bench.Read)),
		fault(variantCodeAsText, bench.Variant, bench.Text{ZH: "code 是字符串", EN: "code as text"},
			bench.Text{ZH: "JSON 中的 code 写成 \"200\"。", EN: "In JSON the code is written \"200\"."}, at(bench.Token, bench.Read)),
		fault(variantNoChecksum, bench.Variant, bench.Text{ZH: "不检查 t_ 和 p_", EN: "t_ and p_ unchecked"},
			bench.Text{ZH: "公开的源代码里这段检查被注释掉了。", EN: "In the public source the check is commented out."}, at(bench.Token, bench.Read)),
	}
}
