package handlers

import (
	"context"
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"

	"mooring/internal/connect"
	"mooring/internal/i18n"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

func TestTenant_TellsWhatHasChangedAndGoesBackInTime(t *testing.T) {
	t.Parallel()
	address := "1 Old Quay"
	fake := &oauthtest.Fake{OnCompany: func(context.Context, oauth.Credential) (oauth.Reading[oauth.Company], error) {
		return oauth.Reading[oauth.Company]{Raw: json.RawMessage(`{}`), Data: oauth.Company{
			Name: "Pier", Address: address, TaxNumber: "91330100MA2canary"}}, nil
	}}
	h, merchant, connection := moored(t, fake)
	staff := h.staff(t)
	var tenant string
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT tenant_id FROM connections`).Scan(&tenant))
	file := "/admin/tenants/" + tenant
	staff.get(t, file).want(t, "before anything changed", 200, "", "Nothing in the merchant or company data has changed", "Last here")

	address = "2 New Quay"
	merchant.post(t, connection+"/sync")
	h.work(t)
	page := staff.get(t, file)
	page.want(t, "after a change", 200, "", "<del>1 Old Quay</del>", "<ins>2 New Quay</ins>", `href="#facts"`)
	without(t, "the file", page, "91330100MA2canary", "Nothing in the merchant or company data has changed")

	_, err := h.db.Owner.Exec(t.Context(), `
		INSERT INTO events (tenant_id, id, actor_kind, kind, created_at) SELECT $1, event_id(), 'system', 'person.password_changed', now() FROM generate_series(1, 60)`, tenant)
	must(t, err)
	page = staff.get(t, file)
	without(t, "the newest events", page, "The account was created")
	older := regexp.MustCompile(`href="(/admin/tenants/[^"]+\?before=[^"#]+)#history"`).FindStringSubmatch(page.body)
	if older == nil {
		t.Fatal("no way to the older events")
	}
	staff.get(t, html.UnescapeString(older[1])).want(t, "the older events", 200, "", "The account was created", "#history")
	staff.get(t, file+"?before=x").want(t, "no place of the history", 422, "")
}

func TestComparison_SaysOnlyWhatIsKnown(t *testing.T) {
	w := wordsIn(t, i18n.English)
	holder := func(c oauth.Company) OverviewAccount {
		return account(w, oauth.Test, connect.BlockView{Block: oauth.BlockCompany, Company: &c})
	}
	for _, c := range []struct {
		what string
		a, b oauth.Company
		want string // "": no verdict
	}{
		{"the same", oauth.Company{Address: "1 Quay"}, oauth.Company{Address: "1  quay"}, "Agree"},
		{"another", oauth.Company{Address: "1 Quay"}, oauth.Company{Address: "2 Quay"}, "Differ"},
		{"alike where it is masked by us", oauth.Company{TaxNumber: "91330100MA2A"}, oauth.Company{TaxNumber: "91440300MA2A"}, "Alike as far as shown"},
		{"masked by a provider", oauth.Company{Phone: "13300000170"}, oauth.Company{Masked: map[string]oauth.Masked{"phone": oauth.NewMasked("133****0170")}}, ""},
		{"what is not about the business", oauth.Company{Type: "1"}, oauth.Company{Type: "LIMITED"}, ""},
	} {
		beside := w.compare([]OverviewAccount{holder(c.a), holder(c.b)})
		got := ""
		if verdict := beside.Verdict(beside.Facts[0]); verdict != nil {
			got = verdict.Text
		}
		if len(beside.Facts) != 1 || !strings.EqualFold(got, c.want) {
			t.Errorf("%s: %d facts, %q, want %q", c.what, len(beside.Facts), got, c.want)
		}
	}
}
