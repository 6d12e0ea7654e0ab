package handlers

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"mooring/internal/connect"
	"mooring/internal/i18n"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

func usd(amount string) oauth.Wallet {
	m := oauth.Money{Amount: decimal.RequireFromString(amount), Currency: "USD"}
	return oauth.Wallet{Available: m, Total: m}
}

func TestChart_AStepLineDashedWhereNobodyLooked(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	line := connect.Line{Currency: "USD", Points: []connect.Point{
		{From: at, Until: at.Add(2 * day), Wallet: usd("100")},
		{From: at.Add(4 * day), Until: at.Add(5 * day), Wallet: usd("300"), Ended: true},
		{From: at.Add(8 * day), Until: at.Add(10 * day), Wallet: usd("200.000000000000000001")},
	}}
	c := chartOf(line)
	if want := "M6.0 154.0H123.6M241.2 6.0H300.0M476.4 80.0H594.0"; c.Solid != want {
		t.Errorf("solid %s\nwant  %s", c.Solid, want)
	}
	if want := "M123.6 154.0H241.2V6.0"; c.Dashed != want { // none where the currency was gone
		t.Errorf("dashed %s\nwant   %s", c.Dashed, want)
	}
	if want := "M6.0 154.0h0M241.2 6.0h0M476.4 80.0h0"; c.Dots != want {
		t.Errorf("dots %s\nwant %s", c.Dots, want)
	}
	b := wordsIn(t, i18n.English).balanceLine(line, "line0")
	if b.Rows[0].Total != "200.000000000000000001\u00a0USD" || b.Rows[0].By != "" || b.Rows[1].By != "+200.00\u00a0USD" {
		t.Errorf("the table is %+v", b.Rows)
	}
	if !strings.Contains(b.Text, "highest 300.00\u00a0USD, lowest 100.00\u00a0USD, 3 different balances") || !strings.Contains(b.Title, "1 Mar 2026 to 11 Mar 2026") {
		t.Errorf("in words: %s. %s", b.Title, b.Text)
	}
	if flat := chartOf(connect.Line{Points: line.Points[:1]}); !flat.Flat() || flat.Solid != "M6.0 80.0H594.0" {
		t.Errorf("a balance that never moved: %+v", flat)
	}
	if one := chartOf(connect.Line{Points: []connect.Point{{From: at, Until: at}}}); one != nil {
		t.Error("one look has a course")
	}
}

func TestBalances_ByCurrencyWithATableUnderEachChart(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	connection := h.connected(t, v, "12345")
	if page := v.get(t, connection+"/balances"); page.status != http.StatusOK || !strings.Contains(page.body, "No balance has been fetched yet") {
		t.Errorf("before anything was fetched: %d\n%s", page.status, page.body)
	}
	for _, amount := range []string{"10", "25.5"} {
		coin := oauth.Wallet{Total: oauth.Money{Amount: decimal.RequireFromString("0.00000001"), Currency: "BTC"}}
		h.fake.Set(func(f *oauthtest.Fake) {
			f.OnWallets = func(context.Context, oauth.Credential) (oauth.Reading[[]oauth.Wallet], error) {
				return oauth.Reading[[]oauth.Wallet]{Data: []oauth.Wallet{usd(amount), coin}, Raw: []byte(`{}`)}, nil
			}
		})
		h.tells(t, v, connection, oauth.Company{})
	}
	page := v.get(t, connection+"/balances")
	for _, want := range []string{
		`<svg role="img" aria-labelledby="line0-title line0-text"`, `<title id="line0-title">Balance in USD`, `<desc id="line0-text">From 10.00` + "\u00a0" + `USD to 25.50`,
		"&#43;15.50\u00a0USD", "0.00000001\u00a0BTC", `<th scope="col" class="amount">Total</th>`, "As a table: 2 balances",
	} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %q\n%s", want, page.body)
		}
	}
	if strings.Contains(page.body, "style=") || strings.Contains(page.body, "⟨") {
		t.Errorf("an inline style, or a missing word\n%s", page.body)
	}
	if stranger := h.owner(t, "b@example.com"); stranger.get(t, connection+"/balances").status != http.StatusNotFound {
		t.Error("a stranger reads the balances")
	}
}
