package handlers

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"mooring/internal/connect"
	"mooring/internal/i18n"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

func wordsIn(t *testing.T, lang string) Words {
	t.Helper()
	b, err := i18n.NewBundle()
	must(t, err)
	return Words{b.Printer(lang)}
}

// constants reads the values of typed or named constants from another room's sources, so that a new one cannot be
// forgotten here.
func constants(t *testing.T, glob, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(glob)
	must(t, err)
	var values []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			values = append(values, m[1])
		}
	}
	if len(values) == 0 {
		t.Fatalf("%s matches nothing in %s", pattern, glob)
	}
	return values
}

func TestEveryReasonIsExplained(t *testing.T) {
	reasons := append(constants(t, "../oauth/error.go", `Kind = "(\w+)"`), constants(t, "../connect/connect.go", `Reason\w+\s+= "(\w+)"`)...)
	pier := oauth.Descriptor{Title: oauth.Text{ZH: "码头", EN: "Pier"}}
	for _, lang := range i18n.Languages() {
		w := wordsIn(t, lang)
		for _, reason := range reasons {
			if !w.Has("reason." + reason) {
				t.Errorf("no words for the reason %q", reason)
			}
			for _, r := range []Reason{w.reasonOf(pier, reason, ""), w.attemptReasonOf(pier, reason, "")} {
				if r.What == "" || r.Who == "" || r.Next == "" || strings.Contains(r.What+r.Who+r.Next, "⟨") {
					t.Errorf("%s, %s: %+v", lang, reason, r)
				}
			}
		}
	}
}

func TestEveryAttemptHasWords(t *testing.T) {
	statuses := constants(t, "../models/types.go", `AttemptStatus = "(\w+)"`)
	reasons := append(constants(t, "../oauth/error.go", `Kind = "(\w+)"`), constants(t, "../connect/connect.go", `Reason\w+\s+= "(\w+)"`)...)
	for _, lang := range i18n.Languages() {
		for _, status := range statuses {
			for _, reason := range reasons {
				if status == string(models.Stored) || (status != string(models.Failed) && reason != reasons[0]) {
					continue
				}
				p := AttemptPage{Page: Page{Words: wordsIn(t, lang)}, Attempt: models.Attempt{Status: models.AttemptStatus(status), Reason: reason}}
				p.describe()
				if p.Heading == "" || p.Text == "" || strings.Contains(p.Heading+p.Text, "⟨") {
					t.Errorf("%s %s %s: %q, %q", lang, status, reason, p.Heading, p.Text)
				}
			}
		}
	}
}

// TestEveryEventHasItsSentence finds the kinds where they are written.
func TestEveryEventHasItsSentence(t *testing.T) {
	kinds := constants(t, "../*/*.go", `"((?:connection|attempt|tenant|person)\.[a-z_]+)"`)
	id := uuid.New()
	for _, lang := range i18n.Languages() {
		h := historian{words: wordsIn(t, lang), nameOf: func(models.Event) string { return "x" },
			describe: func(string) (oauth.Descriptor, bool, bool) { return oauth.Descriptor{}, false, false }}
		for _, kind := range kinds {
			line := h.line(models.Event{Kind: kind, ActorKind: models.Person, ActorID: &id, Detail: map[string]any{
				"provider": "pier", "account": "1•••5", "changed": 2.0, "reason": "upstream",
			}})
			if strings.Contains(line.Text, "⟨") || line.Text == "" {
				t.Errorf("%s: %s", lang, line.Text)
			}
		}
	}
}

func TestEveryStateHasWords(t *testing.T) {
	for _, lang := range i18n.Languages() {
		w := wordsIn(t, lang)
		for _, state := range constants(t, "../models/types.go", `\bState = "(\w+)"`) {
			if badge := w.StateBadge(models.Connection{State: models.State(state)}); strings.Contains(badge.Text, "⟨") {
				t.Error(badge.Text)
			}
		}
		for _, role := range constants(t, "../models/types.go", ` Role = "(\w+)"`) {
			if text := w.MemberRole(models.Role(role)); strings.Contains(text, "⟨") {
				t.Error(text)
			}
		}
		for _, block := range constants(t, "../oauth/oauth.go", `Block = "(\w+)"`) {
			if text := w.BlockName(oauth.Block(block)); strings.Contains(text, "⟨") {
				t.Error(text)
			}
		}
	}
}

func TestProvidersOwnWordsComeFirst(t *testing.T) {
	d := oauth.Descriptor{Errors: []oauth.Explanation{{
		Kind: oauth.Upstream, Code: "7", Cause: oauth.Text{EN: "Closed on Sundays."}, Actor: oauth.Text{EN: "Nobody"}, Next: oauth.Text{EN: "Wait until Monday."},
	}}}
	w := wordsIn(t, i18n.English)
	if got := w.reasonOf(d, "upstream", "7"); got.What != "Closed on Sundays." || got.Next != "Wait until Monday." {
		t.Errorf("its own code: %+v", got)
	}
	if got := w.reasonOf(d, "upstream", "8"); !strings.Contains(got.What, "failing") {
		t.Errorf("another code: %+v", got)
	}
	if got := w.reasonOf(d, "quite new", ""); got.What != w.T("reason.internal") {
		t.Errorf("a reason that nobody knows: %+v", got)
	}
}

