package handlers

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"mooring/internal/models"
)

func TestApproval_TheDatabaseRefusesOneForTwo(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	b.asked(t, remindAll)
	for _, sql := range []string{
		`UPDATE approvals SET state = 'approved', decided_by = asked_by`,
		`UPDATE approvals SET state = 'approved'`,
		`UPDATE approvals SET alone = true`,
		`INSERT INTO approvals (id, act, state, reason, number, asked_by, asked_at, expires_at, decided_by)
		 SELECT gen_random_uuid(), 'remind', 'approved', 'x', 1, asked_by, now(), now(), (SELECT id FROM users WHERE email = 'second@example.com') FROM approvals`,
		`INSERT INTO approvals (id, act, state, reason, number, asked_by, asked_at, expires_at, alone)
		 SELECT gen_random_uuid(), 'remind', 'approved', 'x', 1, asked_by, now(), now(), true FROM approvals`,
	} {
		if _, err := b.db.Platform.Exec(t.Context(), sql); err == nil {
			t.Errorf("the admins' role may: %s", sql)
		}
	}
	_, err := b.db.Platform.Exec(t.Context(),
		`INSERT INTO approval_targets (approval, tenant, connection) SELECT approval, tenant, gen_random_uuid() FROM approval_targets`)
	if err == nil || !strings.Contains(err.Error(), "listed when it is asked for") {
		t.Errorf("adding to what was asked for: %v", err)
	}
	if _, err := b.db.App.Exec(t.Context(), `SELECT FROM approvals`); err == nil {
		t.Error("the merchants' role may read what the staff ask each other for")
	}
}

func TestApproval_OfTwoWhoApproveOneDoes(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	third := b.colleague(t, "third@example.com")
	page := b.asked(t, remindAll)
	var wait sync.WaitGroup
	statuses := make([]int, 2)
	for i, who := range []*visitor{b.second, third} {
		wait.Go(func() { statuses[i] = who.post(t, on(page, models.ActRemind, "approve")).status })
	}
	wait.Wait()
	if statuses[0]+statuses[1] != http.StatusSeeOther+http.StatusConflict {
		t.Errorf("the two were answered %v; want one 303 and one 409", statuses)
	}
	b.carriedOut(t, page)
	if n, _ := b.told(t, "connection.reminded"); n != 1 {
		t.Errorf("done %d times", n)
	}
}

func TestApproval_WantsARecentProofAndTheRightRole(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	page := b.asked(t, remindAll)
	b.stale(t)
	for what, got := range map[string]answer{
		"asking": b.first.post(t, remindAll, "reason", "x"), "approving": b.second.post(t, on(page, models.ActRemind, "approve")),
	} {
		if got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/prove") {
			t.Errorf("%s with an old proof: %d to %q", what, got.status, got.location)
		}
	}
	b.exec(t, `UPDATE sessions SET proved_at = now()`)
	b.exec(t, `UPDATE platform_admins SET roles = '{auditor}'`)
	b.second.post(t, on(page, models.ActRemind, "approve")).want(t, "an auditor", 403, "", "not part of your role")
	b.second.get(t, page).want(t, "an auditor who looks", 200, "", "Deciding on this is not part of your role")
	b.first.get(t, remindAll).want(t, "an auditor who asks", 403, "")
	if n, _ := b.staffTold(t, "approval.approved"); n != 0 {
		t.Error("it was approved")
	}
}

func TestApproval_WhoMayAskNoMoreCountsForNobody(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	page := b.asked(t, remindAll)
	b.exec(t, `UPDATE platform_admins SET roles = '{auditor}' WHERE user_id = (SELECT id FROM users WHERE email = 'admin@example.com')`)
	b.second.post(t, on(page, models.ActRemind, "approve")).want(t, "approving", 409, "", "can only be declined")
	if n, _ := b.staffTold(t, "approval.approved"); n != 0 {
		t.Error("it was approved")
	}
	b.second.post(t, on(page, models.ActRemind, "decline")).want(t, "declining", 303, page)
}

func TestApproval_AnActDoesNotGrowBySlips(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	for _, address := range []string{"/admin/approvals/withdraw?provider=fakee&tenant=" + b.tenant, "/admin/approvals/remind?provider=fakee&within=30"} {
		b.first.get(t, address).want(t, address, 404, "")
		b.first.post(t, address, "reason", "They asked us to").want(t, "asking at "+address, 404, "")
	}
	if n, _ := b.staffTold(t, "approval.asked"); n != 0 {
		t.Errorf("%d acts were asked for", n)
	}
}

func TestApproval_WhoAsksToSeeAllIsToldWhoReadsTheReason(t *testing.T) {
	t.Parallel()
	b := newBridge(t)
	b.first.get(t, "/admin/approvals/reveal?tenant="+b.tenant).want(t, "of values", 200, "", "the merchant reads it with every look")
	b.first.get(t, remindAll).want(t, "of others", 200, "", "it stays in the record")
}
