package zhiyun

import "mooring/internal/oauth"

// explanations are what a person should know of each code, in the documents' order: first the documented ones, then
// those that only the source knows.
func explanations() []oauth.Explanation {
	list := append(generalCodes(), clientCodes()...)
	list = append(list, tokenCodes()...)
	return append(list, sourceCodes()...)
}

func explain(kind oauth.Kind, code string, actor oauth.Text, causeZH, causeEN, nextZH, nextEN string) oauth.Explanation {
	return oauth.Explanation{
		Kind: kind, Code: code, Actor: actor,
		Cause: oauth.Text{ZH: causeZH, EN: causeEN}, Next: oauth.Text{ZH: nextZH, EN: nextEN},
	}
}

func merchant() oauth.Text { return oauth.Text{ZH: "您", EN: "You"} }
func platform() oauth.Text { return oauth.Text{ZH: "平台", EN: "The platform"} }
func provider() oauth.Text { return oauth.Text{ZH: "致云", EN: "ZhiCloud"} }
func nobody() oauth.Text   { return oauth.Text{ZH: "无需处理", EN: "Nobody"} }

func generalCodes() []oauth.Explanation {
	return []oauth.Explanation{
		explain(oauth.Upstream, "304", provider(), "致云称资料未修改，因此没有返回内容。", "ZhiCloud says that nothing has changed, and gives nothing.",
			"稍后会自动重试。", "It is tried again later by itself."),
		explain(oauth.BadRequest, "400", platform(), "致云认为请求无效。", "ZhiCloud calls our request invalid.",
			"请核对 ZHIYUN_BASE_URL 与致云当前的接口版本。", "Compare ZHIYUN_BASE_URL with the interface that ZhiCloud runs now."),
		explain(oauth.AuthConfig, codeUnauthorized, platform(), "致云拒绝了请求：客户端身份或校验参数未通过，而时钟并无明显偏差。", "ZhiCloud refuses the request: our client or the check numbers were not accepted, and the clocks agree.",
			"请与致云核对 client_id、client_secret 及授权。", "Compare client_id, client_secret and what they may do with ZhiCloud."),
		explain(oauth.ClockSkew, codeUnauthorized, platform(), "请求时间与致云的时钟相差超过一小时。", "The time of our request is more than an hour from ZhiCloud's clock.",
			"请检查服务器时钟。", "Check the server's clock."),
		explain(oauth.Upstream, "500", provider(), "致云内部错误。", "Something fails inside ZhiCloud.",
			"稍后会自动重试；若持续出现，请联系致云。", "It is tried again later; if it goes on, tell ZhiCloud."),
		explain(oauth.BadRequest, "501", platform(), "致云不支持该客户端，或没有所请求的服务。", "ZhiCloud does not support this client, or does not have this service.",
			"请核对 ZHIYUN_BASE_URL，并向致云确认客户端的类型。", "Check ZHIYUN_BASE_URL, and ask ZhiCloud about the type of the client."),
		explain(oauth.BadRequest, "601", platform(), "致云认为参数非法。", "ZhiCloud calls a parameter illegal.",
			"请核对 client_id，并与致云当前的接口版本比较。", "Check client_id, and compare with the interface that ZhiCloud runs now."),
		explain(oauth.NotFound, "602", nobody(), "致云没有可返回的内容。", "ZhiCloud has nothing to give.",
			"请在致云中确认资料已填写。", "See in ZhiCloud whether the details have been filled in."),
	}
}

func clientCodes() []oauth.Explanation {
	return []oauth.Explanation{
		explain(oauth.AuthConfig, "100002", platform(), "请求里的 client_id 与身份验证里的不一致。", "The client_id of the request is not the one that was authenticated.",
			"请检查 ZHIYUN_CLIENT_ID，以及中间的代理是否改动了请求头。", "Check ZHIYUN_CLIENT_ID, and whether a proxy changes the headers."),
		explain(oauth.AuthConfig, "100008", platform(), "致云不认识平台的 client_id。", "ZhiCloud does not know the platform's client_id.",
			"请与致云核对 ZHIYUN_CLIENT_ID。", "Compare ZHIYUN_CLIENT_ID with ZhiCloud."),
		explain(oauth.AuthConfig, "100009", platform(), "致云没有收到合法的身份验证头。", "ZhiCloud did not get a proper authentication header.",
			"请检查 ZHIYUN_CLIENT_ID 和 ZHIYUN_CLIENT_SECRET，以及中间的代理是否去掉了请求头。", "Check ZHIYUN_CLIENT_ID and ZHIYUN_CLIENT_SECRET, and whether a proxy takes the header out."),
		explain(oauth.AuthConfig, "100013", platform(), "平台的 client_secret 不正确。", "The platform's client_secret is wrong.",
			"请与致云核对 ZHIYUN_CLIENT_SECRET。", "Compare ZHIYUN_CLIENT_SECRET with ZhiCloud."),
	}
}

