package i18n

import (
	_ "embed" // the names of zones
	"fmt"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // people choose zones, also where the system has none
)

//go:embed zones.txt
var zoneNames string

// Zones lists the time zones that a person can choose from, by region and city; UTC comes first.
func Zones() []string { return append([]string{"UTC"}, strings.Fields(zoneNames)...) }

// homeZone is where the readers of a language are taken to live until they say otherwise.
func homeZone(tag string) string {
	if tag == Chinese {
		return "Asia/Shanghai"
	}
	return "UTC"
}

// atlas keeps the zones that were asked for: reading one takes longer than a page's other words.
type atlas struct{ known sync.Map }

// find gives a zone by its name in the time zone database. "Local" would be where the server stands, which is nobody's.
func (a *atlas) find(name string) (*time.Location, error) {
	if known, ok := a.known.Load(name); ok {
		if zone, ok := known.(*time.Location); ok {
			return zone, nil
		}
	}
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("i18n: %q is no time zone", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("i18n: %w", err)
	}
	a.known.Store(name, zone)
	return zone, nil
}

// KnowsZone says whether a name is that of a time zone.
func (b *Bundle) KnowsZone(name string) bool {
	_, err := b.atlas.find(name)
	return err == nil
}

// In gives the same printer with the time zone that its reader has chosen; "" stays where readers of the language are
// taken to live, and so does a name that nobody knows any more.
func (p *Printer) In(zone string) *Printer {
	found, err := p.atlas.find(zone)
	if err != nil {
		return p
	}
	return &Printer{tongue: p.tongue, now: p.now, zone: found}
}

// Offset names the zone of a moment as people compare zones: "UTC+8", "UTC−3:30".
func (p *Printer) Offset(t time.Time) string {
	_, seconds := t.In(p.zone).Zone()
	if seconds == 0 {
		return "UTC"
	}
	sign, minutes := "+", seconds/60
	if minutes < 0 {
		sign, minutes = "−", -minutes
	}
	if minutes%60 == 0 {
		return fmt.Sprintf("UTC%s%d", sign, minutes/60)
	}
	return fmt.Sprintf("UTC%s%d:%02d", sign, minutes/60, minutes%60)
}

// Zone names the zone of Clock's times, for the head of a table: by its offset where it has but one in the year, else
// by its name, and each time tells its own.
func (p *Printer) Zone() string {
	if p.shifts() {
		return p.zone.String()
	}
	return p.Offset(p.now)
}

// shifts says whether the zone has a summer time.
func (p *Printer) shifts() bool {
	_, winter := p.now.In(p.zone).Zone()
	_, summer := p.now.AddDate(0, 6, 0).In(p.zone).Zone()
	return winter != summer
}
