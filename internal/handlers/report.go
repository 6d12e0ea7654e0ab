package handlers

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"mooring/internal/connect"
	"mooring/internal/models"
)

// reportEvents is how many of the newest events a report tells.
const reportEvents = 20

// ReportPage is what support needs to know of a connection, to be copied. It holds no value that is personal or secret.
type ReportPage struct {
	Page
	Connection connect.ConnectionView
	Text       string
}

// showReport answers "GET /connections/:id/report".
func (s *Server) showReport(c *gin.Context, m *Merchant) error {
	view, err := s.connection(c, m)
	if err != nil {
		return err
	}
	page := ReportPage{Page: s.page(c, "reveal.report_title"), Connection: view}
	r := report{Words: page.Words}
	r.line("report_made_at", r.stamp(s.Now()), page.T("reveal.report_made"))
	r.line("reference", page.Reference, page.T("common.reference"))
	r.line("version", s.Version, page.T("reveal.report_version"))
	r.line("tenant", m.Session.TenantID.String(), page.T("reveal.report_tenant"))
	r.connection(view)
	if skew, known := s.Connect.Watch.Skew(view.Connection.Provider); known {
		r.line("provider_clock", fmt.Sprintf("%+dms", skew.Milliseconds()), page.T("reveal.report_skew"))
	}
	r.blocks(view)
	r.events(view.Events)
	page.Text = r.text.String()
	return s.show(c, page)
}

// report writes lines for two readers: a key and a value that are the same in every language, and what they mean in the
// reader's own.
type report struct {
	Words
	text strings.Builder
}

func (r *report) line(key, value, meaning string) {
	if value != "" {
		fmt.Fprintf(&r.text, "%s: %s  # %s\n", key, value, meaning)
	}
}

func (r *report) stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func (r *report) maybe(t *time.Time) string {
	if t == nil {
		return ""
	}
	return r.stamp(*t)
}

func (r *report) connection(v connect.ConnectionView) {
	r.line("connection", v.ID.String(), r.T("reveal.report_connection"))
	r.line("provider", v.Connection.Provider, r.Say(v.Provider.Title))
	r.line("environment", string(v.Environment), r.EnvironmentBadge(v.Environment).Text)
	r.line("account", v.AccountMasked, r.T("reveal.report_account"))
	r.line("state", string(v.Shown()), r.StateBadge(v.Connection).Text)
	if v.Reason != "" {
		r.line("reason", v.Reason, r.reasonOf(v.Provider, v.Reason, "").What)
	}
	r.line("state_since", r.stamp(v.StateSince), r.T("reveal.report_since"))
	r.line("connected_at", r.stamp(v.CreatedAt), r.T("connect.connected_on"))
	r.line("synced_at", r.maybe(v.SyncedAt), r.T("connect.synced"))
	r.line("sync_state", string(v.SyncState), r.T("reveal.report_sync"))
	r.line("sync_failures", strconv.Itoa(v.SyncFailures), r.T("reveal.report_failures"))
	r.line("next_sync_at", r.maybe(v.NextSyncAt), r.T("sync.next"))
	r.line("sync_paused_at", r.maybe(v.SyncPausedAt), r.T("reveal.report_paused"))
	r.line("provider_paused_at", r.stamp(v.PausedSince), r.T("reveal.report_provider_paused"))
	r.line("access_ends_at", r.maybe(v.EndsAt), r.T("history.access_ends"))
	r.line("credential_version", strconv.FormatInt(v.CredentialVersion, 10), r.T("reveal.report_credential"))
}

func (r *report) blocks(v connect.ConnectionView) {
	for _, b := range v.Blocks {
		what := "never"
		switch {
		case b.Broken:
			what = "broken"
		case b.Fetched():
			what = "fetched=" + r.stamp(b.FetchedAt) + " changed=" + r.stamp(b.ChangedAt)
			if !b.ProviderAsOf.IsZero() {
				what += " provider_date=" + r.stamp(b.ProviderAsOf)
			}
			if b.Partial {
				what += " partial"
			}
		}
		r.line("data."+string(b.Block), what, r.BlockName(b.Block))
	}
}

// events tells what happened by words of ours: who it was, and what somebody typed, is left out.
func (r *report) events(all []models.Event) {
	for _, e := range all[:min(reportEvents, len(all))] {
		what := r.stamp(e.CreatedAt) + " " + e.Kind + " by=" + string(e.ActorKind)
		for _, name := range []string{"reason", "code", "block"} {
			if value, _ := e.Detail[name].(string); value != "" {
				what += " " + name + "=" + plainCode(value)
			}
		}
		fmt.Fprintf(&r.text, "event: %s\n", what)
	}
}

// plainCode gives a code if that is what it is: a provider may send anything in its place.
func plainCode(value string) string {
	if regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,40}$`).MatchString(value) {
		return value
	}
	return "•••"
}
