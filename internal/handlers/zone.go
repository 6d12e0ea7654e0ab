package handlers

import (
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"mooring/internal/i18n"
)

// ZoneChoice is the choice of where a person lives.
type ZoneChoice struct {
	Now     string // the time there
	Default string // what no choice means
	Chosen  string // "" is the default
	Regions []ZoneRegion
	Fault   string
}

// ZoneRegion is a part of the world in the list.
type ZoneRegion struct {
	Name  string
	Zones []ZoneLine
}

// ZoneLine is a line of the list: a place with its offset today.
type ZoneLine struct{ Value, Text string }

// zoneChoice words the list of time zones. A zone that is chosen and not listed (an older name of a place) stands first.
func (s *Server) zoneChoice(page Page, chosen string, faults Faults) ZoneChoice {
	now := s.Now()
	choice := ZoneChoice{
		Now: page.DateTime(now), Default: page.T("zone.default", "zone", s.Words.Printer(page.Lang()).Offset(now)),
		Chosen: chosen, Fault: faults.On("zone"),
	}
	zones := i18n.Zones()
	if chosen != "" && !slices.Contains(zones, chosen) {
		zones = append([]string{chosen}, zones...)
	}
	for _, zone := range zones {
		region, place, found := strings.Cut(zone, "/")
		name := "zone." + strings.ToLower(region)
		if !found || !page.Has(name) {
			name, place = "zone.other", zone
		}
		line := ZoneLine{Value: zone, Text: page.T("zone.option", "place", strings.ReplaceAll(place, "_", " "), "offset", page.In(zone).Offset(now))}
		if last := len(choice.Regions) - 1; last < 0 || choice.Regions[last].Name != page.T(name) {
			choice.Regions = append(choice.Regions, ZoneRegion{Name: page.T(name)})
		}
		at := &choice.Regions[len(choice.Regions)-1]
		at.Zones = append(at.Zones, line)
	}
	return choice
}

// changeZone answers "POST /settings/zone".
func (s *Server) changeZone(c *gin.Context, p *Person) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	if err := s.Accounts.ChangeTimeZone(c.Request.Context(), p.Session, form.Get("zone"), s.Words.KnowsZone); err != nil {
		return s.settingsAgain(c, p, err)
	}
	return s.settled(c, "zone.saved")
}
