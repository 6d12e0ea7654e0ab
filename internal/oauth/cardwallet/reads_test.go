package cardwallet_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
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

// says in the envelope.
func holds(data string) http.HandlerFunc {
	return oauthtest.Says(200, `{"success":true,"code":"200","message":"操作成功","data":`+data+`}`)
}

func names(all []oauth.Unmapped) string {
	var list []string
	for _, u := range all {
		list = append(list, u.Name+"="+u.Value.Reveal())
	}
	return strings.Join(list, " ")
}

func merchantOf(t testing.TB, d *desk) (oauth.Reading[oauth.Merchant], error) {
	t.Helper()
	return open(t, d, nil).(oauth.MerchantFetcher).FetchMerchant(t.Context(), credential())
}

func companyOf(t testing.TB, d *desk) (oauth.Reading[oauth.Company], error) {
	t.Helper()
	return open(t, d, nil).(oauth.CompanyFetcher).FetchCompany(t.Context(), credential())
}

func walletsOf(t testing.TB, d *desk) (oauth.Reading[[]oauth.Wallet], error) {
	t.Helper()
	return open(t, d, nil).(oauth.WalletFetcher).FetchWallets(t.Context(), credential())
}

func flowOf(t testing.TB, d *desk) (oauth.Reading[[]oauth.FlowEntry], error) {
	t.Helper()
	return open(t, d, nil).(oauth.WalletFlowFetcher).FetchWalletFlow(t.Context(), credential())
}

