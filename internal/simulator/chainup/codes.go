package chainup

import "strconv"

// The codes of success. The sample of inquire_user shows another one than all other calls.
const (
	codeOK       = "0"
	codeInquired = "200"
)

// refusal is why a call is not honoured. Its zero value is no refusal.
type refusal struct {
	Outcome string
	Code    int
}

func (r refusal) refused() bool { return r.Code != 0 }

// messages are the documented codes that are not about orders.
func messages() map[int]string {
	return map[int]string{
		10001: "系统异常 (system error)", 10003: "滑块验证失败 (slider failed)", 10004: "短信发送失败 (SMS failed)",
		10005: "操作过于频繁 (too often)", 10009: "验证码错误 (captcha wrong)", 10010: "验证码失效 (captcha expired)",
		10015: "操作失败 (operation failed)", 10020: "参数错误 (parameter error)",
		50000: "请求方法或格式错误，须为 JSON (method not allowed, or not JSON)", 50001: "appKey 不合法 (illegal appKey)",
		50002: "redirectUrl 不匹配 (redirectUrl mismatch)", 50003: "缺少权限组 (permission group missing)",
		50004: "缺少 appKey (appKey missing)", 50005: "签名错误 (signature error)", 50006: "资源为空 (resource empty)",
		50007: "资源无效 (invalid resource)", 50008: "前缀无效 (invalid prefix)", 50009: "请求超时 (request timeout)",
		50010: "请求时间不合法 (illegal request time)", 50011: "网络异常 (network error)", 50012: "没有权限 (no permission)",
		50013: "超过当日流量限制 (daily limit)", 50014: "账户不支持支付 (payment not supported)",
		60001: "refreshToken 无效 (refreshToken invalid)", 60002: "token 无效 (token invalid)",
		60003: "code 已被使用 (code used)", 60004: "openId 无效 (invalid openId)",
	}
}

func messageOf(code int) string {
	if text, ok := messages()[code]; ok {
		return text
	}
	return "错误 (error) " + strconv.Itoa(code)
}
