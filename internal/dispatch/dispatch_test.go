package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/jobs"
	"mooring/internal/models"
	"mooring/internal/secret"
)

// The example that Standard Webhooks' own libraries test with.
func TestSign_ThePublicExample(t *testing.T) {
	t.Parallel()
	got, err := sign([]secret.String{secret.New("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")},
		"msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("signed %q, %v; want %q", got, err, want)
	}
}

func TestTell_WhatIsSaid(t *testing.T) {
	t.Parallel()
	connection := uuid.MustParse("0190b2c3-0000-7000-8000-000000000002")
	a := models.Announcement{Tenant: "Harbour & <蓝鲸>", Event: models.Event{
		Kind: "connection.expiring", ConnectionID: &connection, CreatedAt: time.Date(2026, 3, 1, 12, 0, 0, 5, time.FixedZone("", 3600)),
		Detail: map[string]any{
			"provider": "zhiyun", "account": "13•••99", "days": float64(0), "at": "2026-03-02T00:00:00Z", "fields": []any{"name", 7, "address"},
			"token": "canary", "email": "canary@example.com", "state": "canary",
		},
	}}
	got, err := compose(uuid.MustParse("0190b2c3-0000-7000-8000-000000000001"), a)
	want := `{"type":"connection.expiring","timestamp":"2026-03-01T11:00:00Z","data":{` +
		`"tenant_id":"0190b2c3-0000-7000-8000-000000000001","tenant_name":"Harbour & <蓝鲸>",` +
		`"connection_id":"0190b2c3-0000-7000-8000-000000000002","provider":"zhiyun","account":"13•••99",` +
		`"days":0,"at":"2026-03-02T00:00:00Z","fields":["name","address"]}}`
	if err != nil || string(got) != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
}

func TestTell_OnceForEachEndpointThatWants(t *testing.T) {
	t.Parallel()
	s, r := newStage(t, "127.0.0.0/8"), newReceiver(t)
	all := s.endpoint(r, "/all")
	picky := uuid.Must(uuid.NewV7())
	_, err := s.Create(t.Context(), s.admin, picky, Form{URL: r.URL, Kinds: []string{"connection.needs_you"}})
	must(t, err)
	event := s.happens("connection.connected", `{}`)
	must(t, s.Tell(t.Context(), s.store(), event)) // the job ran twice
	s.happens("connection.synced", `{}`)           // offered to nobody
	if n := len(s.deliveries(picky)); n != 0 {
		t.Errorf("%d deliveries for an endpoint that did not ask", n)
	}
	s.only(all)
	if n := s.count(`SELECT count(*) FROM river.river_job WHERE kind = 'deliver'`); n != 1 {
		t.Errorf("%d jobs for one delivery", n)
	}
	other := s.Store.ForTenant(uuid.Must(uuid.NewV7()), models.Actor{Kind: models.System})
	must(t, s.Tell(t.Context(), other, event))
	if again, err := s.Deliver(t.Context(), other, s.only(all).ID); again != 0 || err != nil || len(r.receipts()) != 0 {
		t.Errorf("another tenant's job delivered: %v, %v", again, err)
	}
}

func TestDeliver_ARepeatIsTheSameMessage(t *testing.T) {
	t.Parallel()
	s, r := newStage(t, "127.0.0.0/8"), newReceiver(t)
	id := s.endpoint(r, "/in?key=1")
	event := s.happens("connection.needs_you", `{"provider":"chainup","account":"1•••5","reason":"needs_reauth"}`)
	s.deliver(s.only(id))
	// The program died between the post and keeping what came of it.
	_, err := s.db.Owner.Exec(t.Context(), `UPDATE deliveries SET state = 'waiting', ended_at = NULL`)
	must(t, err)
	s.wait(time.Hour)
	s.deliver(s.only(id))
	s.deliver(s.only(id)) // delivered: a job that is left over does nothing
	got := r.receipts()
	if len(got) != 2 || got[0] != got[1] || got[0].id != "msg_"+event.String() {
		t.Fatalf("received %+v", got)
	}
	if d := s.only(id); d.State != models.Delivered || d.LastStatus != http.StatusNoContent || len(d.Log) != 2 {
		t.Errorf("kept %+v", d)
	}
}

