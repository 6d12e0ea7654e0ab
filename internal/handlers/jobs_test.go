package handlers

import (
	"fmt"
	"strings"
	"testing"
)

// jobs leaves jobs as a bad day would, and gives the page of the one that is tried again.
func (d *dock) jobs(t *testing.T) (retryable string) {
	t.Helper()
	var id int64
	must(t, d.db.Owner.QueryRow(t.Context(), `
		INSERT INTO river.river_job (kind, args, queue, max_attempts, state, attempt, scheduled_at, errors)
		SELECT 'notice', jsonb_build_object('tenant', id), 'mail', 8, 'retryable', 2, now() + interval '1 hour',
		       ARRAY['{"at":"2026-01-01T00:00:00Z","error":"mail: the server of canary@example.com does not take it now"}'::jsonb]
		  FROM tenants LIMIT 1 RETURNING id`).Scan(&id))
	_, err := d.db.Owner.Exec(t.Context(), `INSERT INTO mails (job, kind, tenant, address, state, fault, tries, created_at, tried_at)
		SELECT $1, 'connection.needs_you', id, 'a***@e***', 'waiting', 'busy', 2, now(), now() FROM tenants LIMIT 1`, id)
	must(t, err)
	_, err = d.db.Owner.Exec(t.Context(), `INSERT INTO mails (job, kind, address, state, fault, tries, created_at, tried_at, ended_at)
		SELECT n, 'reset', 'b***@e***', 'refused', 'refused', 1, now(), now(), now() FROM generate_series(1000001, 1000060) n`)
	must(t, err)
	return fmt.Sprintf("/admin/jobs/%d", id)
}

func TestJobs_AreShownAndRunAtOnce(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	d.visitor(t).member(t, "a@example.com")
	one := d.jobs(t)
	staff := d.staff(t)
	list := staff.get(t, "/admin/jobs?state=failing&kind=notice")
	list.want(t, "the list", 200, "", "Mail about a connection", "Harbour Ltd", "2 of 8", "Tried again", "does not take it now", one)
	if strings.Contains(list.body, "canary") {
		t.Error("the list shows a value of an error")
	}
	staff.get(t, "/admin/jobs?state=running").want(t, "none of these", 200, "", "Nothing here")
	staff.get(t, one+"?lang=zh-CN").want(t, "in Chinese", 200, "", "立即运行", "将重试", "取消此任务")
	staff.get(t, one+"?lang=en").want(t, "one", 200, "", `id="retry"`, `id="cancel"`, "This mail will not be sent")
	staff.post(t, one+"/retry").want(t, "running it at once", 303, one)
	staff.get(t, one).want(t, "afterwards", 200, "", "The job runs now", "Waiting")
	staff.post(t, one+"/cancel").want(t, "cancelling it", 303, one)
	staff.post(t, one+"/cancel").want(t, "cancelling it again", 303, one)
	staff.get(t, one).want(t, "afterwards", 200, "", "Nothing was changed", "Cancelled", `id="retry"`)
	staff.get(t, "/admin/audit").want(t, "the history", 200, "", "Cancelled a background job: Mail about a connection.")
	if n := d.count(t, `SELECT count(*) FROM platform_events WHERE kind IN ('job.retried', 'job.cancelled')`); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
	for _, bad := range []string{"state=nonsense", "before=x"} {
		staff.get(t, "/admin/jobs?"+bad).want(t, bad, 422, "")
		staff.get(t, "/admin/mails?"+bad).want(t, bad, 422, "")
	}
	for _, gone := range []string{"/admin/jobs/999999999", "/admin/jobs/x"} {
		staff.get(t, gone).want(t, gone, 404, "")
		staff.post(t, gone+"/retry").want(t, gone, 404, "")
	}
}

func TestMails_AreShownMasked(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	d.visitor(t).member(t, "a@example.com")
	one := d.jobs(t)
	staff := d.staff(t)
	list := staff.get(t, "/admin/mails?state=waiting")
	list.want(t, "what waits", 200, "", "Connection needs its merchant", "a***@e***", "Harbour Ltd", "Tried again", "may later", one)
	lost := staff.get(t, "/admin/mails?state=lost")
	lost.want(t, "what was lost", 200, "", "Refused or failed (60)", "Refused for good", "New password", "before=1000011")
	older := staff.get(t, "/admin/mails?state=lost&before=1000011")
	if n := strings.Count(older.body, "b***@e***"); n != 10 {
		t.Errorf("%d on the second page, want 10", n)
	}
	staff.get(t, "/admin/mails?state=sent&lang=zh-CN").want(t, "none of these", 200, "", "这里没有邮件")
}

func TestJobs_BelongToTheStaff(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	one := d.jobs(t)
	for _, page := range []string{"/admin/jobs", one, "/admin/mails"} {
		v.get(t, page).want(t, "a merchant", 403, "")
	}
	for _, act := range []string{one + "/retry", one + "/cancel", "/settings/digest"} {
		v.post(t, act).want(t, "a merchant", 403, "")
		d.visitor(t).post(t, act).want(t, "nobody", 303, "/login")
	}
	if n := d.count(t, `SELECT count(*) FROM river.river_job WHERE state = 'retryable'`); n != 1 {
		t.Error("somebody else has done it")
	}
}

func TestSettings_TheDigestIsAChoiceOfTheStaff(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	if strings.Contains(v.get(t, "/settings").body, `id="digest"`) {
		t.Error("a merchant is offered the digest")
	}
	staff := d.staff(t)
	staff.get(t, "/settings").want(t, "at first", 200, "", `name="digest" checked`)
	staff.post(t, "/settings/digest").want(t, "switching it off", 303, "/settings")
	page := staff.get(t, "/settings")
	page.want(t, "afterwards", 200, "", "Your choice of the daily digest is saved")
	if strings.Contains(page.body, `name="digest" checked`) {
		t.Error("it is still on")
	}
	staff.post(t, "/settings/digest", "digest", "on")
	staff.get(t, "/settings").want(t, "on again", 200, "", `name="digest" checked`)
}
