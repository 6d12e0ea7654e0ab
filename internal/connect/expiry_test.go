package connect_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth/oauthtest"
)

// lookAtEnds does what every replica does when it wakes: claim what is due, and warn of it. Two do it at once.
func (h *harness) lookAtEnds(m *merchant, id uuid.UUID) {
	h.t.Helper()
	for range 2 {
		found, err := h.store.ClaimDue(h.t.Context(), models.DueSource{
			Due: models.DueWarnings, Jobs: models.Statement{SQL: ` SELECT count(*) FROM claimed`},
		}, 10)
		must(h.t, err)
		if found.Claimed == 0 {
			return
		}
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if err := h.store.ForTenant(m.tenant, models.Actor{Kind: models.System}).Warn(h.t.Context(), id); err != nil {
					h.t.Error(err)
				}
			})
		}
		both.Wait()
	}
}

func (m *merchant) warnings() []string {
	m.h.t.Helper()
	events, err := m.again().Events(m.h.t.Context(), uuid.Nil, 100)
	must(m.h.t, err)
	var told []string
	for _, e := range events {
		if e.Kind == "connection.expiring" {
			told = append(told, fmt.Sprint(e.Detail["days"]))
		}
	}
	slices.Reverse(told)
	return told
}

func TestAnEndIsWarnedOf14And7And1DaysBefore(t *testing.T) {
	t.Parallel()
	fake := &oauthtest.Fake{Lifetime: 90 * 24 * time.Hour}
	h := newHarness(t, fake, nil)
	fake.Now = h.clock.now
	m := h.newMerchant()
	c := m.connected("12345")
	ends := h.clock.now().Add(90 * 24 * time.Hour)
	if c.EndsAt == nil || c.EndsAt.Sub(ends).Abs() > time.Millisecond {
		t.Fatalf("access ends %v, want %v", c.EndsAt, ends)
	}
	var got []string
	for hour := 0; hour < 92*24; hour += 6 { // until it has been over for two days
		h.clock.forward(6 * time.Hour)
		h.lookAtEnds(m, c.ID)
		if now := m.warnings(); len(now) > len(got) {
			left := ends.Sub(h.clock.now())
			t.Logf("warned of %s days with %v left", now[len(now)-1], left)
			got = now
		}
	}
	if want := []string{"14", "7", "1"}; !slices.Equal(got, want) {
		t.Errorf("warned %v, want %v", got, want)
	}
}

func TestAWarningThatWasMissedTellsTheDaysThatAreLeft(t *testing.T) {
	t.Parallel()
	fake := &oauthtest.Fake{Lifetime: 90 * 24 * time.Hour}
	h := newHarness(t, fake, nil)
	fake.Now = h.clock.now
	m := h.newMerchant()
	c := m.connected("12345")
	h.clock.forward(85 * 24 * time.Hour) // nothing ran meanwhile
	h.lookAtEnds(m, c.ID)
	h.lookAtEnds(m, c.ID)
	if got := m.warnings(); !slices.Equal(got, []string{"5"}) {
		t.Errorf("warned %v, want once, of 5 days", got)
	}
	again := m.connected("12345") // a reconnect has another end, and is warned of anew
	if again.ID != c.ID || !again.EndsAt.Equal(h.clock.now().Add(90*24*time.Hour).Truncate(time.Microsecond)) {
		t.Fatalf("after reconnecting it ends %v", again.EndsAt)
	}
	h.lookAtEnds(m, c.ID)
	h.clock.forward(77 * 24 * time.Hour)
	h.lookAtEnds(m, c.ID)
	if got := m.warnings(); !slices.Equal(got, []string{"5", "13"}) {
		t.Errorf("warned %v, want of the new end as well", got)
	}
	must(t, h.service.Disconnect(t.Context(), m.again(), c.ID, false))
	if after := m.connection(c.ID); after.EndsAt != nil {
		t.Errorf("a disconnected account still ends %v", after.EndsAt)
	}
}

