package handlers

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// stale makes everybody's proof too old.
func (h *harbour) stale(t *testing.T) {
	t.Helper()
	_, err := h.db.Owner.Exec(t.Context(), `UPDATE sessions SET proved_at = now() - interval '16 minutes'`)
	must(t, err)
}

// told counts events of a kind, and gives the newest one's detail.
func (h *harbour) told(t *testing.T, kind string) (n int, detail string) {
	t.Helper()
	must(t, h.db.Owner.QueryRow(t.Context(),
		`SELECT count(*), coalesce((array_agg(detail::text ORDER BY id DESC))[1], '') FROM events WHERE kind = $1`, kind).Scan(&n, &detail))
	return n, detail
}

// moored is a merchant with a connection whose data has been fetched.
func moored(t *testing.T, fake *oauthtest.Fake) (h *harbour, v *visitor, connection string) {
	t.Helper()
	h = newHarbour(t, "", fake)
	v = h.owner(t, "a@example.com")
	connection = h.connected(t, v, "10001")
	h.work(t)
	return h, v, connection
}

func without(t *testing.T, what string, got answer, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(got.body, text) {
			t.Errorf("%s: the page tells %q:\n%s", what, text, got.body)
		}
	}
}

func TestReveal_IsADeliberateActThatIsToldOf(t *testing.T) {
	t.Parallel()
	h, v, connection := moored(t, &oauthtest.Fake{})
	reveal := connection + "/reveal/company"
	page := v.get(t, connection)
	page.want(t, "the connection", 200, "", `href="`+reveal+`"`)
	without(t, "the connection", page, "91330100MA2canary", "13300000170", `/reveal/wallet"`)

	v.get(t, reveal).want(t, "the question", 200, "", "Why do you want to see them?")
	v.post(t, reveal).want(t, "without a reason", 422, "", "Please choose a reason.")
	v.post(t, reveal, "reason", "other").want(t, "another reason that is not told", 422, "", "say in a few words")
	v.post(t, reveal, "reason", "check", "note", strings.Repeat("x", 201)).want(t, "too many words", 422, "", "200 characters")
	if n, _ := h.told(t, "connection.revealed"); n != 0 {
		t.Fatalf("%d looks were told of before there was one", n)
	}
	shown := v.post(t, reveal, "reason", "law", "note", "the <b>office\x00\n asks")
	shown.want(t, "the values", 200, "", "91330100MA2canary", "13300000170", "Fake Person", "Shown until you leave this page")
	if got := shown.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("the values may be kept: %q", got)
	}
	n, detail := h.told(t, "connection.revealed")
	var told map[string]any
	must(t, json.Unmarshal([]byte(detail), &told))
	if n != 1 || told["provider"] != "fake" || told["block"] != "company" || told["reason"] != "law" || told["note"] != "the <b>office asks" ||
		len(told["fields"].([]any)) != 3 {
		t.Errorf("%d looks, the newest %s", n, detail)
	}
	v.get(t, connection).want(t, "the timeline", 200, "", "Looked at personal values", "For an audit, the tax office or a court (“the &lt;b&gt;office asks”)", "You")
	v.get(t, connection+"?lang=zh-CN").want(t, "the timeline", 200, "", "查看了", "个人信息")
	v.get(t, connection+"?lang=en")

	for _, block := range []string{"wallet", "wallet_flow", "nothing", "%2e%2e"} {
		if got := v.get(t, connection+"/reveal/"+block); got.status != 404 {
			t.Errorf("asking for %s: %d", block, got.status)
		}
	}
	v.post(t, connection+"/reveal/merchant", "reason", "check").want(t, "a block without personal values", 409, "", "no personal values here")
	h.stale(t)
	v.get(t, reveal).want(t, "a stale session", 303, "/prove?next="+strings.ReplaceAll(reveal, "/", "%2F"))
	v.post(t, reveal, "reason", "law").want(t, "a stale session", 303, "/prove?next=%2F")
	if n, _ := h.told(t, "connection.revealed"); n != 1 {
		t.Errorf("%d looks were told of, want one", n)
	}
}

