package handlers

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"mooring/internal/errs"
	"mooring/internal/models"
)

// longestFilter bounds the query that is kept.
const longestFilter = 2000

// staffList is a list of the staff's whose filters can be kept.
type staffList struct {
	name, title, path string
	keys              []string // of its address, that narrow it
}

func staffLists() []staffList {
	return []staffList{
		{models.WorkList, "work.title", "/admin", []string{"queue", "who"}},
		{models.TenantsList, "common.menu_tenants", "/admin/tenants", []string{"q"}},
		{models.LinksList, "work.links", "/admin/connections", []string{"state", "provider"}},
	}
}

// staffListOf finds a list by its name.
func staffListOf(name string) (staffList, bool) {
	lists := staffLists()
	i := slices.IndexFunc(lists, func(l staffList) bool { return l.name == name })
	if i < 0 {
		return staffList{}, false
	}
	return lists[i], true
}

// narrowing is what of an address narrows the list, in one way of writing it; "": nothing does.
func (l staffList) narrowing(asked url.Values) string {
	_, query, _ := strings.Cut(narrowed(l.path, asked, l.keys...)("", ""), "?")
	return query
}

// KeptFilters are the viewer's own filters of a list, above it.
type KeptFilters struct {
	Words
	Links []MenuItem
	Save  string // where to keep what the list is narrowed to; "" if nothing does, or it is kept already
}

// keptFilters says what stands above a list that was asked for so.
func (w Words) keptFilters(list string, asked url.Values, saved []models.SavedFilter) KeptFilters {
	l, _ := staffListOf(list)
	now := l.narrowing(asked)
	kept := KeptFilters{Words: w}
	for _, f := range saved {
		kept.Links = append(kept.Links, MenuItem{Link: Link{Text: f.Name, Href: l.path + "?" + f.Query}, Current: f.Query == now})
	}
	if now != "" && !slices.ContainsFunc(kept.Links, func(i MenuItem) bool { return i.Current }) {
		kept.Save = "/settings/filters?list=" + l.name + "&" + now
	}
	return kept
}

// FiltersPage is one's own filters, and the form that keeps another one.
type FiltersPage struct {
	Page
	Faults
	Form  *FilterForm // nil: there is nothing to keep
	Lists []FilterGroup
	Most  int
}

// FilterForm names what a list is narrowed to.
type FilterForm struct {
	List, Query string
	What        string // in words
	Name        Field
	Back        string
}

// FilterGroup is the filters of one list.
type FilterGroup struct {
	Title string
	Rows  []FilterLine
}

// FilterLine is a filter with what it narrows to, in words.
type FilterLine struct {
	models.SavedFilter
	Href, What string
}

// ownFilters gives the store of one of the staff. Filters are one's own, whatever one's roles are.
func (s *Server) ownFilters(p *Person) (*models.PlatformStore, error) {
	if !p.Session.IsAdmin {
		return nil, errs.New(errs.Forbidden, "error.admins_only")
	}
	return s.Store.Platform(models.Actor{Kind: models.Staff, ID: p.Session.UserID}), nil
}

// showFilters answers "GET /settings/filters", which names a list and its filter if one is to be kept.
func (s *Server) showFilters(c *gin.Context, p *Person) error {
	page, err := s.filtersPage(c, p)
	if err != nil {
		return err
	}
	if list, known := staffListOf(c.Query("list")); known {
		page.ask(s, list, c.Request.URL.Query(), nil)
	}
	return s.show(c, page)
}

func (s *Server) filtersPage(c *gin.Context, p *Person) (page FiltersPage, err error) {
	store, err := s.ownFilters(p)
	if err != nil {
		return page, err
	}
	all, err := store.Filters(c.Request.Context())
	if err != nil {
		return page, err
	}
	page = FiltersPage{Page: s.page(c, "work.filters"), Most: models.MaxFilters}
	for _, list := range staffLists() {
		group := FilterGroup{Title: page.T(list.title)}
		for _, f := range all {
			if f.List != list.name {
				continue
			}
			asked, _ := url.ParseQuery(f.Query) // it was made by narrowing
			group.Rows = append(group.Rows, FilterLine{SavedFilter: f, Href: list.path + "?" + f.Query, What: s.filterWords(page.Words, list, asked)})
		}
		if len(group.Rows) > 0 {
			page.Lists = append(page.Lists, group)
		}
	}
	return page, nil
}

