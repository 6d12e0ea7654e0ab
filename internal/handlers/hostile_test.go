package handlers

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// Two merchants do the same; one's provider and people tell what an attacker would. Every page of every role must have
// the same elements and attributes for both: whatever a value is, it is text.
func TestHostile_AValueIsTextOnEveryPageOfEveryRole(t *testing.T) {
	t.Parallel()
	calm := make([]string, len(oauthtest.Hostile()))
	for i := range calm {
		calm[i] = fmt.Sprintf("calm %d", i)
	}
	for _, lang := range []string{"en", "zh-CN"} {
		want, got := everyPage(t, calm, lang), everyPage(t, oauthtest.Hostile(), lang)
		for i, page := range got {
			if page.status != http.StatusOK || want[i].status != http.StatusOK {
				t.Errorf("%s: %d for the hostile, %d for the calm", page.name, page.status, want[i].status)
			}
			is, should := shapeOf(t, page.body), shapeOf(t, want[i].body)
			for n := range min(len(is), len(should)) {
				if is[n] != should[n] {
					t.Errorf("%s in %s: element %d is %s, want %s", page.name, lang, n, is[n], should[n])
					break
				}
			}
			if len(is) != len(should) {
				t.Errorf("%s in %s has %d elements, want %d", page.name, lang, len(is), len(should))
			}
			harmless(t, page)
		}
		unseen(t, got)
	}
}

// sheet is a page as it was answered.
type sheet struct {
	name string
	answer
}

// everyPage gives what a merchant's owner, a viewer and the staff see of connections whose provider tells these values.
func everyPage(t *testing.T, values []string, lang string) (pages []sheet) {
	t.Helper()
	fake := &oauthtest.Fake{}
	fake.Fill(values)
	h := newHarbour(t, "", fake)
	v := h.visitor(t)
	v.lang = lang
	v.post(t, "/signup", "business_name", visible(values[len(values)-1]), "email", "a@example.com", "password", lobbyPassword).
		want(t, "signing up", http.StatusSeeOther, "/overview")
	var connections []string
	for i := range 3 {
		path := h.connected(t, v, fmt.Sprint("1000", i))
		v.post(t, path+"/label", "label", visible(values[i*7])).want(t, "a label", http.StatusSeeOther, path)
		connections = append(connections, path)
	}
	h.work(t)
	for _, path := range connections {
		h.exec(t, `UPDATE connections SET sync_asked_till = NULL`)
		v.post(t, path+"/sync")
	}
	h.work(t)
	tenant := "/admin/tenants/" + h.tenantOf(t, "a@example.com").String()
	see := func(who *visitor, paths ...string) {
		for _, path := range paths {
			pages = append(pages, sheet{path, who.get(t, path)})
		}
	}
	see(v, "/overview", "/connections", "/activity", "/notices", "/expiring", "/settings", "/settings/export", "/settings/close", "/team")
	for _, path := range connections {
		see(v, path, path+"/history", path+"/balances", path+"/report", path+"/reconnect", path+"/disconnect",
			path+"/reveal/company", path+"/answer/company")
		for _, block := range []string{"merchant", "company", "user"} {
			pages = append(pages, sheet{"revealed " + block, v.post(t, path+"/reveal/"+block, "reason", "other", "note", visible(values[11]))})
		}
		for _, block := range []string{"merchant", "company", "user", "wallet", "wallet_flow"} {
			pages = append(pages, sheet{"answer " + block, v.post(t, path+"/answer/"+block)})
		}
	}
	see(v, connections[0], "/activity")
	v.post(t, connections[1]+"/disconnect")
	see(v, connections[1], connections[1]+"/erase")
	staff := h.staff(t)
	staff.lang = lang
	noFormulas(t, v.post(t, "/settings/export", "personal", "yes").body)
	see(staff, "/admin", "/admin/tenants", tenant, "/admin/connections", "/admin/expiring", "/admin/webhooks", "/admin/audit",
		"/admin/providers", "/admin/providers/fake", "/admin/jobs", "/admin/mails", strings.Replace(connections[0], "/connections/", tenant+"/reveal/", 1)+"/company")
	staff.post(t, tenant+"/review", "act", "start", "version", versionOf(t, staff.get(t, tenant))).want(t, "starting", http.StatusSeeOther, tenant)
	staff.post(t, tenant+"/notes", "note", visible(values[3]))
	see(staff, tenant)
	for i, kind := range []oauth.Kind{oauth.Upstream, oauth.Permission, oauth.NeedsReauth} {
		fake.Set(func(f *oauthtest.Fake) {
			f.OnMerchant = func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
				return oauth.Reading[oauth.Merchant]{}, &oauth.Error{Provider: "fake", Kind: kind, Code: values[i*40]}
			}
		})
		h.exec(t, `UPDATE connections SET sync_asked_till = NULL`)
		v.post(t, connections[2]+"/sync")
		h.work(t)
		h.keeper.Tell(t.Context())
		see(v, connections[2], "/overview")
		see(staff, "/admin/providers/fake", tenant)
	}
	h.demote(t, "a@example.com")
	see(v, "/overview", "/connections", connections[0], "/activity")
	return pages
}