func TestDeliver_BothSecretsSignWhileOneIsReplaced(t *testing.T) {
	t.Parallel()
	s, r := newStage(t, "127.0.0.0/8"), newReceiver(t)
	id := uuid.Must(uuid.NewV7())
	first, err := s.Create(t.Context(), s.admin, id, Form{URL: r.URL, Kinds: Kinds()})
	must(t, err)
	send := func(what string, live ...secret.String) {
		t.Helper()
		before := len(r.receipts())
		r.knows(live...)
		s.happens("connection.connected", `{}`)
		s.deliver(s.deliveries(id)[0])
		if len(r.receipts()) != before+1 {
			t.Fatalf("%s: nothing arrived", what)
		}
	}
	rotate := func(newest int64) secret.String {
		t.Helper()
		made, err := s.Rotate(t.Context(), s.admin, models.Endpoint{ID: id, URL: r.URL}, newest)
		must(t, err)
		return made
	}
	send("new", first)
	second := rotate(1)
	if _, err := s.Rotate(t.Context(), s.admin, models.Endpoint{ID: id}, 1); errs.CodeOf(err) != errs.Conflict {
		t.Errorf("rotating from a page of before: %v", err)
	}
	send("rotated", first, second)
	s.wait(oldSecretLife - time.Second)
	send("a day less a second later", first, second)
	s.wait(2 * time.Second)
	send("a day later", second)
	_, err = s.Store.Sweep(t.Context())
	must(t, err)
	if n := s.count(`SELECT count(*) FROM endpoint_secrets`); n != 1 {
		t.Errorf("%d secrets are kept, want the live one", n)
	}
	third := rotate(2)
	fourth := rotate(3)
	send("rotated twice", third, fourth)
	must(t, s.admin.EndOldSecret(t.Context(), id, "x"))
	send("ended by an admin", fourth)
}

func TestDeliver_RestsLongerAndLongerThenGivesUp(t *testing.T) {
	t.Parallel()
	s, r := newStage(t, "127.0.0.0/8"), newReceiver(t)
	id := s.endpoint(r, "")
	r.answers(http.StatusInternalServerError)
	s.happens("connection.connected", `{}`)
	plan := []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour,
		14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
	for i, want := range plan {
		rest := s.deliver(s.only(id))
		if rest < want || rest > want+want/5 {
			t.Errorf("after try %d it rests %v, want %v and a bit", i+1, rest, want)
		}
		if early := s.deliver(s.only(id)); early != rest {
			t.Errorf("a job that came too early is told to come in %v, want %v", early, rest)
		}
		s.wait(rest)
	}
	if again := s.deliver(s.only(id)); again != 0 {
		t.Errorf("after the last try it comes again in %v", again)
	}
	if d := s.only(id); d.State != models.DeliveryFailed || d.Tries != 10 || len(d.Log) != 10 || len(r.receipts()) != 10 {
		t.Errorf("given up as %+v after %d posts", d, len(r.receipts()))
	}

	r.answers(http.StatusOK)
	n, err := s.admin.ReplayDeliveries(t.Context(), models.Replay{Endpoint: id, Since: s.now().Add(-100 * time.Hour), Most: 10})
	if err != nil || n != 1 {
		t.Fatalf("replayed %d, %v", n, err)
	}
	if n, err = s.admin.ReplayDeliveries(t.Context(), models.Replay{Endpoint: id, Delivery: s.only(id).ID, Most: 10}); err != nil || n != 0 {
		t.Errorf("pressed twice, replayed %d, %v", n, err)
	}
	s.Service = New(s.Deps) // ten failures within a moment have opened the breaker, which has no clock of ours
	s.deliver(s.only(id))
	got := r.receipts()
	if d := s.only(id); d.State != models.Delivered || d.Tries != 1 || got[10] != got[0] {
		t.Errorf("replayed as %+v", d)
	}
	if n := s.count(`SELECT count(*) FROM platform_events WHERE kind = 'endpoint.replayed' AND actor_id IS NOT NULL`); n != 2 {
		t.Errorf("%d replays are audited", n)
	}
}

func TestDeliver_HonoursRetryAfter(t *testing.T) {
	t.Parallel()
	s, r := newStage(t, "127.0.0.0/8"), newReceiver(t)
	id := s.endpoint(r, "")
	r.answers(http.StatusTooManyRequests, "Retry-After", "600")
	s.happens("connection.connected", `{}`)
	if rest := s.deliver(s.only(id)); rest != 10*time.Minute {
		t.Errorf("it rests %v, want the 10 minutes it was asked for", rest)
	}
}

