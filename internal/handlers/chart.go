package handlers

import (
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"mooring/internal/connect"
)

// The drawing's own measures; the page stretches it.
const (
	chartWidth  = 600
	chartHeight = 160
	chartMargin = 6 // so that dots at the edge are whole
)

// Chart is a line over time as paths of an SVG: what the provider told is solid, what lies between two looks is dashed, and
// every change has a dot. Amounts are exact everywhere but in the height of the line.
type Chart struct {
	Solid, Dashed, Dots string
	High, Low           decimal.Decimal
}

// chartOf draws a line; nil when it has no length.
func chartOf(line connect.Line) *Chart {
	first, last := line.Points[0].From, line.Last().Until
	if !last.After(first) {
		return nil
	}
	c := &Chart{High: line.Points[0].Wallet.Total.Amount, Low: line.Points[0].Wallet.Total.Amount}
	for _, p := range line.Points {
		c.High, c.Low = decimal.Max(c.High, p.Wallet.Total.Amount), decimal.Min(c.Low, p.Wallet.Total.Amount)
	}
	x := func(t time.Time) string {
		return coordinate(chartMargin + float64(t.Sub(first))/float64(last.Sub(first))*(chartWidth-2*chartMargin))
	}
	y := func(p connect.Point) string { return coordinate(c.height(p.Wallet.Total.Amount)) }
	var solid, dashed, dots strings.Builder
	for i, p := range line.Points {
		solid.WriteString("M" + x(p.From) + " " + y(p) + "H" + x(p.Until))
		dots.WriteString("M" + x(p.From) + " " + y(p) + "h0")
		if i+1 < len(line.Points) && !p.Ended {
			next := line.Points[i+1]
			dashed.WriteString("M" + x(p.Until) + " " + y(p) + "H" + x(next.From) + "V" + y(next))
		}
	}
	c.Solid, c.Dashed, c.Dots = solid.String(), dashed.String(), dots.String()
	return c
}

// height is where an amount lies: the highest at the top, the lowest at the bottom, and what never moved in the middle.
func (c Chart) height(amount decimal.Decimal) float64 {
	span := c.High.Sub(c.Low)
	if span.IsZero() {
		return chartHeight / 2
	}
	part, _ := c.High.Sub(amount).Div(span).Float64()
	return chartMargin + part*(chartHeight-2*chartMargin)
}

// Flat says whether the balance never moved.
func (c Chart) Flat() bool { return c.High.Equal(c.Low) }

func coordinate(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
