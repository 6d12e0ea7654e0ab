package zhiyun

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"mooring/internal/outbound"
)

// The formats, as they stand in the path.
const (
	formatJSON = "json"
	formatXML  = "xml"
)

// reply is an answer, whichever format it came in. The provider's message is not kept: it goes nowhere.
type reply struct {
	code string
	data map[string]text
	raw  json.RawMessage
}

// text gives the first of the named fields that holds something.
func (r reply) text(names ...string) string {
	for _, name := range names {
		if r.data[name] != "" {
			return string(r.data[name])
		}
	}
	return ""
}

// parse reads {data, code, message}. It says no where that is not what came. The check of t_ and p_ answers before the
// server has looked at the format, and its refusal may be JSON where XML was asked for.
func parse(body []byte, format string) (reply, bool) {
	body = outbound.Bare(body) // source files begin with blank lines
	if format == formatXML && bytes.HasPrefix(body, []byte("<")) {
		return parseXML(body)
	}
	return parseJSON(body)
}

func parseJSON(body []byte) (reply, bool) {
	var w struct {
		Code text            `json:"code"`
		Data json.RawMessage `json:"data"`
	}
	if outbound.DecodeJSON(body, &w) != nil {
		return reply{}, false
	}
	r := reply{code: string(w.Code), raw: body}
	// PHP writes an object without fields as a list: no data is no failure of the parser's, but of whoever needs it.
	_ = outbound.DecodeJSON(w.Data, &r.data)
	return r, true
}

// text is a value of a column: mostly a string, sometimes a number, and null where the source has a slip. Lists and
// objects are none, and change nothing.
type text outbound.Text

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	if outbound.Container(b) {
		return nil
	}
	return (*outbound.Text)(t).UnmarshalJSON(b)
}

// deepest is deeper than apiResponse/data/field/item and shallower than any attack.
const deepest = 8

// parseXML reads apiResponse. Only the five predefined entities exist; a document type, with which others could be
// made, is refused.
func parseXML(body []byte) (reply, bool) {
	x := xmlReader{reply: reply{data: map[string]text{}}}
	decoder := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || !x.take(token) {
			return reply{}, false
		}
	}
	raw, err := json.Marshal(string(body))
	if err != nil || !x.whole {
		return reply{}, false
	}
	x.raw = raw
	return x.reply, true
}

// xmlReader gathers the text of the elements that an answer has.
type xmlReader struct {
	reply
	path  []string
	value strings.Builder
	whole bool // apiResponse has been closed
}

func (x *xmlReader) take(token xml.Token) bool {
	switch t := token.(type) {
	case xml.Directive:
		return false
	case xml.StartElement:
		x.path = append(x.path, t.Name.Local)
		x.value.Reset()
		return len(x.path) <= deepest && x.path[0] == "apiResponse" && !x.whole
	case xml.CharData:
		x.value.Write(t)
	case xml.EndElement:
		x.close(text(strings.TrimSpace(x.value.String())))
		x.path = x.path[:len(x.path)-1]
		x.value.Reset()
	}
	return true
}

// close keeps the text of an element, by where it stands. The first of a name counts.
func (x *xmlReader) close(value text) {
	switch {
	case len(x.path) == 1:
		x.whole = true
	case len(x.path) == 2 && x.path[1] == "code" && x.code == "":
		x.code = string(value)
	case len(x.path) == 3 && x.path[1] == "data" && x.data[x.path[2]] == "":
		x.data[x.path[2]] = value
	}
}
