package handlers

import (
	"context"
	"testing"

	"github.com/shopspring/decimal"

	"mooring/internal/connect"
	"mooring/internal/i18n"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// account makes a connection with what its provider told.
func account(w Words, env oauth.Environment, blocks ...connect.BlockView) OverviewAccount {
	a := OverviewAccount{Words: w, ConnectionView: connect.ConnectionView{Connection: models.Connection{Environment: env}}}
	for _, b := range blocks {
		a.Data = append(a.Data, BlockCard{Words: w, BlockView: b})
	}
	return a
}

func wallets(pairs ...string) connect.BlockView {
	b := connect.BlockView{Block: oauth.BlockWallet}
	for i := 0; i+1 < len(pairs); i += 2 {
		b.Wallets = append(b.Wallets, oauth.Wallet{Available: oauth.Money{Amount: decimal.RequireFromString(pairs[i]), Currency: pairs[i+1]}})
	}
	return b
}

func TestOverview_AddsUpEachCurrencyForItself(t *testing.T) {
	w := wordsIn(t, i18n.English)
	page := OverviewPage{Page: Page{Words: w}, Accounts: []OverviewAccount{
		account(w, oauth.Test, wallets("0.1", "USD", "5", "EUR")),
		account(w, oauth.Live, wallets("0.2", "USD", "0.1", "USD")),
		account(w, oauth.Live, wallets("1000000000000000000.01", "USD")),
	}}
	var got []string
	for _, total := range page.totals() {
		got = append(got, string(total.Environment)+" "+total.Amount.Amount.String()+" "+total.Amount.Currency+" "+w.Number(total.Accounts))
	}
	want := []string{"live 1000000000000000000.31 USD 2", "test 0.1 USD 1", "test 5 EUR 1"}
	if len(got) != len(want) {
		t.Fatalf("totals %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("total %q, want %q", got[i], want[i])
		}
	}
}

func TestOverview_PutsWhatProvidersSaySideBySide(t *testing.T) {
	w := wordsIn(t, i18n.English)
	company := func(name string) connect.BlockView {
		return connect.BlockView{Block: oauth.BlockCompany, Company: &oauth.Company{Name: name}}
	}
	page := OverviewPage{Page: Page{Words: w}, Accounts: []OverviewAccount{
		account(w, oauth.Test, connect.BlockView{Block: oauth.BlockMerchant, Merchant: &oauth.Merchant{ID: "10231"}}),
		account(w, oauth.Test, wallets("1", "USD")), // says nothing of the kind
		account(w, oauth.Test, company("Harbour Ltd")),
		account(w, oauth.Test, company("Harbour Limited")),
	}}
	page.Beside = page.compare(page.Accounts)
	if len(page.Beside.Accounts) != 3 || len(page.Beside.Facts) != 2 {
		t.Fatalf("%d accounts, %d facts; want 3 and 2", len(page.Beside.Accounts), len(page.Beside.Facts))
	}
	if verdict := page.Beside.Verdict(page.Beside.Facts[0]); verdict == nil || verdict.Text != "Differ" {
		t.Errorf("two names: %+v", verdict)
	}
	if verdict := page.Beside.Verdict(page.Beside.Facts[1]); verdict != nil {
		t.Errorf("what one provider says: %+v", verdict)
	}
	for i, want := range [][]string{{"", "Harbour Ltd", "Harbour Limited"}, {"10231", "", ""}} {
		fact := page.Beside.Facts[i]
		if len(fact.Cells) != len(want) {
			t.Fatalf("%s has %d cells", fact.Label, len(fact.Cells))
		}
		for n, value := range want {
			if cell := fact.Cells[n]; (cell == nil) != (value == "") || cell != nil && cell.Value != value {
				t.Errorf("%s, account %d: %+v, want %q", fact.Label, n, cell, value)
			}
		}
	}
}

func TestOverview_DrawsHowABalanceWent(t *testing.T) {
	t.Parallel()
	h, v, connection := moored(t, &oauthtest.Fake{})
	without(t, "nothing has moved", v.get(t, "/overview"), `id="courses"`)
	h.fake.Set(func(f *oauthtest.Fake) {
		f.OnWallets = func(context.Context, oauth.Credential) (oauth.Reading[[]oauth.Wallet], error) {
			less := oauth.Money{Amount: decimal.RequireFromString("40"), Currency: "USD"}
			return oauth.Reading[[]oauth.Wallet]{Data: []oauth.Wallet{{Available: less, Total: less}}, Raw: []byte(`{}`)}, nil
		}
	})
	v.post(t, connection+"/sync")
	h.work(t)
	v.get(t, "/overview").want(t, "after a change", 200, "", `id="courses"`, `href="`+connection+`/balances"`, "From 100.00\u00a0USD to 40.00\u00a0USD", `<path class="solid"`)
	stranger := h.owner(t, "b@example.com")
	h.connected(t, stranger, "20002")
	h.work(t)
	without(t, "another merchant", stranger.get(t, "/overview"), `id="courses"`)
}