func TestFetchMerchant(t *testing.T) {
	got, err := merchantOf(t, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(oauth.Merchant{ID: "1958203847561029384", Name: "晨光数字科技", Status: "NORMAL"}, got.Data); diff != "" {
		t.Error(diff)
	}
	want := "level=3 merchantPerson.contactName=李工 merchantPerson.email=li@merchant.example shareholders.1.name=陈晨 shareholders.1.ratio=60"
	if text := names(got.Unmapped); text != want {
		t.Errorf("unmapped %q", text)
	}
	if fmt.Sprint(got.Unmapped[1].Value) == "李工" {
		t.Error("what nobody knows is shown unmasked")
	}
	if !json.Valid(got.Raw) || got.SourceZone != "Asia/Shanghai" {
		t.Errorf("raw %s, zone %s", got.Raw, got.SourceZone)
	}
}

func TestFetchCompany(t *testing.T) {
	got, err := companyOf(t, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	want := oauth.Company{
		Name: "深圳晨光数字科技有限公司", Type: "LIMITED", TaxNumber: "91440300MA5CANARY1", Address: "深圳市南山区科技园 1 号",
		LegalPerson: "陈晨", LegalPhone: "13800000170", Registered: at("2019-05-19T16:00:00Z"),
		Province: "广东省", City: "深圳市", Zone: "南山区", Phone: "0755-26000001",
	}
	if diff := cmp.Diff(want, got.Data); diff != "" {
		t.Error(diff)
	}
	if text := names(got.Unmapped); text != "merchantCompanyDto.businessScope=软件开发 merchantLegalInfo.idCardNo=440300199001010011" {
		t.Errorf("unmapped %q", text)
	}
}

// No field is documented: every likely name, spelling and place is one reading, and an answer of strangers is shown.
func TestMerchantByOtherNames(t *testing.T) {
	for data, want := range map[string]oauth.Merchant{
		`{"id":"9007199254740993001","name":"A","state":1}`:                       {ID: "9007199254740993001", Name: "A", Status: "1"},
		`{"merchant_id":"7","merchant_name":"A","merchant_status":"ok"}`:          {ID: "7", Name: "A", Status: "ok"},
		`{"detail":{"MerchantID":"7","companyName":"B"}}`:                         {ID: "7", Name: "B"},
		`{"company":{"id":"8","name":"B"},"merNo":"7"}`:                           {ID: "7", Name: "B"},
		`{"id":"7","legalInfo":{"name":"C","status":"x"},"cards":[{"name":"D"}]}`: {ID: "7"},
		`{"foo":"bar"}`: {},
		`{}`:            {},
	} {
		d := usual(t)
		d.serve[merchantPath] = holds(data)
		got, err := merchantOf(t, d)
		if err != nil || !cmp.Equal(got.Data, want) {
			t.Errorf("%s: %+v, %v", data, got.Data, err)
		}
	}
	d := usual(t)
	d.serve[merchantPath] = holds(`{"companyName":"B","legalPerson":"C","legalPhone":"1","unifiedSocialCreditCode":"T","companyType":"x","companyAddress":"y"}`)
	got, err := companyOf(t, d)
	want := oauth.Company{Name: "B", LegalPerson: "C", LegalPhone: "1", TaxNumber: "T", Type: "x", Address: "y"}
	if err != nil || !cmp.Equal(got.Data, want) {
		t.Errorf("flat: %+v, %v", got.Data, err)
	}
	for _, data := range []string{`[]`, `"x"`, `7`} {
		d.serve[merchantPath] = holds(data)
		_, err := merchantOf(t, d)
		oauthtest.WantKind(t, data, err, oauth.BadResponse)
	}
}

func TestFetchWallets(t *testing.T) {
	got, err := walletsOf(t, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []oauth.Wallet{
		{Available: money("10250.75", "USD"), Frozen: money("120.25", "USD"), Total: money("10371.00", "USD")},
		{Available: money("9007199254740993.01", "EUR"), Frozen: money("0", "EUR"), Total: money("9007199254740993.01", "EUR")},
	}
	if diff := cmp.Diff(want, got.Data); diff != "" || got.Partial {
		t.Error(diff, got.Partial)
	}
	if text := names(got.Unmapped); text != "USD.status=OPEN USD.walletNo=W1001 EUR.walletNo=W1002" {
		t.Errorf("unmapped %q", text)
	}
}

func TestWalletsByOtherNames(t *testing.T) {
	for data, want := range map[string][3]string{ // available, frozen, total
		`{"balance":"10"}`:                                              {"10", "0", "10"},
		`{"balance":"10","frozenBalance":"2"}`:                          {"10", "2", "12"},
		`{"balance":"10","availableBalance":"8"}`:                       {"8", "2", "10"},
		`{"balance":"10","availableBalance":"8","freezeBalance":"2"}`:   {"8", "2", "10"},
		`{"totalBalance":"10","frozenAmount":"2"}`:                      {"8", "2", "10"},
		`{"total_balance":"10","available_balance":"8"}`:                {"8", "2", "10"},
		`{"available":8,"frozen":2,"total":10}`:                         {"8", "2", "10"},
		`{"walletInfo":{"availableBalance":"8"}}`:                       {"8", "0", "8"},
		`{"total":1,"list":[{"availableBalance":"8"}]}`:                 {"8", "0", "8"},
		`{"page":{"total":1,"records":[{"balance":"8","frozen":"1"}]}}`: {"8", "1", "9"},
		`{"wallets":[{"balance":"-8"}]}`:                                {"-8", "0", "-8"},
	} {
		d := usual(t)
		d.serve[walletPath] = holds(data)
		got, err := walletsOf(t, d)
		expected := []oauth.Wallet{{Available: money(want[0], ""), Frozen: money(want[1], ""), Total: money(want[2], "")}}
		if diff := cmp.Diff(expected, got.Data); err != nil || diff != "" || got.Partial {
			t.Errorf("%s: %v %v %v", data, diff, err, got.Partial)
		}
	}
}

// A row that names no amount is shown as it came, and never as a balance of nothing.
func TestWalletsOfStrangers(t *testing.T) {
	d := usual(t)
	d.serve[walletPath] = holds(`[{"currency":"USD","kontostand":"8.00"},{"currency":"EUR","balance":"1"}]`)
	got, err := walletsOf(t, d)
	if err != nil || len(got.Data) != 1 || !got.Partial || names(got.Unmapped) != "USD.kontostand=8.00" {
		t.Errorf("%+v, %v, %v", got.Data, names(got.Unmapped), err)
	}
	d.serve[walletPath] = holds(`{"total":3,"list":[{"balance":"1"}]}`)
	if got, err = walletsOf(t, d); err != nil || !got.Partial {
		t.Errorf("one of three: %+v, %v", got, err)
	}
	d.serve[walletPath] = holds(`[]`)
	if got, err = walletsOf(t, d); err != nil || got.Data == nil || len(got.Data) != 0 || got.Partial {
		t.Errorf("none: %+v, %v", got, err)
	}
	for _, data := range []string{`"x"`, `{"balance":"1,000"}`, `{"balance":"NaN"}`, `{"balance":1e999999999}`, `[{"balance":"` + strings.Repeat("9", 41) + `"}]`} {
		d.serve[walletPath] = holds(data)
		_, err := walletsOf(t, d)
		oauthtest.WantKind(t, data[:min(len(data), 40)], err, oauth.BadResponse)
	}
}

func TestFetchWalletFlow(t *testing.T) {
	d := usual(t)
	got, err := flowOf(t, d)
	if err != nil {
		t.Fatal(err)
	}
	want := []oauth.FlowEntry{
		{ID: "1958203847561029002", Kind: "card_pay", Amount: money("-12.5", "USD"), Status: "success", Reason: "card ending 4242", OccurredAt: at("2026-03-01T01:00:00Z")},
		{ID: "1958203847561029001", Kind: "recharge", OrderNo: "R-1", Amount: money("500.00", "USD"), Status: "success", OccurredAt: at("2026-02-28T16:15:09Z")},
	}
	if diff := cmp.Diff(want, got.Data); diff != "" || got.Partial {
		t.Error(diff, got.Partial)
	}
	if text := names(got.Unmapped); text != "channel=bank" {
		t.Errorf("unmapped %q, want one example of each", text)
	}
	var raw []map[string]any
	if err := json.Unmarshal(got.Raw, &raw); err != nil || len(raw) != 1 || raw[0]["success"] != true {
		t.Errorf("raw is not what came: %s", got.Raw)
	}
	asked := d.calls(flowPath)[0]
	var q map[string]int
	if err := json.Unmarshal([]byte(asked.body), &q); err != nil || q["pageNum"] != 1 || q["pageNo"] != 1 || q["current"] != 1 || q["pageSize"] != 100 || q["size"] != 100 {
		t.Errorf("asked for %s", asked.body)
	}
}

func TestFlowInOtherEnvelopes(t *testing.T) {
	row := `{"id":"1","type":"IN","amount":"1"}`
	for _, data := range []string{
		`[` + row + `]`, `{"list":[` + row + `]}`, `{"records":[` + row + `],"total":1}`, `{"rows":[` + row + `],"total":"1"}`,
		`{"flow_items":[` + row + `]}`, `{"pageInfo":{"total":1,"list":[` + row + `]}}`, `{"result":{"records":[` + row + `]}}`,
		`{"stroemung":[` + row + `]}`, `{"total":1,"items":[` + row + `],"cards":[]}`,
	} {
		d := usual(t)
		d.serve[flowPath] = holds(data)
		got, err := flowOf(t, d)
		if want := []oauth.FlowEntry{{ID: "1", Kind: "in", Amount: money("1", "")}}; err != nil || !cmp.Equal(got.Data, want) || got.Partial {
			t.Errorf("%s: %+v, %v, partial %v", data, got.Data, err, got.Partial)
		}
	}
	for data, partial := range map[string]bool{`[]`: false, `{"list":null,"total":0}`: false, `[{"note":"no amount"}]`: true, `["x"]`: true} {
		d := usual(t)
		d.serve[flowPath] = holds(data)
		if got, err := flowOf(t, d); err != nil || len(got.Data) != 0 || got.Partial != partial {
			t.Errorf("%s: %+v, %v", data, got, err)
		}
	}
	for _, data := range []string{`{}`, `{"a":[],"b":[]}`, `{"list":[{"amount":"x"}]}`, `7`} {
		d := usual(t)
		d.serve[flowPath] = holds(data)
		_, err := flowOf(t, d)
		oauthtest.WantKind(t, data, err, oauth.BadResponse)
	}
}

func TestFlowTimes(t *testing.T) {
	for value, want := range map[string]string{
		`"2026-03-01 00:15:09"`: "2026-02-28T16:15:09Z", `"2026-03-01T00:15:09"`: "2026-02-28T16:15:09Z", `"2026-03-01T00:15:09+00:00"`: "2026-03-01T00:15:09Z",
		`"2026-03-01"`: "2026-02-28T16:00:00Z", `1772295309000`: "2026-02-28T16:15:09Z", `1772295309`: "2026-02-28T16:15:09Z",
		`"soon"`: "0001-01-01T00:00:00Z", `17`: "0001-01-01T00:00:00Z", `null`: "0001-01-01T00:00:00Z",
	} {
		d := usual(t)
		d.serve[flowPath] = holds(`[{"amount":"1","createTime":` + value + `}]`)
		got, err := flowOf(t, d)
		if err != nil || !got.Data[0].OccurredAt.Equal(at(want)) {
			t.Errorf("%s: %+v, %v", value, got.Data, err)
		}
	}
}

func TestPaging(t *testing.T) {
	for name, tc := range map[string]struct {
		rows    int
		total   string
		stuck   bool
		entries int
		calls   int
		partial bool
	}{
		"one page":                   {100, "100", false, 100, 1, false},
		"two pages":                  {101, `"101"`, false, 101, 2, false},
		"as many as we read":         {500, "500", false, 500, 5, false},
		"more than we read":          {501, "501", false, 500, 5, true},
		"no total, a short page":     {99, "null", false, 99, 1, false},
		"no total, a full page":      {100, "null", false, 100, 2, false},
		"no total, without end":      {700, "null", false, 500, 5, true},
		"total promises too much":    {100, "250", false, 100, 2, true},
		"the page number is ignored": {300, "300", true, 100, 2, true},
	} {
		d := usual(t)
		page := 0
		d.serve[flowPath] = func(w http.ResponseWriter, r *http.Request) {
			if page++; tc.stuck {
				page = 1
			}
			var rows []string
			for i := (page - 1) * 100; i < min(page*100, tc.rows); i++ {
				rows = append(rows, fmt.Sprintf(`{"id":"%d","amount":"1.00"}`, i))
			}
			holds(`{"total":`+tc.total+`,"list":[`+strings.Join(rows, ",")+`]}`)(w, r)
		}
		got, err := flowOf(t, d)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got.Data) != tc.entries || len(d.calls(flowPath)) != tc.calls || got.Partial != tc.partial {
			t.Errorf("%s: %d entries after %d calls, partial %v", name, len(got.Data), len(d.calls(flowPath)), got.Partial)
		}
	}
}

func TestRefusedReads(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		want   oauth.Kind
	}{
		"nothing at the path":         {404, "", oauth.AuthConfig},
		"nothing, by a framework":     {404, `{"timestamp":1,"status":404,"error":"Not Found","path":"/x"}`, oauth.AuthConfig},
		"nothing of this merchant":    {404, `{"success":false,"code":"404"}`, oauth.NotFound},
		"nothing, with status 200":    {200, `{"success":false,"code":"404"}`, oauth.NotFound},
		"400, with status 200":        {200, `{"success":false,"code":"400"}`, oauth.BadRequest},
		"no wallet yet":               {200, `{"success":true,"code":"200","data":null}`, oauth.NotFound},
		"400":                         {400, `{"success":false,"code":"400"}`, oauth.BadRequest},
		"success of another code":     {200, `{"success":true,"code":"1"}`, oauth.Upstream},
		"success without a code":      {200, `{"success":true,"data":[]}`, oauth.BadResponse},
		"no data":                     {200, `{"success":true,"code":"200"}`, oauth.BadResponse},
		"the client is named, a read": {200, `{"success":false,"code":"9","message":"client"}`, oauth.Upstream},
	} {
		d := usual(t)
		d.serve[walletPath] = oauthtest.Says(tc.status, tc.body)
		_, err := walletsOf(t, d)
		oauthtest.WantKind(t, name, err, tc.want)
	}
}

// An answer as large as the limit allows, of nothing but unknown fields, costs neither time nor a page without end.
func TestUnmappedHasAnEnd(t *testing.T) {
	var fields []string
	for i := range 20_000 {
		fields = append(fields, fmt.Sprintf(`"f%d":%q`, i, strings.Repeat("值", 10)))
	}
	fields[0] = `"a":"` + strings.Repeat("长", 1000) + `"`
	d := usual(t)
	d.serve[merchantPath] = holds(`{` + strings.Join(fields, ",") + `}`)
	began := time.Now()
	got, err := merchantOf(t, d)
	if err != nil || len(got.Unmapped) != 60 || time.Since(began) > 2*time.Second {
		t.Fatalf("%d unmapped after %s: %v", len(got.Unmapped), time.Since(began), err)
	}
	if !slices.ContainsFunc(got.Unmapped, func(u oauth.Unmapped) bool { return u.Name == "a" && len([]rune(u.Value.Reveal())) == 200 }) {
		t.Error("a long value is not shortened")
	}
}