func TestDeliver_GoneIsSwitchedOff(t *testing.T) {
	t.Parallel()
	s, r := newStage(t, "127.0.0.0/8"), newReceiver(t)
	id := s.endpoint(r, "")
	r.answers(http.StatusGone)
	s.happens("connection.connected", `{}`)
	s.happens("connection.recovered", `{}`)
	for _, d := range s.deliveries(id) {
		if again := s.deliver(d); again != 0 {
			t.Errorf("it comes again in %v", again)
		}
	}
	d, err := s.admin.Endpoint(t.Context(), id, models.DeliveryQuery{State: models.DeliveryFailed, Limit: 10})
	if err != nil || d.Enabled || d.DisabledReason != "gone" || len(d.Deliveries) != 2 || len(r.receipts()) != 1 {
		t.Errorf("after 410: %+v, %v, %d posts", d, err, len(r.receipts()))
	}
	if n := s.count(`SELECT count(*) FROM platform_events WHERE kind = 'endpoint.gone'`); n != 1 {
		t.Errorf("%d events say so", n)
	}
	s.happens("connection.disconnected", `{}`)
	if n := len(s.deliveries(id)); n != 2 {
		t.Errorf("an endpoint that is off was told more: %d", n)
	}
	r.answers(http.StatusOK)
	must(t, s.admin.EnableEndpoint(t.Context(), id, "x"))
	if n, err := s.admin.ReplayDeliveries(t.Context(), models.Replay{Endpoint: id, Most: 1}); err != nil || n != 1 {
		t.Errorf("replaying one at most gave %d, %v", n, err)
	}
}

func TestDeliver_StaysInItsHarbour(t *testing.T) {
	t.Parallel()
	inner := newReceiver(t)
	outer := newReceiver(t)
	outer.answers(http.StatusFound, "Location", inner.URL)
	s := newStage(t, outer.Listener.Addr().String())
	redirecting := s.endpoint(outer, "")
	_, port, err := net.SplitHostPort(inner.Listener.Addr().String())
	must(t, err)
	private := uuid.Must(uuid.NewV7())
	_, err = s.Create(t.Context(), s.admin, private, Form{URL: "https://localhost:" + port, Kinds: Kinds()})
	must(t, err) // what a name means is known when it is dialled
	s.happens("connection.connected", `{}`)
	for id, why := range map[uuid.UUID]string{redirecting: "redirected", private: "refused"} {
		s.deliver(s.only(id))
		if d := s.only(id); d.LastError != why || d.LastStatus != 0 || d.State != models.DeliveryWaiting {
			t.Errorf("want %s, kept %+v", why, d)
		}
	}
	if n := len(inner.receipts()); n != 0 {
		t.Errorf("%d posts arrived where none may", n)
	}
}

// asleep wakes nobody.
type asleep struct{}

func (asleep) Subscribe(uuid.UUID) (<-chan struct{}, func()) { return nil, func() {} }

func TestTwoReplicasDeliverOnce(t *testing.T) {
	t.Parallel()
	s, r := newStage(t, "127.0.0.0/8"), newReceiver(t)
	s.endpoint(r, "")
	done := make(chan struct{}, 100)
	r.mu.Lock()
	r.answer = func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK); done <- struct{}{} }
	r.mu.Unlock()
	for range 2 {
		runner, err := jobs.NewRunner(jobs.Deps{
			Pool: s.db.App, Store: s.Store, Deliverer: New(s.Deps), Wakes: asleep{}, Observe: func(string, string, time.Duration) {}, Log: slog.New(slog.DiscardHandler),
		})
		must(t, err)
		must(t, runner.Start(t.Context()))
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			must(t, runner.Stop(ctx))
		})
	}
	const events = 30
	for range events {
		s.happens("connection.changed", `{"block":"company","fields":["name"]}`)
	}
	for range events {
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatal("not all of it arrived")
		}
	}
	ids := map[string]int{}
	for _, each := range r.receipts() {
		ids[each.id]++
	}
	if len(ids) != events || len(r.receipts()) != events {
		t.Errorf("%d posts of %d messages, want %d", len(r.receipts()), len(ids), events)
	}
}

