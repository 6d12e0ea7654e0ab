package config

import (
	"fmt"
	"strings"
)

// Fault is one variable that is not as it must be.
type Fault struct {
	Name     string // of the variable
	Expected string // what belongs there; never what is there
}

// Faults is the error of Load: everything that is wrong, in the order in which it was found.
type Faults []Fault

// Error lists all faults, one a line.
func (f Faults) Error() string {
	var b strings.Builder
	noun := "faults"
	if len(f) == 1 {
		noun = "fault"
	}
	fmt.Fprintf(&b, "the configuration has %d %s:", len(f), noun)
	for _, fault := range f {
		fmt.Fprintf(&b, "\n  %s: %s", fault.Name, fault.Expected)
	}
	return b.String()
}

// orNil keeps an empty list from becoming an error.
func (f Faults) orNil() error {
	if len(f) == 0 {
		return nil
	}
	return f
}
