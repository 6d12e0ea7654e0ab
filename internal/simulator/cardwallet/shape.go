package cardwallet

import (
	"encoding/json"
	"strconv"

	"mooring/internal/simulator/bench"
)

// object is a JSON object whose fields keep their order.
type object []field

type field struct {
	Name  string
	Value any
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, f := range o {
		if i > 0 {
			out = append(out, ',')
		}
		value, err := json.Marshal(f.Value)
		if err != nil {
			return nil, err
		}
		out = append(append(strconv.AppendQuote(out, f.Name), ':'), value...)
	}
	return append(out, '}'), nil
}

// shape is in which of the possible ways an answer is written. The documents name models and no fields.
type shape struct {
	idsAsText, amountsAsNumbers, otherNames, extraFields, walletList, emptyData, stuck bool

	paging string
}

func shapeOf(c *bench.Call) shape {
	on := func(name string) bool { _, on := c.Fault(name); return on }
	s := shape{
		idsAsText: on(variantIDsAsText), amountsAsNumbers: on(variantAmountsAsNumbers), otherNames: on(variantOtherNames),
		extraFields: on(variantExtraFields), walletList: on(variantWalletList), emptyData: on(faultEmptyData), stuck: on(faultStuckPage),
	}
	switch {
	case on(variantRecords):
		s.paging = "records"
	case on(variantRows):
		s.paging = "rows"
	}
	return s
}

// name picks between two names for the same field.
func (s shape) name(usual, other string) string {
	if s.otherNames {
		return other
	}
	return usual
}

func (s shape) id(id int64) any {
	if s.idsAsText {
		return strconv.FormatInt(id, 10)
	}
	return id
}

func (s shape) amount(units int64, decimals int) any {
	text := decimal(units, decimals)
	if s.amountsAsNumbers {
		return json.Number(text)
	}
	return text
}

// page wraps one page of a list.
func (s shape) page(index, size, total int, rows []object) object {
	pages := (total + size - 1) / size
	switch s.paging {
	case "records":
		return object{{"records", rows}, {"total", total}, {"size", size}, {"current", index}, {"pages", pages}}
	case "rows":
		return object{{"total", strconv.Itoa(total)}, {"pageNo", index}, {"pageSize", size}, {"rows", rows}}
	}
	return object{{"pageNum", index}, {"pageSize", size}, {"total", total}, {"pages", pages}, {"list", rows}}
}
