package bench

import "slices"

// Group is the heading a fault stands under.
type Group int

// The groups, in the order of the page.
const (
	Transport  Group = iota // what the network and the machine do
	Return                  // what comes back on the redirect
	Credential              // codes and tokens
	Variant                 // lawful readings of an unclear document: no fault, but a client must take them all
)

// Title is the group's heading.
func (g Group) Title() Text {
	switch g {
	case Transport:
		return Text{"网络与服务器", "Network and server"}
	case Return:
		return Text{"授权返回", "The way back"}
	case Credential:
		return Text{"授权码与令牌", "Codes and tokens"}
	default:
		return Text{"文档的其他读法", "Other readings of the documents"}
	}
}

// Value is the number that a fault can be given.
type Value struct {
	Unit    Text `json:"unit"`
	Default int  `json:"default"`
	Max     int  `json:"max"`
}

// Fault is one entry of the menu.
type Fault struct {
	Name     string  `json:"name"`
	Group    Group   `json:"-"`
	Title    Text    `json:"title"`
	Sentence Text    `json:"sentence"`
	Stages   []Stage `json:"stages"`          // where it can happen
	Value    *Value  `json:"value,omitempty"` // nil: it takes no number
}

// The names of the faults that every provider has.
const (
	FaultSlow        = "slow"
	FaultHang        = "hang"
	FaultServerError = "server_error"
	FaultHTML        = "html"
	FaultTruncated   = "truncated"
	FaultHuge        = "huge"
	FaultGzipBomb    = "gzip_bomb"
	FaultRateLimited = "rate_limited"
	FaultNotSuccess  = "success_false"
	FaultElsewhere   = "redirect_elsewhere"
	FaultClockAhead  = "clock_ahead"
	FaultClockBehind = "clock_behind"
)

// commonFaults are the faults that every provider has.
func commonFaults() []Fault {
	all, calls := []Stage{Authorize, Token, Read}, []Stage{Token, Read}
	return append([]Fault{
		{
			FaultSlow, Transport, Text{"回答缓慢", "Slow answer"},
			Text{"请求照常处理，但回答延迟送出。客户端若先放弃，授权码仍已被使用。",
				"The work is done at once, the answer comes late. If the client gives up first, its code is spent all the same."},
			all, &Value{Text{"毫秒", "ms"}, 3000, 120_000},
		},
		{
			FaultHang, Transport, Text{"不回答", "No answer"},
			Text{"接受请求后保持连接，不处理也不回答，直到客户端离开或两分钟过去。",
				"The request is taken and nothing follows, until the client leaves or two minutes have passed. Nothing is done."},
			all, nil,
		},
		{
			FaultServerError, Transport, Text{"服务器错误 500", "Server error 500"},
			Text{"以 500 和一个 HTML 错误页回答，请求未被处理。", "Answers 500 with an HTML error page; the request is not carried out."},
			all, nil,
		},
		{
			FaultRateLimited, Transport, Text{"请求过多 429", "Too many requests 429"},
			Text{"以 429 和 Retry-After 回答，请求未被处理。", "Answers 429 with Retry-After; the request is not carried out."},
			all, &Value{Text{"秒", "s"}, 30, 86_400},
		},
	}, callFaults(calls)...)
}

// callFaults are those that only a machine's call can meet, not a page.
func callFaults(calls []Stage) []Fault {
	return []Fault{
		{
			FaultHTML, Transport, Text{"返回网页", "A web page instead"},
			Text{"以 200 返回一个维护页面，而不是数据。", "Answers 200 with a maintenance page instead of data."},
			calls, nil,
		},
		{
			FaultTruncated, Transport, Text{"回答被截断", "Answer cut short"},
			Text{"请求已处理，但回答只送出前一半。", "The work is done, but only the first half of the answer is sent."},
			calls, nil,
		},
		{
			FaultHuge, Transport, Text{"回答过大", "Huge answer"},
			Text{"回答一个极大的 JSON，请求未被处理。", "Answers with an enormous JSON text; the request is not carried out."},
			calls, &Value{Text{"MiB", "MiB"}, 16, 1024},
		},
		{
			FaultGzipBomb, Transport, Text{"压缩炸弹", "Gzip bomb"},
			Text{"回答很小，解压后极大，请求未被处理。", "A small answer that grows enormous when it is unpacked; the request is not carried out."},
			calls, &Value{Text{"MiB", "MiB"}, 64, 1024},
		},
		{
			FaultNotSuccess, Transport, Text{"200 但未成功", "200, but no success"},
			Text{"HTTP 状态为 200，正文却是 success=false。", "The status is 200, the body says success=false."},
			calls, nil,
		},
		{
			FaultElsewhere, Transport, Text{"跳转到别处", "Redirect elsewhere"},
			Text{"以 302 指向另一个主机名；谁跟随了跳转，会记在下面的调用记录里。",
				"Answers 302 to another host name. Whoever follows is written down in the list of calls below."},
			calls, nil,
		},
		{
			FaultClockAhead, Transport, Text{"时钟快了", "Clock ahead"},
			Text{"这个模拟器的时钟（包括 Date 头）走快。", "The simulator's clock, and its Date header, run ahead."},
			calls, &Value{Text{"分钟", "min"}, 40, 1440},
		},
		{
			FaultClockBehind, Transport, Text{"时钟慢了", "Clock behind"},
			Text{"这个模拟器的时钟（包括 Date 头）走慢。", "The simulator's clock, and its Date header, run behind."},
			calls, &Value{Text{"分钟", "min"}, 40, 1440},
		},
	}
}

// allows says whether the fault can happen at a stage.
func (f Fault) allows(stage Stage) bool { return slices.Contains(f.Stages, stage) }
