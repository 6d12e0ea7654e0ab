package cardwallet

import (
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"mooring/internal/simulator/bench"
)

// Paging. A page larger than the largest is cut down to it, and the answer says so.
const (
	pageDefault = 20
	pageMax     = 100
)

// query is a read's body.
type query map[string]json.RawMessage

// text gives the first of the fields that is there, as text or number.
func (q query) text(names ...string) (value string, ok bool) {
	for _, name := range names {
		raw, there := q[name]
		if !there || string(raw) == "null" {
			continue
		}
		var n json.Number
		if json.Unmarshal(raw, &value) == nil {
			return value, true
		}
		if json.Unmarshal(raw, &n) == nil {
			return n.String(), true
		}
		return "", false
	}
	return "", true
}

// admit applies every rule that all reads share: method, token, body, in this order.
func (s *Simulator) admit(c *bench.Call) (merchant, query, refusal) {
	none := merchant{}
	if c.Request.Method != http.MethodPost {
		return none, nil, wrongMethod()
	}
	if c.Request.URL.RawQuery != "" {
		return none, nil, refusal{"parameters_in_query", "400", "参数必须放在正文里 (parameters belong in the body)"}
	}
	m, ok := s.bearer(c)
	if !ok {
		return none, nil, refusal{"token_refused", "401", "access_token 无效或已过期 (the access token is not valid)"}
	}
	c.Client(m.ClientID)
	c.Account(m.ClientID)
	if _, off := c.Fault(faultSuspended); off {
		return none, nil, refusal{"client_suspended", "403", "该客户端已停用 (the client is suspended)"}
	}
	kind, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return none, nil, refusal{"wrong_content_type", "415", "正文须为 application/json (wrong content type)"}
	}
	var q query
	if json.Unmarshal(c.Body, &q) != nil || q == nil {
		return none, nil, refusal{"malformed_body", "400", "正文须为 JSON 对象 (the body must be a JSON object)"}
	}
	return m, q, refusal{}
}

// bearer finds the token's holder. The scheme is written in any case, as its type says "bearer".
func (s *Simulator) bearer(c *bench.Call) (merchant, bool) {
	if _, on := c.Fault(faultTokenDead); on {
		return merchant{}, false
	}
	headers := c.Request.Header.Values("Authorization")
	if len(headers) != 1 {
		return merchant{}, false
	}
	scheme, access, ok := strings.Cut(headers[0], " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return merchant{}, false
	}
	return s.holder(access)
}

// merchantDetail handles the merchant's detail.
func (s *Simulator) merchantDetail(c *bench.Call) bench.Answer {
	m, _, no := s.admit(c)
	if no.refused() {
		return say(c, no, nil)
	}
	sh := shapeOf(c)
	c.Outcome("merchant_told")
	if sh.emptyData {
		return say(c, refusal{}, nil)
	}
	return say(c, refusal{}, m.detail(sh))
}

// detail is MerchantDetailVo.
func (m merchant) detail(sh shape) object {
	k := m.Company
	holders := []object{}
	for _, h := range k.Shareholders {
		holders = append(holders, object{{"name", h.Name}, {"shareholdingRatio", h.Ratio}})
	}
	o := object{
		{sh.name("id", "merchantId"), sh.id(m.ID)}, {"clientId", m.ClientID}, {sh.name("merchantName", "name"), m.Name.ZH}, {"status", m.Status},
		{"createTime", m.Since},
		{"merchantCompany", object{
			{"companyName", k.Name}, {"companyNameEn", k.NameEN}, {"companyType", k.Type}, {"registrationNo", k.RegistrationNo}, {sh.name("taxNumber", "taxNo"), k.TaxNo},
			{"country", k.Country}, {"province", k.Province}, {"city", k.City}, {sh.name("address", "registeredAddress"), k.Address}, {"establishDate", k.Established},
			{"shareholders", holders},
		}},
		{"merchantLegalInfo", object{{"legalName", k.LegalName}, {"legalPhone", k.LegalPhone}, {"idNumber", k.LegalIDNo}}},
		{"merchantPerson", object{{"name", m.Person.Name}, {"phone", m.Person.Phone}, {"email", m.Person.Email}}},
	}
	if sh.extraFields {
		o = append(o, field{"riskLevel", "R2"}, field{"settlement", object{{"cycle", "T+1"}, {"minimum", "100.00"}}}, field{"tags", []string{"vip", "<b>bold</b>"}})
	}
	return o
}

// walletInfo handles the wallet's query: the wallet that is asked for, or the main one. A merchant without a wallet is
// told so by data that is null.
func (s *Simulator) walletInfo(c *bench.Call) bench.Answer {
	m, q, no := s.admit(c)
	if no.refused() {
		return say(c, no, nil)
	}
	id, okID := q.text("walletId", "id")
	currency, okCurrency := q.text("currency")
	if !okID || !okCurrency {
		return say(c, refusal{"wrong_parameter", "400", "参数类型不正确 (wrong type of a parameter)"}, nil)
	}
	sh := shapeOf(c)
	c.Outcome("wallet_told")
	list := []object{}
	for _, w := range m.wallets(id, currency) {
		list = append(list, s.walletVo(c, m, w, sh))
	}
	switch {
	case sh.emptyData:
		return say(c, refusal{}, nil)
	case sh.walletList:
		return say(c, refusal{}, list)
	case len(list) == 0 && id+currency != "":
		return say(c, refusal{"wallet_unknown", "404", "钱包不存在 (no such wallet)"}, nil)
	case len(list) == 0:
		return say(c, refusal{}, nil)
	}
	return say(c, refusal{}, list[0])
}

