package asiabill

import (
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Paging and the window. The largest page is the one that the documents' own example asks for.
const (
	pageDefault   = 10
	pageMax       = 1000
	windowDefault = 30 * 24 * time.Hour
)

// filter is what a list is asked for.
type filter struct {
	Gateway, OrderNo, TradeNo string
	From, To                  time.Time
	Index, Size               int
}

// parseFilter reads the documented parameters. An empty one counts as not given, as in the documents' example; one that
// the documents do not know is refused, so that a misspelling is found.
func parseFilter(raw string, m merchant, now time.Time, extra []string) (f filter, fault string) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return f, "参数无法解析，请进行 URL 编码 (the query cannot be read)"
	}
	if name, twice := repeated(query); twice {
		return f, "参数重复：" + name + " (given twice)"
	}
	known := append([]string{"gatewayNo", "startTime", "endTime", "orderNo", "tradeNo", "pageIndex", "pageSize"}, extra...)
	for name := range query {
		if !slices.Contains(known, name) {
			return f, "未知参数：" + name + " (unknown parameter)"
		}
	}
	f = filter{Gateway: query.Get("gatewayNo"), OrderNo: query.Get("orderNo"), TradeNo: query.Get("tradeNo")}
	if f.Gateway != "" && !m.owns(f.Gateway) {
		return f, "gatewayNo 不属于该商户 (gatewayNo is not this merchant's)"
	}
	if fault := f.window(query, now); fault != "" {
		return f, fault
	}
	var okIndex, okSize bool
	f.Index, okIndex = bounded(query.Get("pageIndex"), 1, 1_000_000)
	f.Size, okSize = bounded(query.Get("pageSize"), pageDefault, pageMax)
	if !okIndex || !okSize {
		return f, "pageIndex 从 1 开始，pageSize 为 1 到 1000 (wrong paging)"
	}
	return f, ""
}

// window reads startTime and endTime; without them it is the 30 days up to now, or up to endTime.
func (f *filter) window(query url.Values, now time.Time) (fault string) {
	var okFrom, okTo bool
	f.To, okTo = moment(query.Get("endTime"), now)
	f.From, okFrom = moment(query.Get("startTime"), f.To.Add(-windowDefault))
	switch {
	case !okTo:
		return "endTime 格式须为 yyyy-MM-dd'T'HH:mm:ss (wrong form)"
	case !okFrom:
		return "startTime 格式须为 yyyy-MM-dd'T'HH:mm:ss (wrong form)"
	case f.To.Before(f.From):
		return "endTime 早于 startTime (the window ends before it begins)"
	}
	return ""
}

// moment reads a time in the provider's zone, to the letter.
func moment(text string, fallback time.Time) (time.Time, bool) {
	if text == "" {
		return fallback, true
	}
	at, err := time.ParseInLocation(timeLayout, text, zone())
	return at, err == nil && len(text) == len(timeLayout)
}

func bounded(text string, fallback, most int) (int, bool) {
	if text == "" {
		return fallback, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 1 && n <= most
}
