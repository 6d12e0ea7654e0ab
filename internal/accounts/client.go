package accounts

import "strings"

// Client is a browser in plain words: product names, which are the same in every language. Empty means unknown.
type Client struct {
	Browser string
	System  string
}

// sign is a word in a user agent that gives a product away.
type sign struct{ word, name string }

// Order matters: every browser claims to be its ancestors as well.
func browserSigns() []sign {
	return []sign{
		{"MicroMessenger", "WeChat"}, {"AlipayClient", "Alipay"}, {"DingTalk", "DingTalk"}, {"Lark/", "Lark"},
		{"HuaweiBrowser", "Huawei Browser"}, {"MiuiBrowser", "Mi Browser"}, {"MQQBrowser", "QQ Browser"}, {"QQBrowser", "QQ Browser"},
		{"UCBrowser", "UC Browser"}, {"SamsungBrowser", "Samsung Internet"}, {"Edg", "Edge"}, {"OPR/", "Opera"},
		{"Vivaldi", "Vivaldi"}, {"Firefox", "Firefox"}, {"FxiOS", "Firefox"}, {"CriOS", "Chrome"}, {"HeadlessChrome", "Chrome"},
		{"Chrome", "Chrome"}, {"Safari", "Safari"}, {"curl/", "curl"},
	}
}

func systemSigns() []sign {
	return []sign{
		{"HarmonyOS", "HarmonyOS"}, {"OpenHarmony", "HarmonyOS"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"},
		{"Windows", "Windows"}, {"Macintosh", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}
}

// describe reads a user agent. It is a hint for the person, never a basis for a decision.
func describe(userAgent string) Client {
	return Client{Browser: firstSign(userAgent, browserSigns()), System: firstSign(userAgent, systemSigns())}
}

func firstSign(userAgent string, signs []sign) string {
	for _, s := range signs {
		if strings.Contains(userAgent, s.word) {
			return s.name
		}
	}
	return ""
}
