package handlers

import (
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"mooring/internal/i18n"
	"mooring/internal/models"
)

// deadlineOf reads a day, tomorrow at the earliest. It ends with the day in China, and is the same day in UTC.
func (s *Server) deadlineOf(day string) *time.Time {
	at, err := time.Parse(time.DateOnly, day)
	today := s.Now().UTC().Truncate(24 * time.Hour)
	if err != nil || !at.After(today) || at.After(today.AddDate(0, 0, longestDeadline)) {
		return nil
	}
	at = at.Add(16*time.Hour - time.Second)
	return &at
}

// askable are the things that this merchant can be asked to do, by the value on the form.
func (s *Server) askable(tenant models.TenantDetail) (values []string, items []models.ReviewItem) {
	add := func(kind models.ItemKind, key, provider string, c *models.Connection) {
		item := models.ReviewItem{Kind: kind, Provider: provider}
		if c != nil {
			item.Connection, item.Account = &c.ID, c.AccountMasked
		}
		values, items = append(values, string(kind)+":"+key), append(items, item)
	}
	for i := range tenant.Links {
		link := &tenant.Links[i]
		add(models.ItemReconnect, link.ID.String(), link.Provider, link)
		if link.State != models.Disconnected {
			add(models.ItemRefresh, link.ID.String(), link.Provider, link)
		}
	}
	for _, d := range s.Connect.Providers.All() {
		if _, offered, _ := s.Connect.Describe(d.Slug); offered {
			add(models.ItemConnect, d.Slug, d.Slug, nil)
		}
	}
	return values, items
}

// chosenItems gives what was ticked. What the form did not offer is left out.
func (s *Server) chosenItems(d decision, tenant models.TenantDetail) (chosen []models.ReviewItem) {
	values, items := s.askable(tenant)
	for i, value := range values {
		if slices.Contains(d.items, value) {
			chosen = append(chosen, items[i])
		}
	}
	return chosen
}

func (s *Server) reviewPage(c *gin.Context, tenant models.TenantDetail, d decision, faults Faults) ReviewPage {
	today := s.Now().UTC()
	page := ReviewPage{
		Page: s.page(c, "review.ask_"+string(d.act), "name", tenant.Name), Faults: faults, Tenant: tenant, Act: d.act,
		Lead: s.visitOf(c).p.T("review.lead_" + string(d.act)), Send: s.visitOf(c).p.T("review.send_" + string(d.act)),
		Version: d.version, Deadline: d.deadline, Message: d.message, MaxMessage: longestMessage,
		FirstDay: today.AddDate(0, 0, 1).Format(time.DateOnly), LastDay: today.AddDate(0, 0, longestDeadline).Format(time.DateOnly),
	}
	for _, code := range reviewReasons(d.act) {
		page.Reasons = append(page.Reasons, ReviewChoice{Value: code, Text: page.T("review.reason_" + code), Chosen: d.reason == code})
	}
	if d.act == models.ReviewMore {
		values, items := s.askable(tenant)
		for i, value := range values {
			text := page.taskText(items[i], s.Connect.Describe)
			page.Items = append(page.Items, ReviewChoice{Value: value, Text: text, Chosen: slices.Contains(d.items, value)})
		}
	}
	return page
}

// previews gives what each of the merchant's owners will read: in the language they chose, or in each where they chose none.
func (s *Server) previews(tenant models.TenantDetail, step models.ReviewStep) (previews []ReviewPreview) {
	tags := tenant.Review.Languages
	if len(tags) == 0 || slices.Contains(tags, "") {
		tags = i18n.Languages()
	}
	after := map[models.ReviewAct]models.ReviewState{
		models.ReviewApprove: models.ReviewApproved, models.ReviewMore: models.ReviewNeedsMore,
		models.ReviewReject: models.ReviewRejected, models.ReviewReopen: models.ReviewOpen,
	}
	review := models.Review{
		State: after[step.Act], Since: s.Now(), Reason: step.Reason, Message: step.Message, Deadline: step.Deadline, Items: step.Items,
	}
	for _, tag := range tags {
		words := Words{s.Words.Printer(tag).At(s.Now())}
		panel := words.reviewPanel(review, s.Connect.Describe)
		panel.Preview = true
		previews = append(previews, ReviewPreview{Lang: tag, Language: words.T("review.language"), Panel: panel})
	}
	return previews
}
