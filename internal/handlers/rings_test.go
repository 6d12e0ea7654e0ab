package handlers

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"mooring/internal/connect"
	"mooring/internal/i18n"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

func TestRings_SayWhoIsWaitedFor(t *testing.T) {
	w, at := wordsIn(t, i18n.English), time.Date(2026, 3, 14, 9, 26, 0, 0, time.UTC)
	read := []connect.BlockView{{Block: oauth.BlockMerchant, FirstAt: at, FetchedAt: at}}
	approved := models.Review{State: models.ReviewApproved, Since: at}
	for name, c := range map[string]struct {
		conn   models.Connection
		blocks []connect.BlockView
		paused time.Time
		review models.Review
		want   string
	}{
		"just connected":                 {conn: models.Connection{State: models.Connected}, want: "done away done away tool"},
		"all well":                       {conn: models.Connection{State: models.Connected, SyncedAt: &at}, blocks: read, review: approved, want: "done done done done done"},
		"access has ended":               {conn: models.Connection{State: models.NeedsYou, Reason: "needs_reauth", SyncedAt: &at}, blocks: read, review: approved, want: "you done done done done"},
		"access ended before any data":   {conn: models.Connection{State: models.NeedsYou, Reason: "needs_reauth"}, want: "you you done you tool"},
		"refused in part":                {conn: models.Connection{State: models.NeedsYou, Reason: "permission", Refused: []oauth.Block{oauth.BlockWallet}}, blocks: read, review: approved, want: "done you done done done"},
		"refused in part, not kept what": {conn: models.Connection{State: models.NeedsYou, Reason: "permission"}, blocks: read, review: approved, want: "done you done done done"},
		"refused, and an outage since":   {conn: models.Connection{State: models.Provider, Reason: "upstream", Refused: []oauth.Block{oauth.BlockWallet}}, blocks: read, review: approved, want: "away you done done done"},
		"another account":                {conn: models.Connection{State: models.NeedsYou, Reason: "account_mismatch", SyncedAt: &at}, blocks: read, review: approved, want: "done done you done done"},
		"failed at once":                 {conn: models.Connection{State: models.Provider, Reason: "upstream"}, want: "done away done away tool"},
		"ours at once":                   {conn: models.Connection{State: models.Ours, Reason: "signature"}, want: "done tool done tool tool"},
		"ours later":                     {conn: models.Connection{State: models.Ours, Reason: "signature", SyncedAt: &at}, blocks: read, review: approved, want: "tool done done done done"},
		"nothing there yet":              {conn: models.Connection{State: models.Connected, SyncedAt: &at}, review: approved, want: "done done done away done"},
		"paused by the merchant":         {conn: models.Connection{State: models.Connected, SyncState: models.SyncIdle, SyncPausedAt: &at}, want: "done you done you tool"},
		"paused by the platform":         {conn: models.Connection{State: models.Connected}, paused: at, want: "done tool done tool tool"},
		"asked for more":                 {conn: models.Connection{State: models.Connected, SyncedAt: &at}, blocks: read, review: models.Review{State: models.ReviewNeedsMore}, want: "done done done done you"},
		"in review":                      {conn: models.Connection{State: models.Connected, SyncedAt: &at}, blocks: read, review: models.Review{State: models.ReviewOpen}, want: "done done done done tool"},
		"not accepted":                   {conn: models.Connection{State: models.Connected, SyncedAt: &at}, blocks: read, review: models.Review{State: models.ReviewRejected, Since: at}, want: "done done done done no"},
	} {
		view := connect.ConnectionView{Connection: c.conn, Blocks: c.blocks, PausedSince: c.paused, Review: c.review}
		for _, steps := range [][]Step{Page{Words: w}.steps(view), w.theirSteps(view)} {
			var got []string
			for _, step := range steps {
				got = append(got, strings.Replace(step.Icon, "check", "done", 1))
			}
			if words := strings.Join(got, " "); words != c.want {
				t.Errorf("%s: %s, want %s", name, words, c.want)
			}
		}
	}
}

// ringsOn reads the checklist from a page: name, and who is waited for or since when it is done.
func ringsOn(a answer) (told []string) {
	ring := regexp.MustCompile(`(?s)<p class="what">([^<]+)</p>\s*<p class="at">(.*?)</p>(?:<p class="note">(.*?)</p>)?`)
	for _, found := range ring.FindAllStringSubmatch(a.body, -1) {
		text := regexp.MustCompile(`<[^>]+>`).ReplaceAllString(found[2]+" "+found[3], "")
		told = append(told, found[1]+": "+strings.Join(strings.Fields(text), " "))
	}
	return told
}

