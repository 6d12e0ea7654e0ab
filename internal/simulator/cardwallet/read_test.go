package cardwallet

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestRead_Refusals(t *testing.T) {
	w := newWorld(t)
	access, p := w.access(0), DefaultPaths()
	json, bearer := []string{"Content-Type", "application/json"}, []string{"Authorization", "Bearer " + access}
	for _, path := range []string{p.Merchant, p.Wallet, p.Flow} {
		for name, tc := range map[string]struct {
			method, query, body string
			header              []string
			code                string
		}{
			"as it should be":    {"POST", "", "{}", append(json, bearer...), "200"},
			"bearer in small":    {"POST", "", "{}", append(json, "Authorization", "bearer "+access), "200"},
			"charset named":      {"POST", "", " {} ", append(bearer, "Content-Type", "application/json; charset=utf-8"), "200"},
			"GET":                {"GET", "", "", bearer, "405"},
			"parameters outside": {"POST", "?pageNum=1", "{}", append(json, bearer...), "400"},
			"no token":           {"POST", "", "{}", json, "401"},
			"token alone":        {"POST", "", "{}", append(json, "Authorization", access), "401"},
			"Basic":              {"POST", "", "{}", append(json, "Authorization", "Basic "+access), "401"},
			"unknown token":      {"POST", "", "{}", append(json, "Authorization", "Bearer x"), "401"},
			"plus lost":          {"POST", "", "{}", append(json, "Authorization", "Bearer "+strings.ReplaceAll(access, "+", " ")), "401"},
			"two tokens":         {"POST", "", "{}", append(append(json, bearer...), bearer...), "401"},
			"a form":             {"POST", "", "a=b", append(bearer, "Content-Type", "application/x-www-form-urlencoded"), "415"},
			"no body":            {"POST", "", "", append(json, bearer...), "400"},
			"a list":             {"POST", "", "[]", append(json, bearer...), "400"},
			"null":               {"POST", "", "null", append(json, bearer...), "400"},
		} {
			a := w.do(tc.method, path+tc.query, tc.body, tc.header...)
			if a.Code != tc.code || a.Success != (tc.code == "200") {
				t.Errorf("%s, %s: %s", path, name, a.Text)
			}
		}
	}
	w.want(w.do("POST", "/api/open/card/detail", "{}").Status, 404, "an address that is none")
}

func TestMerchant_Detail(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{}
	for i, c := range w.sim.Clients() {
		d := w.read(DefaultPaths().Merchant, w.access(i), "{}").data()
		id, ok := d["id"].(json.Number)
		if !ok || len(id) != 19 || seen[id.String()] || d["clientId"] != c.ClientID || d["merchantName"] != c.Business.ZH {
			t.Errorf("merchant %d: %v", i, d)
		}
		seen[id.String()] = true
		company, ok := d["merchantCompany"].(map[string]any)
		if !ok || company["companyName"] == "" {
			t.Errorf("merchant %d: company %v", i, company)
		}
	}
	if len(seen) < 3 {
		t.Errorf("%d merchants", len(seen))
	}
}

// sum adds up amounts exactly.
func sum(t *testing.T, texts ...any) *big.Rat {
	t.Helper()
	total := new(big.Rat)
	for _, text := range texts {
		r, ok := new(big.Rat).SetString(fmt.Sprint(text))
		if !ok {
			t.Fatalf("%v is no amount", text)
		}
		total.Add(total, r)
	}
	return total
}

func TestWallet_AddsUp(t *testing.T) {
	w := newWorld(t)
	frozen := false
	for _, shift := range []time.Duration{0, 4*24*time.Hour + 6*time.Hour, 200 * 24 * time.Hour} { // on a Friday evening a withdrawal is under way
		w.sim.Clock.Shift(shift)
		for i, m := range w.sim.people {
			for _, k := range m.Wallets {
				d := w.read(DefaultPaths().Wallet, w.access(i), fmt.Sprintf(`{"walletId":%d}`, k.ID)).data()
				if d["walletId"] != json.Number(fmt.Sprint(k.ID)) || d["currency"] != k.Currency {
					t.Fatalf("%v", d)
				}
				if sum(t, d["availableBalance"], d["frozenBalance"]).Cmp(sum(t, d["totalBalance"])) != 0 || sum(t, d["availableBalance"]).Sign() <= 0 {
					t.Errorf("%v does not add up", d)
				}
				frozen = frozen || sum(t, d["frozenBalance"]).Sign() > 0
				flow := w.read(DefaultPaths().Flow, w.access(i), fmt.Sprintf(`{"walletId":"%d","pageSize":1}`, k.ID)).data()
				newest, ok := flow["list"].([]any)
				if !ok || len(newest) != 1 {
					t.Fatalf("%v", flow)
				}
				if row := newest[0].(map[string]any); sum(t, row["balanceAfter"]).Cmp(sum(t, d["availableBalance"])) != 0 {
					t.Errorf("after %v there is %v", row, d)
				}
			}
		}
	}
	if !frozen {
		t.Error("no withdrawal is ever under way")
	}
}

