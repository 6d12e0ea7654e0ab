package bench

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// shownCalls is how many calls the page lists.
const shownCalls = 25

// faultPage is GET /_faults: the menu for a person.
type faultPage struct {
	Page
	Problem string
	Groups  []faultGroup
	Offset  int // minutes
	Now     time.Time
	Calls   []Entry
	Total   int
}

type faultGroup struct {
	ID     string
	Title  Text
	Faults []faultRow
}

// faultRow is one fault and, when it is on, its rule.
type faultRow struct {
	Fault
	On *Active
}

// Number is what the value's field shows.
func (f faultRow) Number() int {
	if f.On != nil && f.On.Value != 0 {
		return f.On.Value
	}
	return f.Value.Default
}

// Limited says whether the rule is limited to a stage.
func (f faultRow) Limited(stage Stage) bool {
	return f.On != nil && slices.Contains(f.On.Stages, stage)
}

// StageName is a stage in the page's language.
func (p Page) StageName(stage Stage) string {
	switch stage {
	case Authorize:
		return p.L("授权页面", "authorisation pages")
	case Token:
		return p.L("换取令牌", "token calls")
	case Read:
		return p.L("读取数据", "data reads")
	}
	return string(stage)
}

// showFaults handles "GET /_faults".
func (b *Bench) showFaults(w http.ResponseWriter, r *http.Request) {
	b.writeFaultPage(w, r, http.StatusOK, nil)
}

// changeFaults handles "POST /_faults".
func (b *Bench) changeFaults(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	anchor, err := b.applyForm(r)
	if err != nil {
		b.writeFaultPage(w, r, http.StatusUnprocessableEntity, err)
		return
	}
	Redirect("/_faults"+anchor).WriteTo(w, r)
}

// applyForm does what a form of the page asks for; the anchor is where the page is to open again.
func (b *Bench) applyForm(r *http.Request) (anchor string, err error) {
	if err := r.ParseForm(); err != nil {
		return "", fmt.Errorf("the form is not understood: %w", err)
	}
	name := r.PostForm.Get("name")
	switch r.PostForm.Get("action") {
	case "on":
		return "#" + name, b.setFromForm(r)
	case "off":
		return "#" + name, b.Board.Unset(name)
	case "clear":
		b.Board.Clear()
		return "", nil
	case "clock":
		minutes, err := number(r, "minutes")
		if err != nil || time.Duration(max(minutes, -minutes))*time.Minute > maxOffset {
			return "", fmt.Errorf("minutes: %q is no number of minutes", r.PostForm.Get("minutes"))
		}
		b.Clock.Shift(time.Duration(minutes) * time.Minute)
		return "#clock", nil
	case "forget":
		b.Ledger.Clear()
		return "#calls", nil
	}
	return "", fmt.Errorf("there is no action %q", r.PostForm.Get("action"))
}

func (b *Bench) setFromForm(r *http.Request) error {
	rule := Rule{Name: r.PostForm.Get("name")}
	for _, stage := range []Stage{Authorize, Token, Read} {
		if r.PostForm.Has("at-" + string(stage)) {
			rule.Stages = append(rule.Stages, stage)
		}
	}
	var err error
	if rule.Times, err = number(r, "times"); err != nil {
		return err
	}
	if rule.Value, err = number(r, "value"); err != nil {
		return err
	}
	return b.Board.Set(rule)
}

// number reads a form field; an empty one is 0.
func number(r *http.Request, field string) (int, error) {
	text := r.PostForm.Get(field)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not a number", field, text)
	}
	return n, nil
}

func (b *Bench) writeFaultPage(w http.ResponseWriter, r *http.Request, status int, problem error) {
	calls, counters := b.Ledger.After(0)
	slices.Reverse(calls)
	p := &faultPage{
		Page: b.Page(r, Text{"故障菜单", "Fault menu"}), Groups: b.groups(),
		Offset: int(b.Clock.Offset() / time.Minute), Now: b.Clock.Now(),
		Calls: calls[:min(len(calls), shownCalls)], Total: counters.Calls,
	}
	if problem != nil {
		p.Problem = problem.Error()
	}
	b.Pages.Render(status, "faults", p).WriteTo(w, r)
}

// groups sorts the menu under its headings.
func (b *Bench) groups() []faultGroup {
	on := map[string]*Active{}
	for _, active := range b.Board.Active() {
		on[active.Name] = &active
	}
	var groups []faultGroup
	for _, g := range []Group{Return, Credential, Transport, Variant} {
		group := faultGroup{ID: "group-" + strconv.Itoa(int(g)), Title: g.Title()}
		for _, f := range b.Board.Menu() {
			if f.Group == g {
				group.Faults = append(group.Faults, faultRow{Fault: f, On: on[f.Name]})
			}
		}
		if len(group.Faults) > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}