func tokenCodes() []oauth.Explanation {
	return []oauth.Explanation{
		explain(oauth.BadRequest, tokenField, merchant(), "这不像一个 access_token：它只含小写字母和数字。", "This is not in the form of an access_token: it has lower-case letters and digits only.",
			"请从致云桌面软件中重新复制整段 access_token。", "Copy the whole access_token from the ZhiCloud desktop program again."),
		explain(oauth.NeedsReauth, "100014", merchant(), "access_token 已过期，或致云不认识它。", "The access_token has expired, or ZhiCloud does not know it.",
			"请重新登录致云桌面软件，复制新的 access_token 并重新连接。", "Sign in to the ZhiCloud desktop program again, copy the new access_token and connect again."),
		explain(oauth.NeedsReauth, "", merchant(), "致云不再接受这个 access_token。", "ZhiCloud no longer accepts this access_token.",
			"请重新登录致云桌面软件，复制新的 access_token 并重新连接。", "Sign in to the ZhiCloud desktop program again, copy the new access_token and connect again."),
		explain(oauth.Permission, "100018", merchant(), "授权码没有读取这些资料的权限。", "The authorisation may not read these details.",
			"请用企业管理员账号登录桌面软件后重新连接；若仍如此，请联系平台。", "Sign in to the desktop program as the company's administrator and connect again; if that does not help, tell the platform."),
		explain(oauth.Upstream, codeMissing, nobody(), "致云没有收到授权码；我们已重新申请一次。", "ZhiCloud did not get the authorisation code; another one was asked for.",
			"稍后会自动重试。", "It is tried again later by itself."),
		explain(oauth.Upstream, codeExpired, nobody(), "授权码在读取前已过期；我们已重新申请一次。", "The authorisation code had expired before the read; another one was asked for.",
			"稍后会自动重试。", "It is tried again later by itself."),
		explain(oauth.Permission, "100021", merchant(), "授权码属于另一个客户端。", "The authorisation code belongs to another client.",
			"请重新连接；若再次出现，请联系平台。", "Connect again; if it comes back, tell the platform."),
		explain(oauth.Permission, "100023", merchant(), "授权码属于另一个用户。", "The authorisation code belongs to another user.",
			"请确认 access_token 是您本人的，然后重新连接。", "Make sure that the access_token is your own, and connect again."),
	}
}

// sourceCodes are those that no document lists.
func sourceCodes() []oauth.Explanation {
	return []oauth.Explanation{
		explain(oauth.NotFound, "704", merchant(), "致云找不到这个用户。", "ZhiCloud does not find this user.",
			"请确认账号仍然存在，然后重新连接。", "See whether the account still exists, and connect again."),
		explain(oauth.NotFound, "705", merchant(), "致云找不到这个用户的资料。", "ZhiCloud does not find this user's details.",
			"请确认账号仍然存在，然后重新连接。", "See whether the account still exists, and connect again."),
		explain(oauth.NeedsReauth, "714", merchant(), "用户令牌无效。", "The user's token is not valid.",
			"请重新登录致云桌面软件，复制新的 access_token 并重新连接。", "Sign in to the ZhiCloud desktop program again, copy the new access_token and connect again."),
		explain(oauth.NotFound, codeNoCompanies, nobody(), "这个账号没有绑定企业。", "This account has no company.",
			"个人资料不受影响；绑定企业后会自动读取。", "The user's details are not affected; a company is read once there is one."),
		explain(oauth.NotFound, codeNoCompany, nobody(), "这个账号没有绑定企业。", "This account has no company.",
			"个人资料不受影响；绑定企业后会自动读取。", "The user's details are not affected; a company is read once there is one."),
		explain(oauth.Upstream, "1045", provider(), "致云写入失败。", "ZhiCloud could not write.",
			"稍后会自动重试；若持续出现，请联系致云。", "It is tried again later; if it goes on, tell ZhiCloud."),
	}
}
