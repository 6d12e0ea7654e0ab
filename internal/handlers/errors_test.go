package handlers

import (
	"strings"
	"testing"
)

func TestLocalPath_OpenRedirects(t *testing.T) {
	for _, bad := range []string{
		"", "overview", "//evil.example", "///evil.example", "////evil.example", `/\evil.example`, `\\evil.example`, `/\/evil.example`,
		"https://evil.example", "http:evil.example", "https:/evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x",
		"/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example", "\t//evil.example", " //evil.example", "/ /evil.example", "/overview\r\nSet-Cookie: a=b",
		"//evil.example/%2f..", "//user@evil.example", "/\x00/evil.example", "/\u2028/evil.example", "/。evil.example", "//evil%E3%80%82example",
		"?next=//evil.example", "#//evil.example", ".//evil.example", "..//evil.example", "@evil.example", "/%zz", "/" + strings.Repeat("a", 600),
		"mailto:a@evil.example", "/%2f/evil.example", "//[::1]", "/\u00a0/evil", "https://mooring.example@evil.example", "//mooring.example.evil.example", "ftp://evil.example",
	} {
		if got := localPath(bad); got != "" {
			t.Errorf("localPath(%q) = %q, want nothing", bad, got)
		}
	}
	for _, good := range []string{"/", "/overview", "/connections/0190?tab=data&x=%2F%2Fevil", "/admin/tenants?q=%E8%93%9D", "/a%2Fb"} {
		if got := localPath(good); got != good {
			t.Errorf("localPath(%q) = %q", good, got)
		}
	}
}

// A form or an address can hold bytes that are no text. They are refused in plain words, and are no fault of ours.
func TestWhatIsNoTextIsRefused(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	for _, bad := range []string{"a\x00b", "a\xffb"} {
		for what, got := range map[string]answer{
			"a reason":        b.first.post(t, remindAll, "reason", bad),
			"a filter's name": b.first.post(t, "/settings/filters", "list", "work", "query", "queue=linked", "name", bad),
			"a note":          b.first.post(t, "/admin/tenants/"+b.tenant+"/notes", "note", bad),
		} {
			got.want(t, what, 422, "", "characters that cannot be kept")
		}
	}
	b.first.get(t, "/admin/tenants?q=a%00b").want(t, "a search", 422, "", "characters that cannot be kept")
}
