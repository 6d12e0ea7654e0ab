package handlers

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"mooring/internal/i18n"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// tells makes the fake tell this company, and has it fetched.
func (h *harbour) tells(t *testing.T, v *visitor, connection string, c oauth.Company) {
	t.Helper()
	h.fake.Set(func(f *oauthtest.Fake) {
		f.OnCompany = func(context.Context, oauth.Credential) (oauth.Reading[oauth.Company], error) {
			return oauth.Reading[oauth.Company]{Data: c, Raw: []byte(`{}`)}, nil
		}
	})
	h.work(t)
	v.post(t, connection+"/sync").want(t, "fetching", http.StatusSeeOther, connection)
	h.work(t)
}

func TestChanges_ShowOldAndNewInBothLanguages(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	connection := h.connected(t, v, "12345")
	empty := v.get(t, connection+"/history")
	if empty.status != http.StatusOK || !strings.Contains(empty.body, "Nothing has been fetched yet") {
		t.Errorf("before anything was fetched: %d\n%s", empty.status, empty.body)
	}
	h.tells(t, v, connection, oauth.Company{Name: "<i>Pier</i>", LegalPerson: "Lin Yue Ming"})
	h.tells(t, v, connection, oauth.Company{Name: "Quay", LegalPerson: "Wang Fang Fang"})
	for lang, wants := range map[string][]string{
		"en":    {"Company changed", "Legal representative", "<del>Li•••ng</del>", "<ins>Wa•••ng</ins>", "<del>&lt;i&gt;Pier&lt;/i&gt;</del>", "Company fetched for the first time"},
		"zh-CN": {"企业信息有变更", "法定代表人", "<del>Li•••ng</del>", "首次获取"},
	} {
		page := v.get(t, connection+"/history?lang="+lang+"&block=company")
		for _, want := range wants {
			if !strings.Contains(page.body, want) {
				t.Errorf("%s: the page lacks %q\n%s", lang, want, page.body)
			}
		}
		if strings.Contains(page.body, "Yue") || strings.Contains(page.body, "⟨") {
			t.Errorf("%s: the page tells a personal value, or lacks a word\n%s", lang, page.body)
		}
	}
	v.get(t, "/settings?lang=en")
	if page := v.get(t, connection); !strings.Contains(page.body, "See what it was before") || strings.Count(page.body, `<span class="badge wait">changed`) != 2 {
		t.Errorf("the connection's page does not point at the two fields\n%s", page.body)
	}
	if page := v.get(t, "/activity"); !strings.Contains(page.body, "Company: Name, Legal representative") {
		t.Errorf("the activity does not name the fields\n%s", page.body)
	}
	if page := v.get(t, connection+"/history?before=x"); page.status != http.StatusUnprocessableEntity && page.status != http.StatusBadRequest {
		t.Errorf("a cursor of nobody's: %d", page.status)
	}
	stranger := h.owner(t, "b@example.com")
	if page := stranger.get(t, connection+"/history"); page.status != http.StatusNotFound {
		t.Errorf("a stranger reads the history: %d", page.status)
	}
}

// TestEveryShownFieldHasOneName holds the rows of the pages and the names in histories together.
func TestEveryShownFieldHasOneName(t *testing.T) {
	for _, lang := range i18n.Languages() {
		w := wordsIn(t, lang)
		for block, fields := range map[oauth.Block]string{
			oauth.BlockMerchant: "id name status gateways",
			oauth.BlockCompany:  "name type tax_number address legal_person legal_phone registered province city zone phone none",
			oauth.BlockUser:     "id username real_name phone email created admin verification_type verification_level",
			oauth.BlockWallet:   "available frozen total credit_line worth all_worth",
		} {
			var names []string
			for field := range strings.FieldsSeq(fields) {
				name, ok := w.FieldName(block, field)
				if !ok || strings.Contains(name, "⟨") || slices.Contains(names, name) {
					t.Errorf("%s: %s.%s is called %q", lang, block, field, name)
				}
				names = append(names, name)
			}
		}
	}
}

func TestAnEventNamesFieldsItKnowsAndOthersTogether(t *testing.T) {
	got := wordsIn(t, i18n.English).fieldsOf(models.Event{Detail: map[string]any{"block": "company", "fields": []any{"name", "unmapped", "later", "city"}}})
	if got != "Name, Other details, City" {
		t.Errorf("the fields are %q", got)
	}
}
