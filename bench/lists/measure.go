package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// unmeasured is how often a page is asked for before it counts: PostgreSQL settles on a plan after five.
const unmeasured = 12

// list is a page that is measured. A deep one is not its first page.
type list struct {
	name, path string
	deep       bool
}

// figures are what a page took in one database, sorted.
type figures struct {
	page, data []time.Duration
	rows       int
}

type finding struct {
	list
	small, large figures
}

// lists are all lists and searches of the staff, with each filter that is offered.
func lists() []list {
	all := []list{
		{name: "tenants", path: "/admin/tenants"}, {name: "tenants, deep", path: "/admin/tenants", deep: true},
		{name: "search: a word of most names", path: "/admin/tenants?q=ltd"}, {name: "... deep", path: "/admin/tenants?q=ltd", deep: true},
		{name: "search: a word of a tenth", path: "/admin/tenants?q=Lantern"}, {name: "search: a word of one", path: "/admin/tenants?q=zephyrine"},
		{name: "search: a word of none", path: "/admin/tenants?q=nobody"}, {name: "search: one letter", path: "/admin/tenants?q=l"},
		{name: "search: within a Chinese name", path: "/admin/tenants?q=" + url.QueryEscape("贸易")},
		{name: "search: address", path: "/admin/tenants?q=owner500@example.com"}, {name: "search: account", path: "/admin/tenants?q=" + account},
	}
	for _, queue := range []string{"us", "linked", "in_review", "needs_more", "approved", "rejected"} {
		for _, who := range []string{"", "me", "nobody"} {
			all = append(all, list{name: strings.Trim("work: "+queue+" "+who, " "), path: "/admin?queue=" + queue + "&who=" + who})
		}
	}
	all = append(all, list{name: "work: approved, deep", path: "/admin?queue=approved", deep: true})
	for _, provider := range []string{"", "chainup"} {
		for _, state := range []string{"", "needs_you", "provider", "ours", "connected", "disconnected"} {
			all = append(all, list{name: strings.TrimSpace("connections: " + state + " " + provider), path: "/admin/connections?state=" + state + "&provider=" + provider})
		}
		for _, state := range []string{"", "waiting", "parked", "dead", "processed"} {
			all = append(all, list{name: strings.TrimSpace("inbox: " + state + " " + provider), path: "/admin/webhooks?state=" + state + "&provider=" + provider})
		}
		for _, within := range []string{"14", "90"} {
			all = append(all, list{name: strings.TrimSpace("expiring: " + within + " " + provider), path: "/admin/expiring?within=" + within + "&provider=" + provider})
		}
	}
	all = append(all, list{name: "connections, deep", path: "/admin/connections", deep: true},
		list{name: "connections: needs_you, deep", path: "/admin/connections?state=needs_you", deep: true},
		list{name: "inbox, deep", path: "/admin/webhooks", deep: true}, list{name: "expiring, deep", path: "/admin/expiring?within=90", deep: true})
	for _, state := range []string{"", "waiting", "lost", "sent", "unsent"} {
		all = append(all, list{name: "mails: " + state, path: "/admin/mails?state=" + state})
	}
	for _, kind := range []string{"", "sync", "notice"} {
		for _, state := range []string{"", "failing", "waiting", "running", "ended"} {
			all = append(all, list{name: strings.TrimSpace("jobs: " + state + " " + kind), path: "/admin/jobs?state=" + state + "&kind=" + kind})
		}
	}
	return append(all, list{name: "mails, deep", path: "/admin/mails", deep: true}, list{name: "jobs, deep", path: "/admin/jobs", deep: true},
		list{name: "jobs: digest", path: "/admin/jobs?kind=digest"},
		list{name: "history", path: "/admin/audit"}, list{name: "history, deep", path: "/admin/audit", deep: true},
		list{name: "history of a person", path: "/admin/audit?person=staff1@mooring.example"}, list{name: "history of nobody", path: "/admin/audit?person=x@example.com"},
		list{name: "endpoints", path: "/admin/endpoints"}, list{name: "deliveries", path: "/admin/endpoints/01900000-0000-7000-8000-000000000001"},
		list{name: "deliveries: failed", path: "/admin/endpoints/01900000-0000-7000-8000-000000000001?state=failed"},
		list{name: "providers", path: "/admin/providers"})
}

// clock adds up the time between a batch's being sent and its end. One request runs at a time.
type clock struct {
	began time.Time
	total time.Duration
}

