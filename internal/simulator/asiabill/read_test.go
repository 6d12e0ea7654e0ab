package asiabill

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRead_HeaderRules(t *testing.T) {
	w := newWorld(t)
	token := w.access()
	at := func(d time.Duration) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("request-time", noon().Add(d).In(zone()).Format(timeLayout))
		}
	}
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	del := func(name string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(name) } }
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		status int
		code   string
	}{
		{"correct", nil, 200, "00000"},
		{"no authorization", del("authorization"), 400, "40001"},
		{"no request-id", del("request-id"), 400, "40001"},
		{"no request-time", del("request-time"), 400, "40001"},
		{"request-id twice", func(r *http.Request) { r.Header.Add("request-id", "b") }, 400, "40001"},
		{"20 characters", set("request-id", strings.Repeat("x", 20)), 200, "00000"},
		{"21 characters", set("request-id", strings.Repeat("y", 21)), 400, "40002"},
		{"a UUID", set("request-id", "0190a6f2-7c1e-7000-8000-000000000000"), 400, "40002"},
		{"a space", set("request-id", "a b"), 400, "40002"},
		{"29 minutes behind", at(-29 * time.Minute), 200, "00000"},
		{"30 minutes ahead", at(30 * time.Minute), 200, "00000"},
		{"31 minutes behind", at(-31 * time.Minute), 400, "40006"},
		{"31 minutes ahead", at(31 * time.Minute), 400, "40006"},
		{"in UTC", set("request-time", noon().Format(timeLayout)), 400, "40006"},
		{"with a zone", set("request-time", noon().Format(time.RFC3339)), 400, "40005"},
		{"with a fraction", set("request-time", noon().In(zone()).Format(timeLayout)+".123"), 400, "40005"},
		{"with a space", set("request-time", noon().In(zone()).Format(dataLayout)), 400, "40005"},
		{"milliseconds", set("request-time", "1773633600000"), 400, "40005"},
		{"no scheme", set("authorization", token), 401, "40101"},
		{"wrong scheme", set("authorization", "bearer "+token), 401, "40101"},
		{"two spaces", set("authorization", "Bearer  "+token), 401, "40101"},
		{"unknown token", set("authorization", "Bearer INVENTED"), 401, "40101"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := w.reading("/openApi/chargebacks", token, c.change)
			w.want(p.Status, c.status, "status")
			w.want(w.decode(p).Result.Code, c.code, "code")
		})
	}
}

func TestRead_RequestIDIsUniqueFor30Minutes(t *testing.T) {
	w := newWorld(t)
	token := w.access()
	same := func(r *http.Request) { r.Header.Set("request-id", "the-same") }
	w.want(w.reading("/openApi/chargebacks", token, same).Status, http.StatusOK, "first")
	p := w.reading("/openApi/transactions", token, same)
	w.want(w.decode(p).Result.Code, "40003", "again, at another address")
	w.sim.Clock.Shift(29 * time.Minute)
	w.want(w.reading("/openApi/chargebacks", token, same).Status, http.StatusBadRequest, "29 minutes later")
	w.sim.Clock.Shift(30 * time.Minute)
	w.want(w.reading("/openApi/chargebacks", token, same).Status, http.StatusOK, "30 minutes later")
}

func TestRead_TokenExpires(t *testing.T) {
	w := newWorld(t)
	token := w.access()
	w.sim.Clock.Shift(accessLife + time.Second)
	w.want(w.reading("/openApi/chargebacks", token, nil).Status, http.StatusUnauthorized, "after its time")
}

