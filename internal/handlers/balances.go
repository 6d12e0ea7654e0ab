package handlers

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"
	"github.com/shopspring/decimal"

	"mooring/internal/connect"
	"mooring/internal/oauth"
)

const (
	chartsShown  = 6  // currencies on the page at once
	balancesRows = 60 // of the table below each chart
)

// BalancesPage is a connection's balances over time.
type BalancesPage struct {
	Page
	Connection connect.BalancesView
	Name       string
	Lines      []BalanceLine
	Choices    []MenuItem // all currencies, when there are more than the page shows
}

// BalanceLine is one currency: its chart, and the same as a table.
type BalanceLine struct {
	Words
	connect.Line
	ID          string // of its parts on the page
	Name        string
	Now         string // the newest total
	Since       Moment // when it was last told
	Chart       *Chart
	Title, Text string // what the chart shows, for who cannot see it
	High, Low   string
	Rows        []BalanceRow
	More        int // rows left out
}

// BalanceRow is a balance that was told for a while.
type BalanceRow struct {
	connect.Point
	Total, Available, Frozen string
	By                       string // the change of the total from the one before; "" for the first
}

// Long says whether some balance is too long for a table of several columns.
func (l BalanceLine) Long() bool {
	return slices.ContainsFunc(l.Rows, func(r BalanceRow) bool { return long(r.Total) || long(r.Available) || long(r.Frozen) })
}

// showBalances answers "GET /connections/:id/balances".
func (s *Server) showBalances(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	view, err := s.Connect.Balances(c.Request.Context(), m.Store, id)
	if err != nil {
		return err
	}
	page := BalancesPage{Page: s.page(c, "history.balances_title", "provider", m.say(view.Provider.Title)), Connection: view}
	page.Name = page.AccountOf(view.Connection, view.AccountName)
	shown := page.choose(c.Query("currency"))
	for i, line := range shown {
		page.Lines = append(page.Lines, page.balanceLine(line, "line"+strconv.Itoa(i)))
	}
	return s.show(c, page)
}

// choose picks the lines to show: the one that was asked for, or the first few.
func (p *BalancesPage) choose(currency string) []connect.Line {
	all := p.Connection.Lines
	if len(all) <= chartsShown {
		return all
	}
	path := "/connections/" + p.Connection.ID.String() + "/balances"
	shown := all[:chartsShown]
	p.Choices = []MenuItem{{Link: Link{p.T("history.first_few", "count", chartsShown), path}, Current: true}}
	for _, line := range all {
		item := MenuItem{Link: Link{p.currencyName(line.Currency), path + "?" + url.Values{"currency": {line.Currency}}.Encode()}}
		if currency != "" && line.Currency == currency {
			shown, item.Current, p.Choices[0].Current = []connect.Line{line}, true, false
		}
		p.Choices = append(p.Choices, item)
	}
	return shown
}

func (w Words) currencyName(currency string) string {
	if currency == "" {
		return w.T("history.no_currency")
	}
	return currency
}

func (w Words) balanceLine(line connect.Line, id string) BalanceLine {
	last := line.Last()
	b := BalanceLine{
		Words: w, Line: line, ID: id, Name: w.currencyName(line.Currency), Now: w.Money(last.Wallet.Total),
		Since: w.When(last.Until), Chart: chartOf(line), Rows: w.balanceRows(line),
	}
	if len(b.Rows) > balancesRows {
		b.More, b.Rows = len(b.Rows)-balancesRows, b.Rows[:balancesRows]
	}
	if b.Chart != nil {
		amount := func(d decimal.Decimal) string { return w.Money(oauth.Money{Amount: d, Currency: line.Currency}) }
		b.High, b.Low = amount(b.Chart.High), amount(b.Chart.Low)
		first := line.Points[0]
		b.Title = w.T("history.chart_title", "currency", b.Name, "from", w.Date(first.From), "until", w.Date(last.Until))
		b.Text = w.T("history.chart_text", "first", w.Money(first.Wallet.Total), "last", b.Now, "high", b.High, "low", b.Low, "count", len(line.Points))
	}
	return b
}

// balanceRows is the line as a table, newest first.
func (w Words) balanceRows(line connect.Line) []BalanceRow {
	rows := make([]BalanceRow, 0, len(line.Points))
	for i := len(line.Points) - 1; i >= 0; i-- {
		p := line.Points[i]
		row := BalanceRow{Point: p, Total: w.Money(p.Wallet.Total), Available: w.Money(p.Wallet.Available), Frozen: w.Money(p.Wallet.Frozen)}
		if i > 0 && !line.Points[i-1].Ended {
			by := p.Wallet.Total.Amount.Sub(line.Points[i-1].Wallet.Total.Amount)
			row.By = w.Money(oauth.Money{Amount: by, Currency: line.Currency})
			if by.IsPositive() {
				row.By = "+" + row.By
			}
		}
		rows = append(rows, row)
	}
	return rows
}
