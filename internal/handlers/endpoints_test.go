package handlers

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/dispatch"
	"mooring/internal/models"
	"mooring/internal/oauth/oauthtest"
)

// inbox is a system of the platform's that answers as it is told to.
type inbox struct {
	*httptest.Server
	status atomic.Int32
	posts  atomic.Int32
}

func newInbox(t *testing.T) *inbox {
	i := &inbox{}
	i.status.Store(http.StatusOK)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.posts.Add(1)
		w.WriteHeader(int(i.status.Load()))
		_, _ = w.Write([]byte("thanks & <bye>"))
	}))
	t.Cleanup(i.Close)
	return i
}

// createEndpoint adds one through the form and gives its page's address and its secret.
func (v *visitor) createEndpoint(t *testing.T, address string) (path, made string) {
	t.Helper()
	id := regexp.MustCompile(`name="id" value="([0-9a-f-]{36})"`).FindStringSubmatch(v.get(t, "/admin/endpoints/new").body)
	if id == nil {
		t.Fatal("the form has no id")
	}
	got := v.post(t, "/admin/endpoints", "id", id[1], "url", address, "description", "CRM", "kinds", "connection.connected")
	got.want(t, "adding", 200, "", "shown this once")
	found := regexp.MustCompile(`whsec_[A-Za-z0-9+/=]{44}`).FindString(strings.ReplaceAll(got.body, "&#43;", "+"))
	if found == "" {
		t.Fatalf("no secret is shown:\n%s", got.body)
	}
	v.post(t, "/admin/endpoints", "id", id[1], "url", address, "kinds", "connection.connected").
		want(t, "sending the form again", 409, "", "was done already")
	return "/admin/endpoints/" + id[1], found
}

func TestEndpoints_TheWholeLife(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	staff, receiver := h.staff(t), newInbox(t)
	staff.get(t, "/admin/endpoints").want(t, "the empty list", 200, "", "Nobody is told yet", "webhook-signature", "order is not promised")
	staff.get(t, "/admin/endpoints/new").want(t, "the form", 200, "", `value="connection.needs_you" checked`)

	refused := staff.post(t, "/admin/endpoints", "id", uuid.NewString(), "url", "http://crm.example/in", "description", "<CRM>")
	refused.want(t, "a bad form", 422, "", "Only https addresses", "Choose at least one", `value="http://crm.example/in"`, "&lt;CRM&gt;")
	staff.post(t, "/admin/endpoints", "id", "x").want(t, "a forged form", 422, "")

	path, first := staff.createEndpoint(t, receiver.URL+"/in?key=1")
	host := strings.TrimPrefix(receiver.URL, "http://")
	staff.get(t, "/admin/endpoints").want(t, "the list", 200, "", path, host, "CRM", "1 kind of event")
	page := staff.get(t, path)
	page.want(t, "the page", 200, "", "/in?key=1", "Nothing has happened since", "Version 1")
	if strings.Contains(page.body, first) {
		t.Error("the secret is shown again")
	}
	staff.post(t, path+"/test").want(t, "a test", 200, "", "Taken", "answered 200", "thanks &amp; &lt;bye&gt;")

	staff.get(t, path+"/edit").want(t, "the form of before", 200, "", "/in?key=1", `value="connection.connected" checked`)
	staff.post(t, path+"/edit", "url", "https://me:pass@crm.example", "kinds", "tenant.created").want(t, "a bad change", 422, "", "signed instead")
	staff.post(t, path+"/edit", "url", receiver.URL+"/other", "kinds", "connection.connected").want(t, "a change", 303, path)
	staff.get(t, path).want(t, "the changed page", 200, "", "/other", "Saved.")

	staff.get(t, path+"/rotate").want(t, "asking for another secret", 200, "", `name="newest" value="1"`, "24 hours")
	rotated := staff.post(t, path+"/rotate", "newest", "1")
	rotated.want(t, "another secret", 200, "", "whsec_", "two signatures")
	staff.post(t, path+"/rotate", "newest", "1").want(t, "the same press again", 409, "")
	staff.get(t, path).want(t, "both secrets", 200, "", "Version 2", "The one before signs as well until")
	staff.post(t, path+"/end-old").want(t, "ending the old one", 303, path)
	staff.post(t, path+"/end-old").want(t, "ending it twice", 409, "")

	staff.get(t, path+"/disable").want(t, "asking before", 200, "", "Switch off "+host)
	staff.post(t, path+"/disable").want(t, "switching off", 303, path)
	staff.get(t, path).want(t, "the page when off", 200, "", "Switched off by an admin", "Switch on again")
	staff.post(t, path+"/replay", "hours", "24").want(t, "replaying to one that is off", 409, "", "Switch it on first")
	staff.post(t, path+"/enable").want(t, "switching on", 303, path)
	staff.get(t, path+"/delete").want(t, "asking before", 200, "", "cannot be undone")
	staff.post(t, path+"/delete").want(t, "deleting", 303, "/admin/endpoints")
	for _, gone := range []string{path, path + "/edit", path + "/rotate"} {
		staff.get(t, gone).want(t, gone, 404, "")
	}
	staff.post(t, path+"/test").want(t, "testing what is gone", 404, "")
	staff.get(t, "/admin/audit").want(t, "the trail", 200, "", "Added the webhook endpoint "+host, "Sent a test", "Made a new secret",
		"Ended the old secret", "Switched the webhook endpoint "+host+" off", "Deleted the webhook endpoint "+host, "admin@example.com")
}

