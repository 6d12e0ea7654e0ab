package zhiyun

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"mooring/internal/simulator/bench"
)

// The formats, by the last part of the path.
const (
	formatJSON = "json"
	formatXML  = "xml"
)

// field is one value of the data, in the order in which the provider writes it: a string, a number, or nil.
type field struct {
	Name  string
	Value any
}

// reply is what an endpoint says: data and code 200, or a code alone.
type reply struct {
	Data []field
	Code int
}

func ok(data ...field) reply { return reply{Data: data, Code: codeOK} }

func refuse(code int) reply { return reply{Code: code} }

// write puts a reply into its envelope. The status is 200 whatever the code says, and a blank line comes before the body:
// one of the server's source files ends with it.
func (s *Simulator) write(c *bench.Call, format string, params url.Values, r reply) bench.Answer {
	if r.Code != codeOK {
		c.Outcome("code_" + strconv.Itoa(r.Code))
	}
	_, asText := c.Fault(variantCodeAsText)
	if format == formatXML {
		return plain("text/xml; charset=utf-8", "\n"+asXML(r))
	}
	body := asJSON(r, asText)
	if name := params.Get("callback"); regexp.MustCompile(`^[A-Za-z0-9_]+$`).MatchString(name) {
		c.Outcome("jsonp") // nobody but a browser asks for it
		body = "var _" + name + "=" + body + ";"
	}
	return plain("text/html; charset=utf-8", "\n"+body) // PHP's own type: the server sets none
}

func plain(kind, body string) bench.Answer {
	return bench.Answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {kind}, "Cache-Control": {"no-store"}}, Body: []byte(body)}
}

// asJSON writes {"data":{…},"code":200,"message":"ok"}; a refusal has no data.
func asJSON(r reply, codeAsText bool) string {
	var b bytes.Buffer
	b.WriteString("{")
	if r.Data != nil {
		b.WriteString(`"data":{`)
		for i, f := range r.Data {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(phpJSON(f.Name) + ":" + phpJSON(f.Value))
		}
		b.WriteString("},")
	}
	code := strconv.Itoa(r.Code)
	if codeAsText {
		code = `"` + code + `"`
	}
	b.WriteString(`"code":` + code + `,"message":` + phpJSON(messageOf(r.Code)) + "}")
	return b.String()
}

// phpJSON writes one value as PHP's json_encode does: everything beyond ASCII as \u, and every slash escaped.
func phpJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // only a type that cannot be encoded: a fault in the simulator itself
		return "null"
	}
	var b bytes.Buffer
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == '/':
			b.WriteString(`\/`)
		case r < utf8.RuneSelf:
			b.WriteByte(byte(r))
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
		text = text[n:]
	}
	return b.String()
}

// asXML writes what PEAR's XML_Serializer makes of the same: two spaces for each level, null and "" as an empty element.
func asXML(r reply) string {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<apiResponse>\n")
	if r.Data != nil {
		b.WriteString("  <data>\n")
		for _, f := range r.Data {
			element(&b, "    ", f.Name, f.Value)
		}
		b.WriteString("  </data>\n")
	}
	element(&b, "  ", "code", r.Code)
	element(&b, "  ", "message", messageOf(r.Code))
	b.WriteString("</apiResponse>\n")
	return b.String()
}

func element(b *bytes.Buffer, indent, name string, value any) {
	if value == nil || value == "" {
		b.WriteString(indent + "<" + name + " />\n")
		return
	}
	b.WriteString(indent + "<" + name + ">")
	_ = xml.EscapeText(b, fmt.Append(nil, value)) // into memory: it does not fail
	b.WriteString("</" + name + ">\n")
}