func TestReveal_NothingIsShownThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	h, v, connection := moored(t, &oauthtest.Fake{})
	_, err := h.db.Owner.Exec(t.Context(), `ALTER TABLE events ADD CONSTRAINT no_more CHECK (kind NOT IN ('connection.revealed', 'connection.raw_viewed')) NOT VALID`)
	must(t, err)
	got := v.post(t, connection+"/reveal/company", "reason", "law")
	if got.status != 500 {
		t.Errorf("without its event: %d", got.status)
	}
	without(t, "without its event", got, "91330100MA2canary")
	if got = v.post(t, connection+"/answer/company"); got.status != 500 {
		t.Errorf("the answer without its event: %d", got.status)
	}
	without(t, "the answer without its event", got, "<pre")
}

func TestReveal_WhatTheProviderMasksStaysMasked(t *testing.T) {
	t.Parallel()
	fake := &oauthtest.Fake{OnCompany: func(context.Context, oauth.Credential) (oauth.Reading[oauth.Company], error) {
		return oauth.Reading[oauth.Company]{Raw: json.RawMessage(`{}`), Data: oauth.Company{
			Name: "Pier", TaxNumber: "91330100MA2canary", Masked: map[string]oauth.Masked{"legal_phone": oauth.NewMasked("133****0170")}},
			Unmapped: []oauth.Unmapped{{Name: "company.regNo", Value: "unmapped-canary"}}}, nil
	}}
	h, v, connection := moored(t, fake)
	page := v.post(t, connection+"/reveal/company", "reason", "check")
	page.want(t, "the values", 200, "", "91330100MA2canary", "133****0170", "shown as delivered", "company.regNo", "unmapped-canary")
	if _, detail := h.told(t, "connection.revealed"); !strings.Contains(detail, "unmapped") || strings.Contains(detail, "legal_phone") {
		t.Errorf("told of %s", detail)
	}
}

func TestReveal_EachRole(t *testing.T) {
	t.Parallel()
	h, v, connection := moored(t, &oauthtest.Fake{})
	stranger := h.owner(t, "b@example.com")
	admin := h.staff(t)
	var tenant string
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT tenant_id::text FROM connections`).Scan(&tenant))
	theirs := "/admin/tenants/" + tenant + "/reveal/" + strings.TrimPrefix(connection, "/connections/") + "/company"
	routes := []string{connection + "/reveal/company", connection + "/answer/company"}

	for _, route := range append(routes, connection+"/report", connection+"/label") {
		if !strings.HasSuffix(route, "label") {
			stranger.get(t, route).want(t, "a stranger at "+route, 404, "")
		}
		if !strings.HasSuffix(route, "report") {
			stranger.post(t, route, "reason", "check", "label", "x").want(t, "a stranger at "+route, 404, "")
			admin.post(t, route, "reason", "check").want(t, "staff at "+route, 403, "")
		}
	}
	v.get(t, theirs).want(t, "a merchant at the staff's page", 403, "")
	v.post(t, theirs, "reason", "check").want(t, "a merchant at the staff's page", 403, "")
	admin.get(t, strings.Replace(theirs, tenant, "019a0000-0000-7000-8000-000000000000", 1)).want(t, "another tenant's connection", 404, "")
	admin.post(t, strings.Replace(theirs, tenant, "019a0000-0000-7000-8000-000000000000", 1), "reason", "check").want(t, "another tenant's connection", 404, "")
	for _, kind := range []string{"connection.revealed", "connection.raw_viewed", "connection.labelled"} {
		if n, _ := h.told(t, kind); n != 0 {
			t.Errorf("%d times %s for nobody", n, kind)
		}
	}

	without(t, "the tenant's page", admin.get(t, "/admin/tenants/"+tenant), "91330100MA2canary", "13300000170")
	admin.get(t, "/admin/tenants/"+tenant).want(t, "the tenant's page", 200, "", `href="`+theirs+`"`)
	if n, _ := h.told(t, "tenant.viewed"); n != 1 {
		t.Errorf("two looks in a day are told %d times", n)
	}
	v.get(t, connection).want(t, "the timeline", 200, "", "Platform staff looked at your data")
	admin.get(t, theirs).want(t, "the staff's question", 200, "", "own history, where their people")
	admin.post(t, theirs, "reason", "nonsense").want(t, "the staff without a reason", 422, "", "choose a reason")
	admin.post(t, theirs, "reason", "support", "note", "ticket 7").want(t, "the staff's look", 200, "", "91330100MA2canary")
	v.get(t, "/activity").want(t, "the merchant's history", 200, "", "Looked at personal values", "ticket 7", "Platform staff")
	h.stale(t)
	admin.post(t, theirs, "reason", "support").want(t, "the staff's stale session", 303, "/prove?next=%2F")

	h.demote(t, "a@example.com")
	for _, route := range routes {
		v.get(t, route).want(t, "a viewer", 403, "")
		v.post(t, route, "reason", "check").want(t, "a viewer", 403, "")
	}
	v.post(t, connection+"/label", "label", "x").want(t, "a viewer", 403, "")
	page := v.get(t, connection)
	without(t, "a viewer's page", page, "/reveal/", "/answer/", "/label")
	v.get(t, connection+"/report").want(t, "a viewer's report", 200, "", "state: ")
}

func TestReveal_IsLimited(t *testing.T) {
	t.Parallel()
	h, v, connection := moored(t, &oauthtest.Fake{})
	var person uuid.UUID
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT id FROM users WHERE email = 'a@example.com'`).Scan(&person))
	for range 30 {
		must(t, h.accounts.AllowReveal(t.Context(), person))
	}
	v.post(t, connection+"/reveal/company", "reason", "check").want(t, "the 31st look", 429, "", "30 times within an hour")
	v.post(t, connection+"/answer/company").want(t, "the 31st look", 429, "", "30 times within an hour")
}

