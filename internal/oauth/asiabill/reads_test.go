package asiabill_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

func money(amount, currency string) oauth.Money {
	return oauth.Money{Amount: decimal.RequireFromString(amount), Currency: currency}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func merchantOf(t testing.TB, d http.Handler, merNo string) (oauth.Reading[oauth.Merchant], error) {
	t.Helper()
	return open(t, d, nil).(oauth.MerchantFetcher).FetchMerchant(t.Context(), credential(merNo))
}

func flowOf(t testing.TB, d http.Handler) (oauth.Reading[[]oauth.FlowEntry], error) {
	t.Helper()
	return open(t, d, nil).(oauth.WalletFlowFetcher).FetchWalletFlow(t.Context(), credential("12345"))
}

func TestFetchWalletFlow(t *testing.T) {
	d := usual(t)
	got, err := flowOf(t, d)
	if err != nil {
		t.Fatal(err)
	}
	want := []oauth.FlowEntry{
		{ID: "2026030110000000000003", Kind: "transaction", OrderNo: "SO-1003", Gateway: "12345001", Amount: money("1288.50", "USD"), Status: "success", OccurredAt: at("2026-03-02T03:30:00Z")},
		{ID: "2026030110000000000002", Kind: "transaction", OrderNo: "SO-1002", Gateway: "12345002", Amount: money("0.10", "EUR"), Status: "fail", OccurredAt: at("2026-02-28T16:15:09Z")},
		{ID: "CB202602280001", Kind: "chargeback", OrderNo: "SO-0900", Gateway: "12345001", Amount: money("45.00", "USD"), Reason: "Fraudulent transaction", OccurredAt: at("2026-02-28T01:00:00Z")},
		{ID: "2026021510000000000001", Kind: "transaction", OrderNo: "SO-1001", Gateway: "12345001", Amount: money("98000", "JPY"), Status: "pending", OccurredAt: at("2026-02-15T15:59:59Z")},
	}
	if diff := cmp.Diff(want, got.Data); diff != "" {
		t.Error(diff)
	}
	if got.SourceZone != "Asia/Shanghai" || got.Partial {
		t.Errorf("zone %q, partial %v", got.SourceZone, got.Partial)
	}
	var raw map[string][]map[string]any
	if err := json.Unmarshal(got.Raw, &raw); err != nil || len(raw["transactions"]) != 1 || raw["transactions"][0]["result"] == nil || len(raw["chargebacks"]) != 1 {
		t.Errorf("raw is not what came: %v", err)
	}
	q := d.seen[0].URL.Query()
	if q.Get("startTime") != "2026-01-31T12:00:00" || q.Get("endTime") != "2026-03-02T12:00:00" || q.Get("pageIndex") != "1" {
		t.Errorf("asked for %v", q)
	}
}

func TestFetchMerchant(t *testing.T) {
	for _, announced := range []string{"12345", ""} {
		got, err := merchantOf(t, usual(t), announced)
		if err != nil {
			t.Fatal(err)
		}
		if want := (oauth.Merchant{ID: "12345", Gateways: []string{"12345001", "12345002"}}); !cmp.Equal(got.Data, want) || got.Partial {
			t.Errorf("announced %q: %+v, partial %v", announced, got.Data, got.Partial)
		}
	}
}

// The path of the transactions is an assumption. Where it is not there, the chargebacks are shown, as not everything.
func TestMissingTransactionsPathLeavesTheChargebacks(t *testing.T) {
	d := usual(t)
	delete(d.serve, "/openApi/transactions")
	flow, err := flowOf(t, d)
	if err != nil || len(flow.Data) != 1 || flow.Data[0].Kind != "chargeback" || !flow.Partial {
		t.Errorf("flow = %+v, %v", flow, err)
	}
	merchant, err := merchantOf(t, d, "12345")
	if err != nil || !slices.Equal(merchant.Data.Gateways, []string{"12345001"}) || !merchant.Partial {
		t.Errorf("merchant = %+v, %v", merchant, err)
	}
	d.serve["/openApi/transactions"] = oauthtest.Says(500, "")
	_, err = flowOf(t, d)
	oauthtest.WantKind(t, "transactions fail", err, oauth.Upstream)
}

// shelf holds n transactions and gives them by the page.
func shelf(t testing.TB, n int, total string, stuck bool) *desk {
	t.Helper()
	d := &desk{serve: map[string]http.HandlerFunc{"/openApi/chargebacks": oauthtest.Says(200, oauthtest.Fixture(t, "empty.json"))}}
	d.serve["/openApi/transactions"] = func(w http.ResponseWriter, r *http.Request) {
		index, _ := strconv.Atoi(r.URL.Query().Get("pageIndex"))
		size, _ := strconv.Atoi(r.URL.Query().Get("pageSize"))
		if stuck {
			index = 1
		}
		var rows []string
		for i := (index - 1) * size; i < min(index*size, n); i++ {
			rows = append(rows, fmt.Sprintf(`{"gatewayNo":"12345001","tradeNo":"T%d","orderAmount":"1.00","orderCurrency":"USD"}`, i))
		}
		oauthtest.Says(200, `{"code":"00000","data":{"page":{"total":`+total+`,"list":[`+strings.Join(rows, ",")+`]}}}`)(w, r)
	}
	return d
}

func TestPaging(t *testing.T) {
	for name, tc := range map[string]struct {
		rows    int
		total   string
		stuck   bool
		entries int
		calls   int // chargebacks' one included
		partial bool
	}{
		"none":                       {0, "0", false, 0, 2, false},
		"one page":                   {100, "100", false, 100, 2, false},
		"two pages":                  {101, `"101"`, false, 101, 3, false},
		"as many as we read":         {500, "500", false, 500, 6, false},
		"more than we read":          {501, "501", false, 500, 6, true},
		"total is not told":          {100, "null", false, 100, 2, false},
		"total promises too much":    {100, "250", false, 100, 3, true},
		"the page number is ignored": {300, "300", true, 100, 3, true},
	} {
		d := shelf(t, tc.rows, tc.total, tc.stuck)
		got, err := flowOf(t, d)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got.Data) != tc.entries || len(d.paths()) != tc.calls || got.Partial != tc.partial {
			t.Errorf("%s: %d entries after %d calls, partial %v", name, len(got.Data), len(d.paths()), got.Partial)
		}
	}
}

