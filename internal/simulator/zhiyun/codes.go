package zhiyun

// The codes that are given by name. All of the documents' are in messages.
const (
	codeOK           = 200
	codeUnauthorized = 401
	codeNoService    = 501
	codeParameter    = 601
	codeNoCompany    = 905

	codeClientDiffers = 100002
	codeClientUnknown = 100008
	codeBasic         = 100009
	codeSecret        = 100013
	codeToken         = 100014
	codePermission    = 100018
	codeCodeMissing   = 100019
	codeCodeExpired   = 100020
	codeForeignClient = 100021
	codeForeignUser   = 100023
)

// messages are the codes of the documents and those that the server's public source knows besides.
func messages() map[int]string {
	return map[int]string{
		codeOK: "ok", 304: "Not Modified", 400: "Bad Request", codeUnauthorized: "Unauthorized", 500: "Internal Server Error",
		codeNoService: "Service not found", codeParameter: "参数非法", 602: "内容为空",
		704: "用户不存在", 705: "用户不存在", 714: "用户token无效", 904: "公司不存在", codeNoCompany: "用户没有公司信息", 1045: "数据写入失败",
		codeClientDiffers: "client_id与认证用户不一致", codeClientUnknown: "client_id不存在", codeBasic: "Authorization头非法",
		codeSecret: "client_secret错误", codeToken: "access_token已过期", codePermission: "code没有权限", codeCodeMissing: "code不存在",
		codeCodeExpired: "code已过期", codeForeignClient: "客户端持有非法code", codeForeignUser: "用户持有非法code",
	}
}

func messageOf(code int) string {
	if text, known := messages()[code]; known {
		return text
	}
	return "未知错误"
}