func TestNobodyIsWarnedWhoMustActAlready(t *testing.T) {
	t.Parallel()
	fake := &oauthtest.Fake{Lifetime: 90 * 24 * time.Hour}
	h := newHarness(t, fake, nil)
	fake.Now = h.clock.now
	m := h.newMerchant()
	c := m.connected("12345")
	h.exec(`UPDATE connections SET state = 'needs_you'`)
	h.clock.forward(77 * 24 * time.Hour)
	h.lookAtEnds(m, c.ID)
	if got := m.warnings(); len(got) != 0 {
		t.Errorf("warned %v of what needs the merchant already", got)
	}
}

func TestATokenThatRenewsItselfHasNoEnd(t *testing.T) {
	t.Parallel()
	fake := &oauthtest.Fake{Lifetime: time.Hour}
	h := newHarness(t, fake, oauthtest.RenewingFake{Fake: fake})
	fake.Now = h.clock.now
	m := h.newMerchant()
	if c := m.connected("12345"); c.EndsAt != nil {
		t.Errorf("it ends %v, though it is renewed by itself", c.EndsAt)
	}
}

func TestAReminderOnceADayInTheAdminsName(t *testing.T) {
	t.Parallel()
	fake := &oauthtest.Fake{Lifetime: 10 * 24 * time.Hour}
	h := newHarness(t, fake, nil)
	fake.Now = h.clock.now
	m := h.newMerchant()
	c := m.connected("12345")
	admin := models.Actor{Kind: models.Staff, ID: newID()}
	platform := h.store.Platform(admin)
	must(t, platform.Remind(t.Context(), m.tenant, c.ID))
	if err := platform.Remind(t.Context(), m.tenant, c.ID); errs.CodeOf(err) != errs.Conflict {
		t.Errorf("a second reminder within a day: %v", err)
	}
	if err := platform.Remind(t.Context(), h.newMerchant().tenant, c.ID); errs.CodeOf(err) != errs.Conflict {
		t.Errorf("a reminder in another tenant's name: %v", err)
	}
	h.clock.forward(24 * time.Hour)
	must(t, platform.Remind(t.Context(), m.tenant, c.ID))
	events, err := m.again().Events(t.Context(), uuid.Nil, 100)
	must(t, err)
	events = slices.DeleteFunc(events, func(e models.Event) bool { return e.Kind != "connection.reminded" })
	if len(events) != 2 || events[0].ActorKind != models.Staff || *events[0].ActorID != admin.ID || events[0].Detail["account"] != "1•••5" {
		t.Errorf("the history tells %+v", events)
	}
}

func TestTheBoardListsAllTenantsSoonestFirst(t *testing.T) {
	t.Parallel()
	fake := &oauthtest.Fake{}
	h := newHarness(t, fake, nil)
	fake.Now = h.clock.now
	for _, days := range []int{60, 3, 20, 9, 10} {
		fake.Set(func(f *oauthtest.Fake) { f.Lifetime = time.Duration(days) * 24 * time.Hour })
		h.newMerchant().connected(fmt.Sprint(10000 + days))
	}
	h.exec(`UPDATE connections SET ends_at = ends_at - interval '4 days' WHERE account_masked LIKE '1%3'`) // has ended
	var got []string
	for before := ""; ; {
		page, err := h.store.Platform(models.Actor{Kind: models.Staff, ID: newID()}).Expiring(t.Context(), models.ExpiryQuery{
			Provider: "fake", Within: 30 * 24 * time.Hour, Before: before, Limit: 2,
		})
		must(t, err)
		for _, r := range page.Rows {
			got = append(got, fmt.Sprint(int(r.EndsAt.Sub(h.clock.now()).Round(24*time.Hour).Hours()/24)))
		}
		if before = page.Next; before == "" {
			break
		}
	}
	if want := []string{"-1", "9", "10", "20"}; !slices.Equal(got, want) {
		t.Errorf("the board has %v days, want %v", got, want)
	}
}
