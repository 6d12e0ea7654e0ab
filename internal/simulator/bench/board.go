package bench

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// maxTimes bounds "the next n calls"; more than that means "always".
const maxTimes = 1_000_000

// Rule switches a fault on.
type Rule struct {
	Name   string  `json:"name"`
	Stages []Stage `json:"stages,omitempty"` // empty: wherever the fault can happen
	Times  int     `json:"times,omitempty"`  // how many calls it spoils; 0: all, until it is switched off
	Value  int     `json:"value,omitempty"`  // the fault's number; 0: its default
}

// Active is a rule that is switched on.
type Active struct {
	Rule
	Left  int `json:"left,omitempty"` // calls still to be spoilt, when Times limits them
	Fired int `json:"fired"`          // calls spoilt so far
}

// Board holds which faults are on. It forgets them when the program ends: a restart is the way back to a healthy
// provider.
type Board struct {
	menu []Fault

	mu     sync.Mutex
	active map[string]*Active
}

// newBoard checks the menu once, so that nothing can be switched on that no code knows.
func newBoard(menu []Fault) (*Board, error) {
	seen := map[string]bool{}
	for _, f := range menu {
		if f.Name == "" || len(f.Stages) == 0 || seen[f.Name] {
			return nil, fmt.Errorf("bench: fault %q is nameless, stageless or listed twice", f.Name)
		}
		seen[f.Name] = true
	}
	return &Board{menu: menu, active: map[string]*Active{}}, nil
}

// Menu lists all faults.
func (b *Board) Menu() []Fault { return slices.Clone(b.menu) }

// Set switches a fault on, or replaces the rule that is on.
func (b *Board) Set(rule Rule) error {
	if err := b.check(rule); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.active[rule.Name] = &Active{Rule: rule, Left: rule.Times}
	return nil
}

// Replace switches on these rules and no others. If one is wrong, nothing changes.
func (b *Board) Replace(rules []Rule) error {
	next := map[string]*Active{}
	for _, rule := range rules {
		if err := b.check(rule); err != nil {
			return err
		}
		if _, twice := next[rule.Name]; twice {
			return fmt.Errorf("fault %q is named twice", rule.Name)
		}
		next[rule.Name] = &Active{Rule: rule, Left: rule.Times}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.active = next
	return nil
}

// Unset switches a fault off; one that is off stays off.
func (b *Board) Unset(name string) error {
	if _, ok := b.find(name); !ok {
		return fmt.Errorf("there is no fault %q", name)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.active, name)
	return nil
}

// Clear switches everything off.
func (b *Board) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.active)
}

// Active lists what is on, by name.
func (b *Board) Active() []Active {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Active, 0, len(b.active))
	for _, name := range slices.Sorted(maps.Keys(b.active)) {
		list = append(list, *b.active[name])
	}
	return list
}

// take uses a fault up by one call, if it is on for this stage. The number is the fault's value.
func (b *Board) take(name string, stage Stage) (int, bool) {
	fault, ok := b.find(name)
	if !ok || !fault.allows(stage) {
		return 0, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	on, ok := b.active[name]
	if !ok || len(on.Stages) > 0 && !slices.Contains(on.Stages, stage) {
		return 0, false
	}
	on.Fired++
	if on.Times > 0 {
		if on.Left--; on.Left == 0 {
			delete(b.active, name)
		}
	}
	if on.Value == 0 && fault.Value != nil {
		return fault.Value.Default, true
	}
	return on.Value, true
}

// check says what is wrong with a rule, in words for the person who wrote it.
func (b *Board) check(rule Rule) error {
	fault, ok := b.find(rule.Name)
	if !ok {
		return fmt.Errorf("there is no fault %q", rule.Name)
	}
	for _, stage := range rule.Stages {
		if !fault.allows(stage) {
			return fmt.Errorf("fault %q cannot happen at stage %q", rule.Name, stage)
		}
	}
	if rule.Times < 0 || rule.Times > maxTimes {
		return fmt.Errorf("times must be 0 (always) to %d", maxTimes)
	}
	if rule.Value != 0 && fault.Value == nil {
		return fmt.Errorf("fault %q takes no value", rule.Name)
	}
	if fault.Value != nil && (rule.Value < 0 || rule.Value > fault.Value.Max) {
		return fmt.Errorf("the value of %q must be 0 (its default) to %d", rule.Name, fault.Value.Max)
	}
	return nil
}

func (b *Board) find(name string) (Fault, bool) {
	i := slices.IndexFunc(b.menu, func(f Fault) bool { return f.Name == name })
	if i < 0 {
		return Fault{}, false
	}
	return b.menu[i], true
}