func TestAnswer_ShowsTheFormAndNothingElse(t *testing.T) {
	t.Parallel()
	raw := `{"code":"00","message":"for Fake Person","data":{"totalAmount":"1234567.80","currency":"USD","accountId":123456789012,"createTime":"2026-01-02 03:04:05",
		"orderStatus":"13300000170","status":"<script>alert(1)</script>","taxNo":"91330100MA2canary","email":"p@fake.example","someUnknown":"hello",
		"mobile_13300000170":1,"state":"Fake Person","list":[{"status":"open","access_token":"tok-canary"}],"userId":"10001","birthDate":"1990-01-01","ok":true,"none":null}}`
	fake := &oauthtest.Fake{}
	fake.OnCompany = func(_ context.Context, cred oauth.Credential) (oauth.Reading[oauth.Company], error) {
		text := strings.Replace(raw, `"ok":true`, `"type":"`+cred.AccessToken.Reveal()+`","ok":true`, 1)
		return oauth.Reading[oauth.Company]{Raw: json.RawMessage(text), Data: oauth.Company{TaxNumber: "91330100MA2canary", LegalPerson: "Fake Person", LegalPhone: "13300000170"}}, nil
	}
	h, v, connection := moored(t, fake)
	v.get(t, connection+"/answer/company").want(t, "the question", 200, "", "Show the answer")
	if n, _ := h.told(t, "connection.raw_viewed"); n != 0 {
		t.Fatal("a question was told of as a look")
	}
	page := v.post(t, connection+"/answer/company")
	page.want(t, "the answer", 200, "", "1234567.80", "USD", "2026-01-02 03:04:05", "accountId", "&#34;status&#34;: &#34;open&#34;", "access_token", "true", "null", "•••")
	without(t, "the answer", page, append(fake.Issued(), "Fake Person", "13300000170", "91330100MA2canary", "p@fake.example", "tok-canary", "hello",
		"123456789012", "1990-01-01", "<script>alert", "alert(1)")...)
	if n, detail := h.told(t, "connection.raw_viewed"); n != 1 || !strings.Contains(detail, "company") {
		t.Errorf("%d looks, the newest %s", n, detail)
	}
	v.get(t, connection).want(t, "the timeline", 200, "", "Looked at an answer of Fake")
	h.stale(t)
	v.post(t, connection+"/answer/company").want(t, "a stale session", 303, "/prove?next=%2F")
}