func TestEndpoints_DeliveriesAreSeenAndSentAgain(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	staff, receiver := h.staff(t), newInbox(t)
	path, _ := staff.createEndpoint(t, receiver.URL)
	v := h.owner(t, "a@example.com")
	h.connected(t, v, "12345")
	st := h.tellAll(t)
	staff.get(t, path).want(t, "what waits", 200, "", "Connected", "Waiting", "Harbour Ltd", "1•••5")

	receiver.status.Store(http.StatusInternalServerError)
	h.deliverAll(t, st)
	staff.get(t, path+"?state=waiting").want(t, "after a failed try", 200, "", "answered 500", "next try")
	receiver.status.Store(http.StatusGone)
	_, err := h.db.Owner.Exec(t.Context(), `UPDATE deliveries SET next_at = now() - interval '1 minute'`)
	must(t, err)
	h.deliverAll(t, st)
	staff.get(t, path+"?state=failed").want(t, "given up", 200, "", "Given up", "answered 410", "asks never to be told again")
	staff.get(t, path+"?state=delivered").want(t, "nothing delivered", 200, "", "nothing in this list")
	staff.get(t, path+"?state=odd").want(t, "no such list", 422, "")

	receiver.status.Store(http.StatusOK)
	staff.post(t, path+"/enable").want(t, "on again", 303, path)
	again := regexp.MustCompile(`action="(` + path + `/deliveries/[0-9a-f-]{36}/replay)"`).FindStringSubmatch(staff.get(t, path).body)
	if again == nil {
		t.Fatal("nothing to press for sending again")
	}
	staff.post(t, again[1]).want(t, "sending again", 303, path)
	staff.get(t, path).want(t, "said so", 200, "", "On their way again")
	staff.post(t, path+"/replay", "hours", "0").want(t, "sending all again", 303, path)
	staff.get(t, path).want(t, "said so", 200, "", "There was nothing to send again")
	h.deliverAll(t, st)
	staff.get(t, path+"?state=delivered").want(t, "delivered", 200, "", "answered 200", "answered 500", "answered 410")
	if n := receiver.posts.Load(); n != 3 {
		t.Errorf("%d posts", n)
	}
}

func TestEndpoints_PagesOfDeliveries(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	staff := h.staff(t)
	path, _ := staff.createEndpoint(t, "https://crm.example")
	h.owner(t, "a@example.com")
	_, err := h.db.Owner.Exec(t.Context(), `WITH told AS (
		    INSERT INTO events (tenant_id, id, actor_kind, kind, created_at)
		    SELECT t.id, gen_random_uuid(), 'system', 'connection.changed', now() FROM tenants t, generate_series(1, 60) RETURNING tenant_id, id)
		INSERT INTO deliveries (tenant_id, id, endpoint_id, event_id, kind, body, state, created_at)
		SELECT tenant_id, gen_random_uuid(), $1, id, 'connection.changed', '{}', 'failed', now() FROM told`, strings.TrimPrefix(path, "/admin/endpoints/"))
	must(t, err)
	seen, next := map[string]bool{}, path+"?state=failed"
	for range 3 {
		got := staff.get(t, next)
		got.want(t, next, 200, "", "On, 60 given up")
		for _, id := range regexp.MustCompile(`<code>(msg_[0-9a-f-]{36})</code>`).FindAllStringSubmatch(got.body, -1) {
			seen[id[1]] = true
		}
		link := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(got.body)
		if link == nil {
			break
		}
		next = strings.ReplaceAll(link[1], "&amp;", "&")
	}
	if len(seen) != 60 {
		t.Errorf("%d deliveries on all pages, want 60", len(seen))
	}
}

func TestEndpoints_AreTheStaffsAlone(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	staff, receiver := h.staff(t), newInbox(t)
	path, _ := staff.createEndpoint(t, receiver.URL)
	merchant := h.owner(t, "a@example.com")
	for _, page := range []string{"/admin/endpoints", "/admin/endpoints/new", path, path + "/edit", path + "/rotate"} {
		merchant.get(t, page).want(t, "a merchant at "+page, 403, "")
	}
	for _, act := range []string{"/test", "/edit", "/rotate", "/end-old", "/disable", "/delete", "/replay", "/deliveries/" + uuid.NewString() + "/replay"} {
		merchant.post(t, path+act).want(t, "a merchant doing "+act, 403, "")
	}
	staff.get(t, path).want(t, "nothing happened", 200, "")
	if n := receiver.posts.Load(); n != 0 {
		t.Errorf("%d posts", n)
	}
}

// tellAll tells what the one tenant's events say, as the jobs would, and gives its store.
func (h *harbour) tellAll(t *testing.T) *models.TenantStore {
	t.Helper()
	var tenant uuid.UUID
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT id FROM tenants`).Scan(&tenant))
	st := h.store.ForTenant(tenant, models.Actor{Kind: models.System})
	events, err := st.Events(t.Context(), uuid.Nil, 100)
	must(t, err)
	for _, e := range events {
		must(t, h.dispatch.Tell(t.Context(), st, e.ID))
	}
	return st
}

// deliverAll does once what the jobs of the tenant's deliveries do.
func (h *harbour) deliverAll(t *testing.T, st *models.TenantStore) {
	t.Helper()
	replica := dispatch.New(h.dispatch.Deps)
	rows, err := h.db.Owner.Query(t.Context(), `SELECT id FROM deliveries`)
	must(t, err)
	var ids []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		must(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	must(t, rows.Err())
	for _, id := range ids {
		again, err := replica.Deliver(t.Context(), st, id)
		if err != nil || again > time.Hour {
			t.Fatalf("delivering: again in %v, %v", again, err)
		}
	}
}