func TestGroups_NewestFirstAndNotTooMany(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	card := BlockCard{Words: wordsIn(t, i18n.English), BlockView: connect.BlockView{Block: oauth.BlockWalletFlow}}
	card.Kinds = []oauth.FlowKind{{Kind: "transaction", Title: oauth.Text{EN: "Transactions"}}, {Kind: "chargeback", Title: oauth.Text{EN: "Chargebacks"}}}
	for i := range 300 {
		card.Flow = append(card.Flow, oauth.FlowEntry{Kind: "transaction", OccurredAt: at.Add(time.Duration(i) * time.Minute), Amount: oauth.Money{Amount: decimal.New(1, 0)}})
	}
	card.Flow = append(card.Flow, oauth.FlowEntry{Kind: "top_up", Reason: "x"})
	groups := card.Groups()
	if len(groups) != 3 || groups[1].Total != 0 || groups[2].Heading != "top_up" || !groups[2].Reasons {
		t.Fatalf("groups = %+v", groups)
	}
	g := groups[0]
	if len(g.Entries) != flowShown || len(g.Rest) != flowFolded || g.Total != 300 || !g.Hidden() || g.Entries[0].OccurredAt.Before(g.Rest[0].OccurredAt) {
		t.Errorf("%d shown, %d folded of %d", len(g.Entries), len(g.Rest), g.Total)
	}
}

func TestGroups_OfManyKindsOnlyThoseThatMoved(t *testing.T) {
	card := BlockCard{Words: wordsIn(t, i18n.Chinese), BlockView: connect.BlockView{Block: oauth.BlockWalletFlow}}
	for _, title := range []string{"充值", "提现", "卡消费", "手续费"} {
		card.Kinds = append(card.Kinds, oauth.FlowKind{Kind: "kind " + title, Title: oauth.Text{ZH: title}})
	}
	for _, kind := range []string{"else", "kind 手续费", "kind 充值", "kind 卡消费", "kind 充值"} {
		card.Flow = append(card.Flow, oauth.FlowEntry{Kind: kind})
	}
	var got []string
	for _, g := range card.Groups() {
		got = append(got, g.Heading)
	}
	if got, want := strings.Join(got, " "), "充值 卡消费 手续费 else"; got != want {
		t.Errorf("groups: %s, want %s", got, want)
	}
	card.Flow = nil
	if len(card.Groups()) != 0 {
		t.Errorf("groups of nothing: %+v", card.Groups())
	}
}

func TestRows_ShowWhatIsThereAndMaskWhatIsPersonal(t *testing.T) {
	w := wordsIn(t, i18n.English)
	shown := func(b connect.BlockView) string {
		var lines []string
		for _, row := range (BlockCard{Words: w, BlockView: b}).Rows() {
			line := row.Label + "=" + row.Value
			if row.Badge != nil {
				line += row.Badge.Text
			}
			if row.Masked {
				line += "*"
			}
			lines = append(lines, line)
		}
		return strings.Join(lines, "; ")
	}
	for _, c := range []struct {
		view connect.BlockView
		want string
	}{
		{
			connect.BlockView{User: &oauth.User{RealName: "Lin Yue Ming", Sex: "3", Admin: true, VerificationLevel: "2", Masked: map[string]oauth.Masked{"phone": oauth.NewMasked("133****0170")}}},
			"Name=Li•••ng; Phone=133****0170*; Administers the account=Yes; Level of verification=2",
		},
		{
			connect.BlockView{Company: &oauth.Company{Province: "四川", City: "成都", Zone: "高新", Phone: "02812345678", Masked: map[string]oauth.Masked{"name": oauth.NewMasked("成都****公司")}}},
			"Name=成都****公司*; Province=四川; City=成都; District=高新; Phone=02•••78",
		},
		{connect.BlockView{Company: &oauth.Company{None: true}}, ""},
		{connect.BlockView{Merchant: &oauth.Merchant{ID: "1", Gateways: []string{"2", "3"}}}, "Merchant number=1; Gateway or business IDs=2, 3"},
	} {
		if got := shown(c.view); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}

func TestWallets_CreditWorthAndLongNumbers(t *testing.T) {
	money := func(amount, currency string) oauth.Money {
		return oauth.Money{Amount: decimal.RequireFromString(amount), Currency: currency}
	}
	card := BlockCard{Words: wordsIn(t, i18n.English)}
	card.Wallets = []oauth.Wallet{{Available: money("0", "CNY")}}
	if card.Credit() || card.Worth() != "" || card.Long() {
		t.Errorf("an empty wallet: credit %t, worth %q, long %t", card.Credit(), card.Worth(), card.Long())
	}
	card.Wallets[0].AllWorth = money("0.5", "BTC")
	card.Wallets = append(card.Wallets, oauth.Wallet{Available: money("8836062468.9009142", "USDC"), CreditLine: money("100", "USDC")})
	if !card.Credit() || card.CreditOf(card.Wallets[0]) != "–" || card.Worth() != "0.5\u00a0BTC" || !card.Long() {
		t.Errorf("credit %t %q, worth %q, long %t", card.Credit(), card.CreditOf(card.Wallets[0]), card.Worth(), card.Long())
	}
}