// ask puts the form for a filter into the page; name is what was written there before, nil: nothing yet.
func (p *FiltersPage) ask(s *Server, list staffList, asked url.Values, name *string) {
	query := list.narrowing(asked)
	if query == "" {
		return
	}
	what := s.filterWords(p.Words, list, asked)
	form := &FilterForm{List: list.name, Query: query, What: p.T(list.title) + " · " + what, Back: list.path + "?" + query}
	form.Name = Field{
		Name: "name", Type: "text", Label: p.T("work.filter_name"), Fault: p.On("name"), Required: true, MaxLength: models.MaxFilterName, Autocomplete: "off",
	}
	if name != nil {
		form.Name.Value = *name
	} else if utf8.RuneCountInString(what) <= models.MaxFilterName {
		form.Name.Value = what
	}
	p.Form = form
}

// filterWords says what a list is narrowed to.
func (s *Server) filterWords(w Words, list staffList, asked url.Values) string {
	var words []string
	for _, key := range list.keys {
		value := asked.Get(key)
		if value == "" {
			continue
		}
		text := value
		switch key {
		case "queue", "who":
			text = w.T("work." + key + "_" + value)
		case "state":
			text = w.TheirStateBadge(models.Connection{State: models.State(value)}).Text
		case "provider":
			if d, _, known := s.Connect.Describe(value); known {
				text = w.Say(d.Title)
			}
		}
		words = append(words, text)
	}
	return strings.Join(words, " · ")
}

// saveFilter answers "POST /settings/filters" and leads to the list, narrowed.
func (s *Server) saveFilter(c *gin.Context, p *Person) error {
	store, err := s.ownFilters(p)
	if err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	list, known := staffListOf(form.Get("list"))
	asked, badQuery := url.ParseQuery(form.Get("query"))
	f := models.SavedFilter{List: list.name, Name: strings.Join(strings.Fields(form.Get("name")), " "), Query: list.narrowing(asked)}
	if !known || badQuery != nil || f.Query == "" || len(f.Query) > longestFilter {
		return errs.New(errs.Invalid, "error.bad_form")
	}
	if n := utf8.RuneCountInString(f.Name); n == 0 || n > models.MaxFilterName {
		err = errs.New(errs.Invalid, "work.filter_needs_name").With("most", models.MaxFilterName).On("name")
	} else {
		err = store.SaveFilter(c.Request.Context(), f)
	}
	if err == nil {
		s.cookies.flash(c, "work.filter_saved")
		return seeOther(c, list.path+"?"+f.Query)
	}
	return s.filterAgain(c, p, list, asked, f.Name, err)
}

// filterAgain shows the form with what can be corrected; any other error goes on to the error page.
func (s *Server) filterAgain(c *gin.Context, p *Person, list staffList, asked url.Values, name string, cause error) error {
	faults, status, ok := faultsOf(p.P, cause)
	if !ok {
		return cause
	}
	page, err := s.filtersPage(c, p)
	if err != nil {
		return err
	}
	eventOf(c.Request.Context()).failed(cause)
	page.Faults = faults
	page.ask(s, list, asked, &name)
	return s.render(c, status, page)
}

// removeFilter answers "POST /settings/filters/:id/remove".
func (s *Server) removeFilter(c *gin.Context, p *Person) error {
	store, err := s.ownFilters(p)
	if err != nil {
		return err
	}
	id, err := idOf(c)
	if err != nil {
		return err
	}
	if err := store.DeleteFilter(c.Request.Context(), id); err != nil {
		return err
	}
	s.cookies.flash(c, "work.filter_removed")
	return seeOther(c, "/settings/filters")
}
