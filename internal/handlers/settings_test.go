package handlers

import (
	"regexp"
	"strings"
	"testing"
)

func TestSettings_NeedASession(t *testing.T) {
	l := newLobby(t, true)
	v := l.visitor(t)
	v.get(t, "/settings").want(t, "nobody", 303, "/login?next=%2Fsettings")
	for _, path := range []string{"/settings/language", "/settings/zone", "/settings/password", "/settings/sessions/end-others"} {
		v.post(t, path).want(t, path, 303, "/login")
	}
}

func TestSettings_Password(t *testing.T) {
	l := newLobby(t, true)
	v, other := l.visitor(t), l.visitor(t)
	v.member(t, "a@example.com")
	other.post(t, "/login", "email", "a@example.com", "password", lobbyPassword).want(t, "another browser", 303, "/overview")

	v.post(t, "/settings/password", "current_password", "wrong", "new_password", "short").
		want(t, "a short one", 422, "", "Use at least 10 characters.")
	v.post(t, "/settings/password", "current_password", "wrong", "new_password", "another good password").
		want(t, "a wrong current one", 422, "", "This is not your current password.")
	other.get(t, "/settings").want(t, "the other browser so far", 200, "")
	v.post(t, "/settings/password", "current_password", lobbyPassword, "new_password", "another good password").
		want(t, "a good one", 303, "/settings")
	v.get(t, "/settings").want(t, "own browser", 200, "", "Your password is changed")
	other.get(t, "/settings").want(t, "the other browser", 303, "/login?next=%2Fsettings")
}

func TestSettings_Language(t *testing.T) {
	l := newLobby(t, true)
	v := l.visitor(t)
	v.member(t, "a@example.com")
	v.get(t, "/settings?lang=en").want(t, "English for this browser", 200, "", `<html lang="en"`)
	v.post(t, "/settings/language", "language", "zh-CN").want(t, "choosing", 303, "/settings")
	v.get(t, "/settings").want(t, "after it", 200, "", `<html lang="zh-CN"`, "语言已保存。", `<option value="zh-CN" lang="zh-CN" selected>`)
	v.post(t, "/settings/language", "language", "").want(t, "following the browser", 303, "/settings")
	v.get(t, "/settings").want(t, "after that", 200, "", `<html lang="en"`)
	v.post(t, "/settings/language", "language", "xx").want(t, "no language", 422, "", "Choose one of the languages in the list.")
}

func TestSettings_Sessions(t *testing.T) {
	l := newLobby(t, true)
	v, phone, stranger := l.visitor(t), l.visitor(t), l.visitor(t)
	v.member(t, "a@example.com")
	phone.post(t, "/login", "email", "a@example.com", "password", lobbyPassword).want(t, "the phone", 303, "/overview")
	stranger.member(t, "b@example.com")

	page := v.get(t, "/settings")
	page.want(t, "the list", 200, "", "This browser", "127.0.0.1", "just now")
	ends := regexp.MustCompile(`action="(/settings/sessions/[0-9a-f-]{36}/end)"`).FindAllStringSubmatch(page.body, -1)
	if len(ends) != 1 {
		t.Fatalf("%d sessions to end, want the phone's alone", len(ends))
	}
	stranger.post(t, ends[0][1]).want(t, "a stranger ends it", 404, "")
	phone.get(t, "/settings").want(t, "the phone after that", 200, "")
	v.post(t, "/settings/sessions/not-an-id/end").want(t, "no id", 404, "")
	v.post(t, ends[0][1]).want(t, "its person ends it", 303, "/settings")
	phone.get(t, "/settings").want(t, "the phone", 303, "/login?next=%2Fsettings")
	if after := v.get(t, "/settings"); strings.Contains(after.body, "/end-others") || !strings.Contains(after.body, "The session has ended.") {
		t.Error("the page still offers to end others, or does not say what was done")
	}
}

func TestSettings_TimeZone(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	berlin, other := d.visitor(t), d.visitor(t)
	for v, email := range map[*visitor]string{berlin: "a@example.com", other: "b@example.com"} {
		v.member(t, email)
		connection := v.get(t, d.begin(t, v, "1000"+email[:1])).location
		for _, at := range []string{"2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z"} { // the last minute of winter in Europe, and the first of summer
			d.told(t, connection, "connection.recovered", `{"provider": "fake", "account": "1•••1", "since": "`+at+`"}`)
		}
	}
	berlin.get(t, "/settings").want(t, "the choice", 200, "", `<option value="">What fits the language: UTC</option>`, `<optgroup label="Europe">`, `<option value="Asia/Shanghai">Shanghai (UTC&#43;8)</option>`)
	for _, bad := range []string{"Local", "Moon/Tranquillity", "../../etc/passwd", strings.Repeat("x", 5000)} {
		berlin.post(t, "/settings/zone", "zone", bad).want(t, "no zone", 422, "", "Choose one of the time zones in the list.")
	}
	berlin.post(t, "/settings/zone", "zone", "Europe/Berlin").want(t, "choosing", 303, "/settings")
	berlin.get(t, "/settings").want(t, "after it", 200, "", "The time zone is saved.", `<option value="Europe/Berlin" selected>`)
	berlin.get(t, "/notices").want(t, "in Berlin", 200, "", "29 Mar 2026, 01:59 UTC&#43;1", "29 Mar 2026, 03:00 UTC&#43;2")
	berlin.get(t, "/notices?lang=zh-CN").want(t, "in Chinese", 200, "", "2026年3月29日 03:00（UTC&#43;2）")
	other.get(t, "/notices").want(t, "somebody else", 200, "", "29 Mar 2026, 00:59 UTC", "29 Mar 2026, 01:00 UTC")
	other.post(t, "/settings/zone", "zone", "Asia/Calcutta").want(t, "an older name", 303, "/settings")
	other.get(t, "/settings").want(t, "it stands in the list", 200, "", `<option value="Asia/Calcutta" selected>Calcutta (UTC&#43;5:30)</option>`)
	other.post(t, "/settings/zone", "zone", "").want(t, "the language's again", 303, "/settings")
	other.get(t, "/notices?lang=zh-CN").want(t, "Beijing's for Chinese", 200, "", "2026年3月29日 09:00（UTC&#43;8）")
}
