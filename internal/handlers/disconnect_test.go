package handlers

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

func TestDisconnect_KeepEraseUndoAndErased(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	path := h.connected(t, v, "12345")
	h.work(t)

	ask := v.get(t, path+"/disconnect")
	ask.want(t, "asking", http.StatusOK, "", `name="data" value="keep" checked`, `name="data" value="erase"`,
		"Fake has no way to be told by us", "Ask its support.", `class="back" href="`+path+`"`, "Keep it connected")
	v.get(t, path+"/disconnect?lang=zh-CN").want(t, "asking in Chinese", http.StatusOK, "", "已获取的数据如何处理？", "没有可供我们通知的接口")
	v.get(t, path+"?lang=en")

	v.post(t, path+"/disconnect").want(t, "keeping", http.StatusSeeOther, path)
	v.get(t, path).want(t, "kept", http.StatusOK, "", "The account is disconnected", `data-state="disconnected"`, "Kept, and readable below.",
		"Please end it there too. Ask its support.", "order-1", path+"/erase", path+"/reconnect")
	v.post(t, path+"/disconnect", "data", "erase").want(t, "pressing again", http.StatusSeeOther, path)
	if page := v.get(t, path); strings.Contains(page.body, "Will be erased on") {
		t.Error("a second press had the data erased")
	}

	v.get(t, path+"/erase").want(t, "asking to erase", http.StatusOK, "", "Erase the data of Fake?", `action="`+path+`/erase"`, "Keep the data")
	v.post(t, path+"/erase").want(t, "erasing", http.StatusSeeOther, path)
	v.get(t, path).want(t, "to be erased", http.StatusOK, "", "The data will be erased in 30 days", "Will be erased on", `action="`+path+`/keep"`, "order-1")
	v.get(t, path+"/erase").want(t, "asking once more", http.StatusSeeOther, path)
	v.post(t, path+"/erase").want(t, "erasing twice", http.StatusConflict, "")
	v.get(t, "/connections").want(t, "the list", http.StatusOK, "", "Data will be erased on", `action="`+path+`/keep"`)
	v.post(t, path+"/keep").want(t, "changing one's mind", http.StatusSeeOther, path)
	v.get(t, path).want(t, "kept after all", http.StatusOK, "", "The data is kept.", "Kept, and readable below.", "order-1")

	v.post(t, path+"/erase").want(t, "erasing again", http.StatusSeeOther, path)
	h.eraseNow(t)
	v.get(t, path).want(t, "erased", http.StatusOK, "", "Erased on", "The history stays", path+"/reconnect")
	if page := v.get(t, path); strings.Contains(page.body, "order-1") || strings.Contains(page.body, `action="`+path+`/keep"`) {
		t.Error("the data can still be read, or kept")
	}
	v.get(t, path+"?lang=zh-CN").want(t, "erased, in Chinese", http.StatusOK, "", "历史记录保留", "服务商一侧")
	v.get(t, path+"?lang=en")

	if again := h.connected(t, v, "12345"); again != path {
		t.Errorf("connecting again led to %s, want %s", again, path)
	}
	h.work(t)
	v.get(t, path).want(t, "connected again", http.StatusOK, "", "Connected", "order-1")
}

// eraseNow lets the time pass that erasing can be undone in, and does what falls due.
func (h *harbour) eraseNow(t *testing.T) {
	t.Helper()
	var tenant, connection uuid.UUID
	must(t, h.db.Owner.QueryRow(t.Context(), `UPDATE connections SET erase_at = now() - interval '1 second', erase_due_at = now()
		WHERE erase_at IS NOT NULL RETURNING tenant_id, id`).Scan(&tenant, &connection))
	must(t, h.connect.Erase(t.Context(), h.store.ForTenant(tenant, models.Actor{Kind: models.System}), connection))
}

func TestDisconnect_ErasingAtOnce(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	path := h.connected(t, v, "12345")
	h.work(t)
	v.post(t, path+"/disconnect", "data", "erase").want(t, "erasing", http.StatusSeeOther, path)
	v.get(t, path).want(t, "to be erased", http.StatusOK, "", "in 30 days unless you change your mind", "Will be erased on", `action="`+path+`/keep"`, "order-1")
	staff := h.staff(t)
	list := staff.get(t, "/admin/tenants").body
	_, rest, _ := strings.Cut(list, `href="/admin/tenants/`)
	staff.get(t, "/admin/tenants/"+rest[:36]).want(t, "what the staff see", http.StatusOK, "", "Disconnected on", "Will be erased on", "Please end it there too")

	stranger := h.owner(t, "b@example.com")
	for _, post := range []string{"/keep", "/erase", "/disconnect"} {
		stranger.post(t, path+post).want(t, "a stranger's "+post, http.StatusNotFound, "")
	}
	h.demote(t, "a@example.com")
	page := v.get(t, path)
	page.want(t, "a viewer", http.StatusOK, "", "Will be erased on")
	for _, post := range []string{"/keep", "/erase"} {
		if strings.Contains(page.body, path+post) {
			t.Errorf("a viewer is offered %s", post)
		}
		v.post(t, path+post).want(t, "a viewer's "+post, http.StatusForbidden, "")
	}
}

func TestBanner_NamesAFewAndCountsTheRest(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	var paths []string
	for _, account := range []string{"10001", "20002", "30003", "40004", "50005"} {
		paths = append(paths, h.connected(t, v, account))
	}
	h.work(t)
	h.fake.Set(func(f *oauthtest.Fake) { f.OnMerchant = failingMerchant(oauth.NeedsReauth) })
	for _, path := range paths[:4] {
		v.post(t, path+"/sync")
	}
	h.work(t)
	overview := v.get(t, "/overview")
	overview.want(t, "four of five", http.StatusOK, "", "and 1 more", paths[0]+"/reconnect", paths[2]+"/reconnect")
	banner, _, _ := strings.Cut(overview.body, "</ul></section>")
	if n := strings.Count(banner, "needs you since"); n != 3 {
		t.Errorf("%d are named, want 3", n)
	}
	if own := v.get(t, paths[0]).body; strings.Count(own, `href="`+paths[0]+`/reconnect"`) != 1 || !strings.Contains(own, "and 1 more") {
		t.Error("the page of a broken connection offers to reconnect it twice, or hides the others")
	}
	v.get(t, "/overview?lang=zh-CN").want(t, "in Chinese", http.StatusOK, "", "起需要您处理", "另有 1 个", "重新连接")
}