func TestRead_ParametersAndPaging(t *testing.T) {
	w := newWorld(t)
	token := w.access()
	read := func(query string) answer { return w.decode(w.reading("/openApi/transactions?"+query, token, nil)) }
	for name, query := range map[string]string{
		"another merchant's gateway": "gatewayNo=20488001",
		"misspelt":                   "pagesize=5",
		"page 0":                     "pageIndex=0",
		"page size 1001":             "pageSize=1001",
		"start with a space":         "startTime=2026-03-01+00:00:00",
		"end before start":           "startTime=2026-03-10T00:00:00&endTime=2026-03-09T00:00:00",
		"twice":                      "pageIndex=1&pageIndex=2",
	} {
		w.want(read(query).Result.Code, "40004", name)
	}
	all := read("pageSize=1000&uploadGoodsFlag=").Result.Data.Page
	w.want(all.Total, len(all.List), "total")
	var paged []map[string]any
	for index := range 9 {
		part := read(fmt.Sprintf("pageSize=7&pageIndex=%d", index+1)).Result.Data.Page
		w.want(part.PageIndex, index+1, "page index")
		paged = append(paged, part.List...)
	}
	for i, row := range paged {
		w.want(row["tradeNo"], all.List[i]["tradeNo"], "row of the joined pages")
	}
	w.want(len(read("pageIndex=100000").Result.Data.Page.List), 0, "rows beyond the end")
	first := all.List[0]
	one := read("tradeNo=" + text(first["tradeNo"])).Result.Data.Page
	w.want(one.Total, 1, "by tradeNo")
	w.want(one.List[0]["orderNo"], first["orderNo"], "its order")
	w.want(read("orderNo="+text(first["orderNo"])).Result.Data.Page.Total, 1, "by orderNo")
	gateway := read("pageSize=1000&gatewayNo=10231002").Result.Data.Page
	w.want(gateway.Total > 0 && gateway.Total < all.Total, true, "fewer rows for one gateway")
	day := read("startTime=2026-03-15T00:00:00&endTime=2026-03-15T23:59:59&pageSize=100").Result.Data.Page
	for _, row := range day.List {
		w.want(strings.HasPrefix(text(row["tradeDate"]), "2026-03-15 "), true, "a row of that day")
	}
	w.want(day.Total > 0, true, "rows on that day")
}

// text is a value that must be one; anything else matches nothing.
func text(v any) string {
	s, ok := v.(string)
	if !ok {
		return "not a text"
	}
	return s
}

func TestRead_OnlyGET(t *testing.T) {
	w := newWorld(t)
	p := w.reading("/openApi/chargebacks", "x", func(r *http.Request) { r.Method = http.MethodPost })
	w.want(p.Status, http.StatusMethodNotAllowed, "POST")
	w.want(w.get("/openApi/merchant").Status, http.StatusNotFound, "there is no merchant call")
}

func TestData_IsBelievableAndStable(t *testing.T) {
	w := newWorld(t)
	for week := range 12 {
		now := noon().AddDate(0, 0, 5*week)
		for _, m := range w.sim.people {
			month := filter{From: now.Add(-windowDefault), To: now}
			trades, disputes := 0, 0
			seen := map[string]transaction{}
			for _, row := range m.transactions(now) {
				seen[row.TradeNo] = row
				if row.matches(month) {
					trades++
				}
				w.want(m.owns(row.GatewayNo) && strings.HasPrefix(row.GatewayNo, m.No), true, "gateway of "+m.No)
				w.want(len(row.TradeNo), 22, "length of a tradeNo")
				w.want(row.at.After(now), false, "a trade of the future")
			}
			for _, row := range m.chargebacks(now) {
				w.want(row.at.After(now), false, "a chargeback of the future")
				if row.matches(month) {
					disputes++
				}
			}
			if m.Daily == 0 {
				w.want(trades+disputes, 0, "rows of the new merchant")
			} else if trades < 30 || disputes < 1 {
				t.Errorf("%s has %d transactions and %d chargebacks on %s", m.No, trades, disputes, now)
			}
		}
	}
	m, _ := w.sim.find("31760")
	today, tomorrow := m.transactions(noon()), m.transactions(noon().AddDate(0, 0, 2))
	offset := len(tomorrow) - len(today)
	w.want(offset != 0 || tomorrow[0].TradeNo != today[0].TradeNo, true, "time brings new rows")
	for _, old := range today[10:20] {
		found := false
		for _, row := range tomorrow {
			found = found || row.TradeNo == old.TradeNo && row.OrderAmount == old.OrderAmount && row.TradeDate == old.TradeDate
		}
		w.want(found, true, "the past stays as it was: "+old.TradeNo)
	}
}

func TestDecimal(t *testing.T) {
	for _, c := range []struct {
		units    int64
		decimals int
		want     string
	}{{0, 2, "0.00"}, {5, 2, "0.05"}, {1234, 2, "12.34"}, {7800, 0, "7800"}} {
		if got := decimal(c.units, c.decimals); got != c.want {
			t.Errorf("decimal(%d, %d) = %s, want %s", c.units, c.decimals, got, c.want)
		}
	}
}