func TestAmountsAreExactOrRefused(t *testing.T) {
	for value, want := range map[string]string{
		`"10.10"`: "10.1", `10.10`: "10.1", `9007199254740993.01`: "9007199254740993.01", `"-5.00"`: "-5", `0`: "0", `1e2`: "100",
		`"1e309"`: "", `1e999999999`: "", `1e-999999999`: "", `"NaN"`: "", `"1,288.50"`: "", `"USD 5"`: "", `null`: "", `""`: "", `{}`: "",
		`"` + strings.Repeat("9", 41) + `"`: "",
	} {
		d := usual(t)
		d.serve["/openApi/chargebacks"] = oauthtest.Says(200, oauthtest.Fixture(t, "empty.json"))
		d.serve["/openApi/transactions"] = oauthtest.Says(200, `{"code":"00000","data":{"page":{"list":[{"tradeNo":1234567890123456789,"orderAmount":`+value+`}]}}}`)
		got, err := flowOf(t, d)
		if want == "" {
			oauthtest.WantKind(t, value, err, oauth.BadResponse)
			continue
		}
		if err != nil || !got.Data[0].Amount.Amount.Equal(decimal.RequireFromString(want)) || got.Data[0].ID != "1234567890123456789" {
			t.Errorf("%s: %+v, %v", value, got.Data, err)
		}
	}
}

func TestTimes(t *testing.T) {
	for value, want := range map[string]string{
		`"2026-03-01T00:15:09"`: "2026-02-28T16:15:09Z", `"2026-03-01 00:15:09"`: "2026-02-28T16:15:09Z", `"2026-03-01T00:15:09+00:00"`: "2026-03-01T00:15:09Z",
		`"2026-03-01"`: "2026-02-28T16:00:00Z", `1772295309000`: "2026-02-28T16:15:09Z", `"1772295309000"`: "2026-02-28T16:15:09Z",
		`"yesterday"`: "0001-01-01T00:00:00Z", `null`: "0001-01-01T00:00:00Z", `17`: "0001-01-01T00:00:00Z",
	} {
		d := usual(t)
		d.serve["/openApi/chargebacks"] = oauthtest.Says(200, oauthtest.Fixture(t, "empty.json"))
		d.serve["/openApi/transactions"] = oauthtest.Says(200, `{"code":"00000","data":{"page":{"list":[{"orderAmount":"1","tradeDate":`+value+`}]}}}`)
		got, err := flowOf(t, d)
		if err != nil || !got.Data[0].OccurredAt.Equal(at(want)) {
			t.Errorf("%s: %+v, %v", value, got.Data, err)
		}
	}
}