// TraceBatchStart implements pgx.BatchTracer.
func (k *clock) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	k.began = time.Now()
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (k *clock) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (k *clock) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {
	k.total += time.Since(k.began)
}

// TraceQueryStart implements pgx.QueryTracer; lists send batches.
func (k *clock) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (k *clock) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// signIn goes through the form.
func (w *world) signIn(ctx context.Context) error {
	form := url.Values{"email": {email}, "password": {password().Reveal()}}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, publicURL+"/login", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	w.site.ServeHTTP(answer, r)
	w.cookies = answer.Result().Cookies()
	if answer.Code != http.StatusSeeOther || len(w.cookies) == 0 {
		return fmt.Errorf("signing in: %d", answer.Code)
	}
	return nil
}

// get opens a page.
func (w *world) get(ctx context.Context, path string) (body string, page, data time.Duration, err error) {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, publicURL+path, nil)
	for _, cookie := range w.cookies {
		r.AddCookie(cookie)
	}
	answer := httptest.NewRecorder()
	w.clock.total = 0
	began := time.Now()
	w.site.ServeHTTP(answer, r)
	page = time.Since(began)
	if answer.Code != http.StatusOK {
		return "", 0, 0, fmt.Errorf("%s with %d merchants: %d", path, w.size, answer.Code)
	}
	return answer.Body.String(), page, w.clock.total, nil
}

// reach gives the address that a list is measured at: of a deep one, that of the page so many pages on, or of the last one that has a next.
func (w *world) reach(ctx context.Context, l list, pages int) (path string, err error) {
	next := regexp.MustCompile(`href="([^"]+)" rel="next"`)
	path = l.path
	if !l.deep {
		return path, nil
	}
	for range pages {
		body, _, _, err := w.get(ctx, path)
		if err != nil {
			return "", err
		}
		more := next.FindStringSubmatch(body)
		if more == nil {
			break
		}
		path, l.path = strings.ReplaceAll(more[1], "&amp;", "&"), path
	}
	if path == l.path {
		return "", errors.New(l.name + " has one page only")
	}
	return l.path, nil
}

// measureAll asks both databases in turns.
func measureAll(ctx context.Context, o options, small, large *world) (found []finding, err error) {
	for _, l := range lists() {
		if !o.only.MatchString(l.name) {
			continue
		}
		f := finding{list: l}
		var paths [2]string
		for i, w := range []*world{small, large} {
			if paths[i], err = w.reach(ctx, l, o.deep); err != nil {
				return nil, err
			}
		}
		for round := range unmeasured + o.rounds {
			for i, into := range []*figures{&f.small, &f.large} {
				body, page, data, err := []*world{small, large}[i].get(ctx, paths[i])
				if err != nil {
					return nil, err
				}
				into.rows = strings.Count(body, "<tr>")
				if round >= unmeasured {
					into.page, into.data = append(into.page, page), append(into.data, data)
				}
			}
		}
		for _, taken := range [][]time.Duration{f.small.page, f.small.data, f.large.page, f.large.data} {
			slices.Sort(taken)
		}
		found = append(found, f)
	}
	return found, nil
}

// at gives a percentile, in milliseconds.
func at(sorted []time.Duration, percent int) float64 {
	return float64(sorted[(len(sorted)-1)*percent/100]) / float64(time.Millisecond)
}

// tell prints the table, and says whether every page kept the goal.
func tell(found []finding) (kept bool) {
	kept = true
	fmt.Printf("\n%-34s %9s  %21s  %21s  %5s    %s\n", "milliseconds", "rows", "small: median, p95", "large: median, p95", "ratio", "in the database: small, large, ratio")
	for _, f := range found {
		ratio, data := at(f.large.page, 50)/at(f.small.page, 50), at(f.large.data, 50)/at(f.small.data, 50)
		mark := ""
		if ratio > goal {
			kept, mark = false, "  MISSED"
		}
		fmt.Printf("%-34s %4d %4d  %12.2f %8.2f  %12.2f %8.2f  %5.2f    %8.2f %8.2f  %5.2f%s\n", f.name, f.small.rows, f.large.rows, at(f.small.page, 50), at(f.small.page, 95),
			at(f.large.page, 50), at(f.large.page, 95), ratio, at(f.small.data, 50), at(f.large.data, 50), data, mark)
	}
	return kept
}