// wallets are those that the question is about.
func (m merchant) wallets(id, currency string) []wallet {
	return slices.DeleteFunc(slices.Clone(m.Wallets), func(w wallet) bool {
		return id != "" && id != strconv.FormatInt(w.ID, 10) || currency != "" && currency != w.Currency
	})
}

// walletVo is OpenWalletInfoVo.
func (s *Simulator) walletVo(c *bench.Call, m merchant, w wallet, sh shape) object {
	_, b := s.walletAt(m, w, c.Now)
	status := "ACTIVE"
	if m.Status == "FROZEN" {
		status = "FROZEN"
	}
	o := object{
		{sh.name("walletId", "id"), sh.id(w.ID)}, {"merchantId", sh.id(m.ID)}, {"currency", w.Currency}, {"status", status},
		{sh.name("availableBalance", "balance"), sh.amount(b.Total-b.Frozen, w.Decimals)},
		{sh.name("frozenBalance", "freezeBalance"), sh.amount(b.Frozen, w.Decimals)},
	}
	if !sh.otherNames {
		o = append(o, field{"totalBalance", sh.amount(b.Total, w.Decimals)})
	}
	o = append(o, field{"createTime", m.Since})
	if sh.extraFields {
		o = append(o, field{"cardCount", w.Cards * 4}, field{"dailyLimit", sh.amount(w.TopUp, w.Decimals)})
	}
	return o
}

// walletAt is a wallet's history and balance with what the callback page moved.
func (s *Simulator) walletAt(m merchant, w wallet, now time.Time) ([]movement, balance) {
	s.mu.Lock()
	extra := slices.Clone(s.state.Moves[m.ClientID])
	s.mu.Unlock()
	return w.history(now, extra)
}

// entry is a movement and the wallet that it is of.
type entry struct {
	movement
	wallet
}

// walletFlow handles the wallet's movements, newest first.
func (s *Simulator) walletFlow(c *bench.Call) bench.Answer {
	m, q, no := s.admit(c)
	if no.refused() {
		return say(c, no, nil)
	}
	sh := shapeOf(c)
	index, size, from, to, ok := q.window(c.Now)
	id, okID := q.text("walletId")
	currency, okCurrency := q.text("currency")
	if !ok || !okID || !okCurrency {
		return say(c, refusal{"wrong_parameter", "400", "参数不正确：页码从 1 开始，时间为 yyyy-MM-dd HH:mm:ss (wrong parameter)"}, nil)
	}
	c.Outcome("flow_told")
	var all []entry
	for _, w := range m.wallets(id, currency) {
		list, _ := s.walletAt(m, w, c.Now)
		for _, move := range list {
			if !move.At.Before(from) && !move.At.After(to) {
				all = append(all, entry{move, w})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return b.At.Compare(a.At) })
	if sh.stuck {
		index = 1
	}
	first := min((index-1)*size, len(all))
	rows := []object{}
	for _, e := range all[first:min(first+size, len(all))] {
		rows = append(rows, e.item(c.Now, sh))
	}
	if sh.emptyData {
		return say(c, refusal{}, nil)
	}
	return say(c, refusal{}, sh.page(index, size, len(all), rows))
}

// item is FlowItem.
func (e entry) item(now time.Time, sh shape) object {
	direction := "IN"
	if e.Units < 0 {
		direction = "OUT"
	}
	o := object{
		{sh.name("id", "flowId"), sh.id(e.movement.ID)}, {"walletId", sh.id(e.wallet.ID)}, {"orderNo", e.OrderNo}, {sh.name("type", "flowType"), e.Type},
		{"direction", direction}, {"amount", sh.amount(e.Units, e.Decimals)}, {"currency", e.Currency}, {"balanceAfter", sh.amount(e.After, e.Decimals)},
		{"status", e.status(now)}, {"remark", e.Remark}, {"createTime", e.At.In(zone()).Format(dataLayout)},
	}
	if sh.extraFields {
		o = append(o, field{"channel", "API"})
	}
	return o
}

// window reads paging and time, by any of the names that such interfaces use.
func (q query) window(now time.Time) (index, size int, from, to time.Time, ok bool) {
	index, ok1 := q.number(1, "pageNum", "pageNo", "current", "page")
	size, ok2 := q.number(pageDefault, "pageSize", "size", "limit")
	oldest := now.Add(-kept)
	from, ok3 := q.moment(oldest, "startTime", "beginTime")
	to, ok4 := q.moment(now, "endTime")
	if from.Before(oldest) {
		from = oldest
	}
	return index, min(size, pageMax), from, to, ok1 && ok2 && ok3 && ok4
}

func (q query) number(fallback int, names ...string) (int, bool) {
	text, ok := q.text(names...)
	if !ok || text == "" {
		return fallback, ok
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 1 && n <= 1_000_000
}

func (q query) moment(fallback time.Time, names ...string) (time.Time, bool) {
	text, ok := q.text(names...)
	if !ok || text == "" {
		return fallback, ok
	}
	at, err := time.ParseInLocation(dataLayout, text, zone())
	return at, err == nil && len(text) == len(dataLayout)
}
