package redemption_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

func cny(amount string) oauth.Money {
	return oauth.Money{Amount: decimal.RequireFromString(amount), Currency: "CNY"}
}

func TestFetchWallets(t *testing.T) {
	for name, tc := range map[string]struct {
		data         string
		amount, line string
		kind         oauth.Kind
	}{
		"as documented":        {`{"merchantId":"` + merchant + `","businessId":"` + business + `","creditLine":381,"amount":164}`, "164", "381", ""},
		"as text":              {`{"creditLine":"5000.00","amount":"0.10"}`, "0.10", "5000.00", ""},
		"beyond a float":       {`{"creditLine":0,"amount":9007199254740993.07}`, "9007199254740993.07", "0", ""},
		"overdrawn":            {`{"creditLine":100,"amount":-12.5}`, "-12.5", "100", ""},
		"no credit":            {`{"amount":1}`, "1", "", ""},
		"credit null":          {`{"amount":1,"creditLine":null}`, "1", "", ""},
		"no amount":            {`{"creditLine":381}`, "", "", oauth.BadResponse},
		"amount null":          {`{"amount":null}`, "", "", oauth.BadResponse},
		"amount NaN":           {`{"amount":"NaN"}`, "", "", oauth.BadResponse},
		"amount beyond reason": {`{"amount":1e309}`, "", "", oauth.BadResponse},
		"credit no number":     {`{"amount":1,"creditLine":"much"}`, "", "", oauth.BadResponse},
		"another merchant's":   {`{"merchantId":"m2","amount":1}`, "", "", oauth.BadResponse},
		"another business's":   {`{"businessId":"b2","amount":1}`, "", "", oauth.BadResponse},
		"a list":               {`[]`, "", "", oauth.BadResponse},
		"null":                 {`null`, "", "", oauth.BadResponse},
	} {
		answer := `{"status":0,"message":"成功","data":` + tc.data + `}`
		p := open(t, balanceDesk(200, "\xef\xbb\xbf\n"+answer+"\n"))
		got, err := p.FetchWallets(t.Context(), credential(t, p))
		oauthtest.WantKind(t, name, err, tc.kind)
		if tc.kind != "" {
			continue
		}
		want := oauth.Wallet{Available: cny(tc.amount), Total: cny(tc.amount), Frozen: oauth.Money{Currency: "CNY"}}
		if tc.line != "" {
			want.CreditLine = cny(tc.line)
		}
		if diff := cmp.Diff([]oauth.Wallet{want}, got.Data); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if string(got.Raw) != answer || got.Partial {
			t.Errorf("%s: raw %s", name, got.Raw)
		}
	}
}

// Nothing of the samples' 420 is forgiven where there is no link to prove it.
func TestReadsAreStrict(t *testing.T) {
	p := open(t, balanceDesk(200, `{"status":420,"message":"success","data":{"creditLine":381,"amount":164}}`))
	_, err := p.FetchWallets(t.Context(), credential(t, p))
	oauthtest.WantKind(t, "420", err, oauth.Upstream)
	wantCode(t, "420", err, "420")
}

func TestFetchMerchant(t *testing.T) {
	d := usual()
	p := open(t, d)
	got, err := p.FetchMerchant(t.Context(), credential(t, p))
	if err != nil {
		t.Fatal(err)
	}
	if got.Data.ID != merchant || !slices.Equal(got.Data.Gateways, []string{business}) || string(got.Raw) != balanceAnswer {
		t.Errorf("%+v", got)
	}
	if want := `{"merchantId":"` + merchant + `","businessId":"` + business + `"}`; d.bodies[0] != want || !one(d) {
		t.Errorf("asked with %v", d.bodies)
	}
}

func TestReadsNeedTheirCredential(t *testing.T) {
	d := usual()
	p := open(t, d)
	_, err := p.FetchWallets(t.Context(), oauth.Credential{})
	oauthtest.WantKind(t, "no credential", err, oauth.BadRequest)
	_, err = p.Identify(t.Context(), oauth.Credential{})
	oauthtest.WantKind(t, "no openId", err, oauth.BadResponse)
	if len(d.seen) != 0 {
		t.Error("something was sent")
	}
}

// A wallet without credit looks as it always did.
func TestWalletsWithoutCreditAreWrittenAsBefore(t *testing.T) {
	text, err := json.Marshal(oauth.Wallet{Available: cny("1"), Frozen: cny("0"), Total: cny("1")})
	if err != nil || string(text) != `{"available":{"amount":"1","currency":"CNY"},"frozen":{"amount":"0","currency":"CNY"},"total":{"amount":"1","currency":"CNY"}}` {
		t.Errorf("%s, %v", text, err)
	}
}
