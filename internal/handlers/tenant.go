package handlers

import (
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
)

// TenantPage is one merchant as the platform sees it: how their accounts are, what the providers say of them, what has changed,
// people, history.
type TenantPage struct {
	Page
	Tenant   models.TenantDetail
	Accounts []TenantAccount
	Beside   Comparison
	Review   ReviewBox
	History  []EventLine
	Newest   bool   // the history begins here
	Older    string // address of what comes after it; "" if nothing does
	MayView  bool   // may look at the merchant's pages as a viewer
}

// TenantAccount is one connection of the merchant.
type TenantAccount struct {
	OverviewAccount
	Panel   StatePanel
	Changes []ChangesEntry // of merchant and company data, newest first
}

// showTenant answers "GET /admin/tenants/:id".
func (s *Server) showTenant(c *gin.Context, a *Admin) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	before := uuid.Nil
	if text := c.Query("before"); text != "" {
		if before, err = uuid.Parse(text); err != nil {
			return errs.New(errs.Invalid, "error.bad_cursor")
		}
	}
	tenant, err := a.Store.Tenant(c.Request.Context(), id, before)
	if err != nil {
		return err
	}
	if len(tenant.Snapshots) > 0 { // its people can read that somebody looked
		if err := a.Store.NoteView(c.Request.Context(), id, models.NewEvent{Kind: "tenant.viewed"}); err != nil {
			return err
		}
	}
	page := TenantPage{Page: s.page(c, "admin.tenant_title", "name", tenant.Name), Tenant: tenant, Newest: before == uuid.Nil}
	page.MayView = !tenant.Closed && shareOne(a.Session.StaffRoles, viewers())
	page.Review = s.reviewBox(page.Words, tenant, a.Session.UserID)
	page.Accounts = s.tenantAccounts(page.Page, tenant)
	page.Beside = page.compare(live(page.Accounts))
	page.History = s.historianOf(page.Words, tenant.Members).lines(tenant.Timeline)
	if tenant.Older != uuid.Nil {
		page.Older = "/admin/tenants/" + id.String() + "?before=" + tenant.Older.String() + "#history"
	}
	return s.show(c, page)
}

// tenantAccounts are a tenant's connections, those that stand with how far they have come.
func (s *Server) tenantAccounts(p Page, tenant models.TenantDetail) []TenantAccount {
	changes := s.Connect.TenantChanges(tenant)
	var accounts []TenantAccount
	for _, view := range s.Connect.OpenTenant(tenant) {
		account := TenantAccount{Panel: p.theirStatePanel(view)}
		account.OverviewAccount = OverviewAccount{Words: p.Words, ConnectionView: view, Mark: p.Mark(view.Provider), Staff: true}
		if view.State != models.Disconnected {
			account.Steps = p.theirSteps(view)
		}
		if view.ErasedAt == nil {
			account.Data = s.tenantCards(p.Words, view)
			account.Changes = p.changesEntries(changes[view.ID])
		}
		accounts = append(accounts, account)
	}
	return accounts
}

func (s *Server) tenantCards(w Words, view connect.ConnectionView) []BlockCard {
	cards := w.blockCards(view, s.Now())
	for i := range cards {
		cards[i].Reveal = "/admin/tenants/" + view.TenantID.String() + "/reveal/" + view.ID.String() + "/" + string(cards[i].Block)
	}
	return cards
}

// live are the accounts that stand, for the comparison.
func live(accounts []TenantAccount) []OverviewAccount {
	var standing []OverviewAccount
	for _, account := range accounts {
		if account.State != models.Disconnected {
			standing = append(standing, account.OverviewAccount)
		}
	}
	return standing
}

func (w Words) changesEntries(entries []connect.HistoryEntry) []ChangesEntry {
	told := make([]ChangesEntry, 0, len(entries))
	for _, e := range entries {
		told = append(told, w.changesEntry(e))
	}
	return told
}

// historianOf writes for one of the staff, who calls a tenant's members by their addresses.
func (s *Server) historianOf(w Words, members []models.Member) historian {
	return historian{words: w, describe: s.Connect.Describe, nameOf: func(e models.Event) string {
		for _, member := range members {
			if member.UserID == *e.ActorID {
				return member.Email
			}
		}
		return w.T("event.by_former")
	}}
}

// HasChanges says whether anything in the merchant's data is not what it was.
func (p TenantPage) HasChanges() bool {
	for _, account := range p.Accounts {
		if len(account.Changes) > 0 {
			return true
		}
	}
	return false
}

// Newer is the page with the history's beginning.
func (p TenantPage) Newer() string { return "/admin/tenants/" + p.Tenant.ID.String() + "#history" }