func TestReport_HoldsNoValue(t *testing.T) {
	t.Parallel()
	h, v, connection := moored(t, &oauthtest.Fake{})
	v.post(t, connection+"/label", "label", "label-canary").want(t, "naming", 303, connection)
	v.post(t, connection+"/reveal/company", "reason", "other", "note", "note-canary").want(t, "a look", 200, "")
	h.fake.Set(func(f *oauthtest.Fake) {
		f.OnMerchant = func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
			return oauth.Reading[oauth.Merchant]{}, &oauth.Error{Provider: "fake", Kind: oauth.NeedsReauth, Code: "<canary code>"}
		}
	})
	v.post(t, connection+"/sync")
	h.work(t)
	page := v.get(t, connection+"/report")
	page.want(t, "the report", 200, "", "connection: "+strings.TrimPrefix(connection, "/connections/"), "provider: fake", "state: needs_you", "reason: needs_reauth",
		"data.company: fetched=", "event: ", "connection.revealed by=person reason=other", "code=•••", "reference: ")
	report := page.body[strings.Index(page.body, "<pre"):strings.Index(page.body, "</pre>")]
	for _, canary := range append(h.fake.Issued(), "91330100MA2canary", "13300000170", "Fake Person", "Fake Ltd", "person@fake.example", "label-canary",
		"note-canary", "canary code", "a@example.com", "90.10", "10001") {
		if strings.Contains(report, canary) {
			t.Errorf("the report tells %q:\n%s", canary, report)
		}
	}
	v.get(t, connection+"/report?lang=zh-CN").want(t, "the report in Chinese", 200, "", "state: needs_you  # ", "需要")
}

func TestLabel_IsShownWhereverTheAccountIs(t *testing.T) {
	t.Parallel()
	h, v, connection := moored(t, &oauthtest.Fake{})
	v.post(t, connection+"/label", "label", "  Shop <in>\n Bergen\u202e ").want(t, "naming", 303, connection)
	const shown = "Shop &lt;in&gt; Bergen"
	for _, path := range []string{connection, "/connections", "/overview", connection + "/history", connection + "/disconnect"} {
		v.get(t, path).want(t, path, 200, "", shown)
	}
	_, err := h.db.Owner.Exec(t.Context(), `UPDATE connections SET state = 'needs_you', reason = 'needs_reauth'`)
	must(t, err)
	v.get(t, "/activity").want(t, "the banner", 200, "", shown+" · ", "Named account")
	v.post(t, connection+"/label", "label", strings.Repeat("x", 61)).want(t, "too long a name", 422, "", "60 characters")
	v.post(t, connection+"/label", "label", "").want(t, "taking it away", 303, connection)
	page := v.get(t, connection)
	page.want(t, "without a name", 200, "", "Took the name")
	without(t, "without a name", page, `value="Shop`)
	if n, _ := h.told(t, "connection.labelled"); n != 2 {
		t.Errorf("told %d times", n)
	}
}

func TestTimeline_TellsOfLetters(t *testing.T) {
	t.Parallel()
	h, v, connection := moored(t, &oauthtest.Fake{})
	_, err := h.db.Owner.Exec(t.Context(), `
		INSERT INTO notice_letters (tenant_id, user_id, id, event_id, connection_id, kind, key, due_at, status, finished_at)
		SELECT m.tenant_id, m.user_id, gen_random_uuid(), gen_random_uuid(), c.id, 'connection.needs_you', s, now(), s, now()
		  FROM memberships m JOIN connections c ON c.tenant_id = m.tenant_id, unnest(ARRAY['sent', 'moot']) s`)
	must(t, err)
	page := v.get(t, connection)
	page.want(t, "the timeline", 200, "", "A letter was mailed to 1 member: it needs you.")
	if strings.Count(page.body, "was mailed") != 1 {
		t.Error("a letter that was not sent is told of as one that was")
	}
}