// TestRings_AreTheSameEverywhere walks a connection from its first minute to an approved review, with a permission missing on the
// way, and reads the checklist on every page that shows it.
func TestRings_AreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	fake := &oauthtest.Fake{Blocks: []oauth.Block{oauth.BlockMerchant, oauth.BlockWallet}}
	refuse := true
	fake.OnWallets = func(context.Context, oauth.Credential) (r oauth.Reading[[]oauth.Wallet], err error) {
		if refuse {
			return r, &oauth.Error{Provider: "fake", Kind: oauth.Permission}
		}
		r.Raw = []byte(`{}`)
		return r, nil
	}
	h := newHarbour(t, "", fake)
	v := h.owner(t, "a@example.com")
	path := h.connected(t, v, "12345")
	staff := h.staff(t)
	tenant := regexp.MustCompile(`/admin/tenants/[0-9a-f-]{36}`).FindString(staff.get(t, "/admin/tenants").body)
	today := wordsIn(t, i18n.English).Date(time.Now())
	agree := func(what string, merchant, theirs []string) {
		t.Helper()
		for page, got := range map[string]struct{ got, want []string }{
			"the overview": {ringsOn(v.get(t, "/overview")), merchant}, "the connection": {ringsOn(v.get(t, path)), merchant},
			"the staff": {ringsOn(staff.get(t, tenant)), theirs},
		} {
			if len(got.got) != 5 {
				t.Fatalf("%s, %s: %d rings", what, page, len(got.got))
			}
			for i, want := range got.want {
				if !strings.HasPrefix(got.got[i], want) {
					t.Errorf("%s, %s: %q, want %q", what, page, got.got[i], want)
				}
			}
		}
	}
	begin := []string{"Connected: Done " + today, "Permissions complete: Waiting for the provider", "Account confirmed: Done " + today, "First data received: Waiting for the provider On its way.", "Reviewed: Waiting for us"}
	agree("at first", begin, begin)

	h.work(t)
	data := "First data received: Done " + today
	missing := " Permission missing: Balances. Readable: Merchant."
	agree("a permission missing",
		[]string{begin[0], "Permissions complete: Waiting for you" + missing, begin[2], data, begin[4]},
		[]string{begin[0], "Permissions complete: Waiting for the merchant" + missing, begin[2], data, begin[4]})
	v.get(t, path).want(t, "who may act", 200, "", `href="`+path+`/reconnect"`)
	v.get(t, path+"?lang=zh-CN").want(t, "in Chinese", 200, "", "权限齐全", "等待您处理", "缺少权限：")
	v.get(t, path+"?lang=en")

	refuse = false
	v.post(t, path+"/sync")
	h.work(t)
	whole := []string{begin[0], "Permissions complete: Done " + today, begin[2], data, begin[4]}
	agree("all may be read", whole, whole)

	for act, told := range map[string][2]string{"more": {"Reviewed: Waiting for you", "Reviewed: Waiting for the merchant"}} {
		exec(t, h, `UPDATE reviews SET state = 'in_review'`)
		exec(t, h, `UPDATE reviews SET state = 'needs_more'`)
		agree(act, []string{whole[0], whole[1], whole[2], whole[3], told[0]}, []string{whole[0], whole[1], whole[2], whole[3], told[1]})
	}
	v.get(t, path).want(t, "the way to what is asked", 200, "", `href="/overview#review-title"`)
	exec(t, h, `UPDATE reviews SET state = 'in_review'`)
	exec(t, h, `UPDATE reviews SET state = 'approved'`)
	done := "Reviewed: Done"
	agree("approved", []string{whole[0], whole[1], whole[2], whole[3], done}, []string{whole[0], whole[1], whole[2], whole[3], done})
	v.post(t, path+"/disconnect", "erase", "")
	if n := len(ringsOn(v.get(t, path))); n != 0 {
		t.Errorf("%d rings of what is disconnected", n)
	}
}

// exec changes the database behind the program's back.
func exec(t *testing.T, h *harbour, statement string, args ...any) {
	t.Helper()
	if _, err := h.db.Owner.Exec(t.Context(), statement, args...); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", statement, err))
	}
}