// noFormulas opens an export as a spreadsheet does.
func noFormulas(t *testing.T, archive string) {
	t.Helper()
	cells := 0
	for name, text := range unzip(t, archive) {
		if !strings.HasSuffix(name, ".csv") {
			continue
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
		must(t, err)
		for _, cell := range slices.Concat(rows...) {
			cells++
			if _, err := strconv.ParseFloat(cell, 64); err != nil && strings.ContainsAny(firstOf(cell), "=+-@＝＋－＠\t\r\n") {
				t.Errorf("%s has the formula %q", name, cell)
			}
		}
	}
	if cells < len(oauthtest.Hostile()) {
		t.Errorf("the export has only %d cells", cells)
	}
}

func firstOf(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}

// visible is a value as a form takes it: people's names need something to see.
func visible(value string) string {
	return "x" + strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, value)
}

// shapeOf gives a page's elements with the names of their attributes.
func shapeOf(t *testing.T, page string) (shape []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	must(t, err)
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Parent.Data == "svg" { // which icon stands there may depend on the value
			continue
		}
		var names []string
		for _, a := range n.Attr {
			names = append(names, a.Key)
		}
		slices.Sort(names)
		shape = append(shape, n.Data+"["+strings.Join(names, " ")+"]")
	}
	return shape
}

// harmless looks for what a page of ours never has: scripts of its own, handlers in attributes, and addresses of others.
func harmless(t *testing.T, page sheet) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page.body))
	must(t, err)
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", a.Key == "ping":
				t.Errorf("%s: <%s> has %s=%q", page.name, n.Data, a.Key, a.Val)
			case slices.Contains([]string{"href", "src", "action", "formaction", "srcset", "data", "poster"}, a.Key):
				u, err := url.Parse(a.Val)
				if err != nil || u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http" || strings.Contains(u.Host, "evil") {
					t.Errorf("%s: <%s> leads to %q", page.name, n.Data, a.Val)
				}
			}
		}
		if n.Data == "script" && n.FirstChild != nil {
			t.Errorf("%s has a script of its own: %s", page.name, n.FirstChild.Data)
		}
	}
}

// unseen fails for values that the provider told and nobody is shown: escaping must not lose them.
func unseen(t *testing.T, pages []sheet) {
	t.Helper()
	var seen strings.Builder
	for _, page := range pages {
		root, err := html.Parse(strings.NewReader(page.body))
		must(t, err)
		for n := range root.Descendants() {
			if n.Type == html.TextNode {
				seen.WriteString(n.Data)
			}
		}
	}
	all := squeezed(seen.String())
	for _, value := range oauthtest.Hostile() {
		if want := squeezed(value); !strings.Contains(all, want) {
			t.Errorf("nobody is shown %q", value)
		}
	}
}

// squeezed leaves what can be seen of a text.
func squeezed(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar { // NUL is shown as that
			return -1
		}
		return r
	}, text)
}