func TestTest_ShowsTheAnswerAndNoSecret(t *testing.T) {
	t.Parallel()
	s, r := newStage(t, "127.0.0.0/8"), newReceiver(t)
	id := s.endpoint(r, "")
	r.mu.Lock()
	known := r.secrets[0]
	r.answer = func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("I know\x00 " + known + " and \xff" + strings.Repeat("茶", 500)))
	}
	r.mu.Unlock()
	must(t, s.admin.DisableEndpoint(t.Context(), id, "x")) // one tests before one switches on
	got, err := s.Test(t.Context(), s.admin, id)
	if err != nil || got.Status != http.StatusTeapot || !strings.HasPrefix(got.Answer, "I know  […] and �茶") || len([]rune(got.Answer)) > shownAnswer+1 {
		t.Errorf("%+v, %v", got, err)
	}
	if body := r.receipts()[0].body; !strings.HasPrefix(body, `{"type":"endpoint.test","timestamp":"2026-03-01T12:00:00Z","data":{`) {
		t.Errorf("sent %s", body)
	}
	if n := s.count(`SELECT count(*) FROM platform_events WHERE kind = 'endpoint.tested' AND (detail->>'status')::int = 418`); n != 1 {
		t.Errorf("%d tests are audited", n)
	}
	if _, err := s.Test(t.Context(), s.admin, uuid.Must(uuid.NewV7())); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("testing an endpoint that is not there: %v", err)
	}
}

func TestCreate_RefusesWhatCannotBeRight(t *testing.T) {
	t.Parallel()
	s := newStage(t, "10.1.0.0/16", "hooks.local:8080")
	for address, want := range map[string]string{
		"":                                     "outgoing.url_missing",
		"hooks.example/in":                     "outgoing.url_bad",
		"https://":                             "outgoing.url_bad",
		"https://hooks.example/in#part":        "outgoing.url_bad",
		"https://hooks .example":               "outgoing.url_bad",
		"https://me:pass@hooks.example":        "outgoing.url_credentials",
		"http://hooks.example/in":              "outgoing.url_https",
		"http://hooks.local/in":                "outgoing.url_https", // the port is another
		"ftp://hooks.example/in":               "outgoing.url_https",
		"https://127.0.0.1/in":                 "outgoing.url_private",
		"https://[::ffff:169.254.169.254]/":    "outgoing.url_private",
		"https://[::1]:9090/metrics":           "outgoing.url_private",
		"https://" + strings.Repeat("a", 2000): "outgoing.url_long",
		"http://hooks.local:8080/in":           "",
		"http://10.1.2.3/in":                   "",
		"https://10.1.2.3/in":                  "",
		"  https://hooks.example:8443/in?k=v ": "",
	} {
		_, err := s.check(Form{URL: address, Kinds: Kinds()})
		got := ""
		if faults, ok := errors.AsType[Faults](err); ok && len(faults) == 1 && errs.As(faults[0]).Field == "url" {
			got = errs.As(faults[0]).Key
		}
		if got != want || (want == "") != (err == nil) {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
	}
	_, err := s.check(Form{URL: "x", Description: strings.Repeat("长", 201), Kinds: []string{"connection.synced"}})
	if faults, ok := errors.AsType[Faults](err); !ok || len(faults) != 3 {
		t.Errorf("not every fault is named at once: %v", err)
	}
}

func TestNothingSecretIsStoredInTheOpen(t *testing.T) {
	t.Parallel()
	s, r := newStage(t, "127.0.0.0/8"), newReceiver(t)
	id := s.endpoint(r, "/hidden-path")
	s.happens("connection.connected", `{"provider":"fake"}`)
	s.deliver(s.only(id))
	key := strings.TrimPrefix(r.secrets[0], secretPrefix)
	for _, query := range []string{
		`SELECT count(*) FROM endpoint_secrets WHERE position(convert_to($1, 'UTF8') IN sealed) > 0`,
		`SELECT count(*) FROM platform_events WHERE position($1 IN detail::text) > 0`,
		`SELECT count(*) FROM deliveries WHERE position($1 IN deliveries::text) > 0`,
		`SELECT count(*) FROM river.river_job WHERE position($1 IN args::text) > 0`,
	} {
		for _, hidden := range []string{key, "hidden-path"} {
			if n := s.count(query, hidden); n != 0 {
				t.Errorf("%s finds %q", query, hidden)
			}
		}
	}
}
