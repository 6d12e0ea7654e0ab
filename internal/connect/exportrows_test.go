package connect

import (
	"encoding/csv"
	"strings"
	"testing"
)

// arm takes away what disarm has put in, as the file's README says.
func arm(value string) string {
	if rest := strings.TrimLeft(value, "'"); rest != value && rest != "" && strings.ContainsRune("\t\r\n", rune(rest[0])) {
		value = value[1:]
	}
	var out strings.Builder
	for value != "" {
		end := strings.IndexAny(value, separators)
		if end < 0 {
			end = len(value) - 1
		}
		cell := value[:end+1]
		if strings.HasPrefix(cell, "'") && formula(strings.TrimRight(cell, separators)) {
			cell = cell[1:]
		}
		out.WriteString(cell)
		value = value[end+1:]
	}
	return out.String()
}

func hostileCells() []string {
	formulas := []string{"=1+1", "+1", "-1+1", "@SUM(A1)", "＝1+1", "＋1", "－1+1", "＠SUM(A1)", `=HYPERLINK("https://evil.example")`, "=cmd|' /C calc'!A0"}
	var all []string
	for _, before := range []string{"", " ", "\t", "\r", "\n", "'", "''", `"`, "\u200b", "\ufeff", "\u00a0", "a,", "a;", "a\t", "a\n", "a\r\n", `a",`, `a";"`, "a|", "\x00"} {
		for _, f := range formulas {
			all = append(all, before+f)
		}
	}
	return append(all, "", "'", "plain", "O'Neill", "a, b", "-12.50", "12.340000", "-", "a-b", "2026-11-21T15:04:05Z", "+86 138 0013 8000", "''\t'=1")
}

func TestExport_NoCellBecomesAFormulaAndEveryValueComesBack(t *testing.T) {
	t.Parallel()
	if n := len(hostileCells()); n < 200 {
		t.Fatalf("%d hostile values, want 200", n)
	}
	for _, value := range hostileCells() {
		line := csvLine([]string{"before", value, "after"})
		cells, err := csv.NewReader(strings.NewReader(line)).Read()
		if err != nil || len(cells) != 3 {
			t.Errorf("%q is read as %q (%v)", value, cells, err)
			continue
		}
		if got := arm(cells[1]); got != strings.ReplaceAll(value, "\r\n", "\n") && got != value { // the reader makes one line end of two
			t.Errorf("%q comes back as %q", value, got)
		}
		for _, comma := range []rune{',', ';', '\t', '|'} {
			r := csv.NewReader(strings.NewReader(line))
			r.Comma, r.LazyQuotes, r.FieldsPerRecord = comma, true, -1
			all, err := r.ReadAll()
			if err != nil {
				t.Errorf("%q: %v", value, err)
			}
			for _, record := range all {
				for _, cell := range record {
					if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") && !number(cell) || strings.HasPrefix(cell, "＝") {
						t.Errorf("%q gives the cell %q between %q", value, cell, comma)
					}
				}
			}
		}
	}
	if got := csvLine([]string{"-12.50", "12.340000"}); got != "\"-12.50\",\"12.340000\"\r\n" {
		t.Errorf("numbers are written %q", got)
	}
}
