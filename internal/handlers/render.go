package handlers

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"reflect"
	"strings"

	"github.com/gin-gonic/gin"
)

// pageTable is every page: the file below templates/pages and the struct it shows.
func pageTable() map[string]any {
	all := peoplesPages()
	maps.Copy(all, merchantsPages())
	maps.Copy(all, staffPages())
	return all
}

// peoplesPages are about who one is, and for whoever passes by.
func peoplesPages() map[string]any {
	return map[string]any{
		"closed":        ClosedPage{},
		"code":          CodePage{},
		"error":         ErrorPage{},
		"factor-remove": RemoveFactorPage{},
		"factors":       FactorsPage{},
		"forgot":        ForgotPage{},
		"forgot-sent":   ForgotSentPage{},
		"invitation":    InvitationPage{},
		"landing":       LandingPage{},
		"link-dead":     LinkDeadPage{},
		"login":         SignInPage{},
		"passkey":       PasskeyPage{},
		"prove":         ProvePage{},
		"receipts":      ReceiptsPage{},
		"recovery":      RecoveryPage{},
		"reset":         ResetPage{},
		"settings":      SettingsPage{},
		"signup":        SignUpPage{},
		"signup-finish": SignUpFinishPage{},
		"signup-sent":   SignUpSentPage{},
		"totp":          TOTPPage{},
	}
}

// merchantsPages are what a tenant's members work with.
func merchantsPages() map[string]any {
	return map[string]any{
		"activity":    ActivityPage{},
		"answer":      AnswerPage{},
		"attempt":     AttemptPage{},
		"balances":    BalancesPage{},
		"changes":     ChangesPage{},
		"close":       ClosePage{},
		"colleague":   ColleaguePage{},
		"connect":     ConnectPage{},
		"connection":  ConnectionPage{},
		"connections": ConnectionsPage{},
		"disconnect":  DisconnectPage{},
		"erase":       ErasePage{},
		"expiring":    ExpiringPage{},
		"export":      ExportPage{},
		"invite":      InvitePage{},
		"invite-link": InvitationLinkPage{},
		"notices":     NoticesPage{},
		"overview":    OverviewPage{},
		"report":      ReportPage{},
		"reveal":      RevealPage{},
		"revealed":    RevealedPage{},
		"step":        StepPage{},
		"team":        TeamPage{},
		"workplaces":  WorkplacesPage{},
	}
}

// staffPages are the platform's.
func staffPages() map[string]any {
	return map[string]any{
		"approval":      ApprovalPage{},
		"approval-ask":  ApprovalAskPage{},
		"approvals":     ApprovalsPage{},
		"audit":         AuditPage{},
		"callback":      CallbackPage{},
		"endpoint":      EndpointPage{},
		"endpoint-ask":  EndpointAskPage{},
		"endpoint-form": EndpointFormPage{},
		"endpoint-key":  EndpointSecretPage{},
		"endpoints":     EndpointsPage{},
		"expiry-board":  ExpiryBoard{},
		"filters":       FiltersPage{},
		"inbox":         InboxPage{},
		"job":           JobPage{},
		"jobs":          JobsPage{},
		"keys":          KeysPage{},
		"links":         LinksPage{},
		"mail":          MailPage{},
		"mails":         MailsPage{},
		"provider":      ProviderPage{},
		"providers":     ProvidersPage{},
		"review":        ReviewPage{},
		"revealed-all":  AllRevealedPage{},
		"tenant":        TenantPage{},
		"tenants":       TenantsPage{},
		"view-as":       ViewAsPage{},
		"work":          WorkPage{},
	}
}

// pageSet is every page, parsed once. Each has a template set of its own, so that two pages may define the same blocks.
type pageSet struct {
	byType map[reflect.Type]*template.Template
}

func loadPages(files fs.FS) (*pageSet, error) {
	base, err := template.New("").ParseFS(files, "layouts/*.html", "partials/*.html")
	if err != nil {
		return nil, err
	}
	set := &pageSet{byType: map[reflect.Type]*template.Template{}}
	declared := pageTable()
	for name, page := range declared {
		own, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if own, err = own.ParseFS(files, "pages/"+name+".html"); err != nil {
			return nil, err
		}
		if _, twice := set.byType[reflect.TypeOf(page)]; twice {
			return nil, fmt.Errorf("%T is declared for two pages", page)
		}
		set.byType[reflect.TypeOf(page)] = own.Lookup("layout.html")
	}
	found, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range found {
		if _, ok := declared[strings.TrimSuffix(path.Base(file), ".html")]; !ok {
			return nil, fmt.Errorf("%s is not declared in the page table", file)
		}
	}
	return set, nil
}

// execute writes a page to a buffer: half a page is never sent.
func (set *pageSet) execute(page any) (*bytes.Buffer, error) {
	t, ok := set.byType[reflect.TypeOf(page)]
	if !ok {
		return nil, fmt.Errorf("%T is not in the page table", page)
	}
	out := bytes.NewBuffer(make([]byte, 0, 32<<10))
	if err := t.Execute(out, page); err != nil {
		return nil, err
	}
	return out, nil
}

// render answers with a page; its struct says which template.
func (s *Server) render(c *gin.Context, status int, page any) error {
	text, err := s.pages.execute(page)
	if err != nil {
		return fmt.Errorf("handlers: rendering: %w", err)
	}
	c.Data(status, "text/html; charset=utf-8", text.Bytes())
	return nil
}

// show is render for a page that went well.
func (s *Server) show(c *gin.Context, page any) error { return s.render(c, http.StatusOK, page) }

// seeOther sends the browser to a page of ours after a form, so that a reload repeats nothing.
func seeOther(c *gin.Context, path string) error {
	c.Redirect(http.StatusSeeOther, path)
	return nil
}