func TestWallet_WhichOne(t *testing.T) {
	w := newWorld(t)
	info := DefaultPaths().Wallet
	w.want(w.read(info, w.access(1), `{}`).data()["currency"], "USDT", "the main one")
	w.want(w.read(info, w.access(1), `{"currency":"HKD"}`).data()["currency"], "HKD", "by currency")
	w.want(w.read(info, w.access(0), `{"walletId":"1987654321098765511"}`).Code, "404", "somebody else's")
	w.want(w.read(info, w.access(0), `{"walletId":{}}`).Code, "400", "of a wrong type")
	a := w.read(info, w.access(3), `{}`)
	w.want(a.Success && string(a.Data) == "null", true, "a merchant without a wallet")
	w.want(w.read(info, w.access(2), `{}`).data()["status"], "FROZEN", "a frozen merchant's")
}

func TestFlow_Pages(t *testing.T) {
	w := newWorld(t)
	page := func(body string) map[string]any {
		t.Helper()
		a := w.read(DefaultPaths().Flow, w.access(0), body)
		if !a.Success {
			t.Fatalf("%s: %s", body, a.Text)
		}
		return a.data()
	}
	seen, last := map[string]bool{}, "9999"
	var total int
	for index := 1; ; index++ {
		d := page(fmt.Sprintf(`{"pageNum":%d,"pageSize":50}`, index))
		n, err := d["total"].(json.Number).Int64()
		rows := d["list"].([]any)
		if total = int(n); err != nil || len(rows) == 0 {
			break
		}
		for _, r := range rows {
			row := r.(map[string]any)
			id, at := row["id"].(json.Number).String(), row["createTime"].(string)
			if len(id) != 19 || seen[id] || at > last || (row["direction"] == "OUT") != strings.HasPrefix(row["amount"].(string), "-") {
				t.Errorf("row %v after %s", row, last)
			}
			seen[id], last = true, at
		}
	}
	if len(seen) != total || total < 200 {
		t.Errorf("%d rows of %d", len(seen), total)
	}
	w.want(page(`{"pageSize":1000}`)["pageSize"], json.Number("100"), "the largest page")
	w.want(page(`{}`)["pageSize"], json.Number("20"), "a page nobody chose")
	w.want(fmt.Sprint(page(`{"pageNo":"2","size":"7"}`)["list"]), fmt.Sprint(page(`{"current":2,"limit":7}`)["list"]), "by other names")
	day := page(`{"startTime":"2026-03-10 00:00:00","endTime":"2026-03-10 23:59:59","pageSize":100}`)["list"].([]any)
	for _, r := range day {
		if at := r.(map[string]any)["createTime"].(string); !strings.HasPrefix(at, "2026-03-10 ") {
			t.Errorf("%s is of another day", at)
		}
	}
	for _, body := range []string{`{"pageNum":0}`, `{"pageNum":"x"}`, `{"pageSize":-1}`, `{"startTime":"2026-03-10"}`, `{"endTime":17}`, `{"pageNum":1.5}`} {
		w.want(w.read(DefaultPaths().Flow, w.access(0), body).Code, "400", body)
	}
	before := fmt.Sprint(page(`{"pageSize":5}`)["list"])
	w.sim.Clock.Shift(30 * time.Second)
	w.want(fmt.Sprint(page(`{"pageSize":5}`)["list"]), before, "the same half a minute later")
}

func TestPaths_CanBeMoved(t *testing.T) {
	w := newWorld(t)
	a := w.do("PUT", "/_control/paths", `{"merchant":"/m","wallet":"/v2/w","flow":"/f"}`, "Content-Type", "application/json")
	w.want(a.Status, 200, "moving")
	w.want(w.read("/v2/w", w.access(0), "{}").Code, "200", "the new address")
	w.want(w.read(DefaultPaths().Wallet, w.access(0), "{}").Status, 404, "the old one")
	for _, body := range []string{
		`{"merchant":"/m","wallet":"/m","flow":"/f"}`, `{"merchant":"","wallet":"/w","flow":"/f"}`, `{"merchant":"/_faults","wallet":"/w","flow":"/f"}`,
		`{"merchant":"` + tokenPath + `","wallet":"/w","flow":"/f"}`, `{"merchant":"/a?b","wallet":"/w","flow":"/f"}`, `{"merchant":"http://x/a","wallet":"/w","flow":"/f"}`, `{"x":1}`,
	} {
		w.want(w.do("PUT", "/_control/paths", body, "Content-Type", "application/json").Status, 422, body)
	}
}
