package connect

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
)

const (
	// answerShown is how much of an answer is shown: enough to see its form, little enough for a page.
	answerShown = 32 << 10
	// answerDepth is deeper than anything that outbound lets in.
	answerDepth = 100
	// hiddenMark stands where something was taken out.
	hiddenMark = "•••"
	// shortestHidden is the length from which a value is looked for inside others; a shorter one would be found everywhere.
	shortestHidden = 4
)

var errCut = errors.New("connect: enough of the answer was shown")

var (
	// plainName is a name that a programmer gave; anything else may be a value that serves as one.
	plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:-]{0,39}$`)
	longDigit = regexp.MustCompile(`[0-9]{5,}`)
	// plainValue is a value that says how something is: a code, a word, an amount, a time.
	plainValue = regexp.MustCompile(`^[A-Za-z0-9_ .,:+/-]{0,40}$`)
	// toldNames are the names whose values are shown: all else is hidden, also what nobody has thought of.
	toldNames = regexp.MustCompile(`^(code|(err|error|resp|ret|return|result)code|success|state|type|kind|page(no|num|size|s)?|limit|size|version|timezone|coin|symbol)$|(status|currency|amount|balance|total|available|frozen|count|time|date|timestamp)$`)
	// neverNames are hidden even so.
	neverNames = regexp.MustCompile(`birth|token|key|secret|sign|pass|auth|phone|mobile|tel|mail|name|addr|person|legal|card|tax|licen|user|owner|holder|account|bank`)
	// figureNames hold numbers that may be long.
	figureNames = regexp.MustCompile(`(amount|balance|total|available|frozen|time|date|timestamp)$`)
)

// redactor writes an answer anew, indented. What it does not know to be harmless it leaves out.
type redactor struct {
	out  strings.Builder
	hide []string
}

// redact shows the form of an answer: all names, and the values of which it is known that they are neither secret nor
// personal. An answer in XML is kept as one JSON string.
func redact(raw []byte, hide []string) (text string, cut bool) {
	r := &redactor{}
	for _, value := range hide {
		if len(value) >= shortestHidden {
			r.hide = append(r.hide, strings.ToLower(value))
		}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err := r.value(d, "", 0)
	var document string
	if json.Unmarshal(raw, &document) == nil && strings.HasPrefix(strings.TrimSpace(document), "<") {
		r.out.Reset()
		err = r.xml(document)
	}
	if err != nil && !errors.Is(err, errCut) {
		r.write("\n" + hiddenMark)
	}
	return r.out.String(), err != nil
}

func (r *redactor) write(text string) { r.out.WriteString(text) }

func (r *redactor) line(depth int) { r.write("\n" + strings.Repeat("  ", depth)) }

func (r *redactor) enough(depth int) error {
	if r.out.Len() > answerShown || depth > answerDepth {
		return errCut
	}
	return nil
}

func (r *redactor) value(d *json.Decoder, name string, depth int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		return r.inside(d, t, name, depth)
	case string:
		r.write(quoted(r.told(name, t)))
	case json.Number:
		r.write(r.told(name, t.String()))
	case bool:
		r.write(strconv.FormatBool(t))
	default:
		r.write("null")
	}
	return nil
}

// inside writes an object or a list; what is in a list goes by the list's name.
func (r *redactor) inside(d *json.Decoder, open json.Delim, name string, depth int) error {
	r.write(open.String())
	empty := true
	for ; d.More(); empty = false {
		if err := r.enough(depth); err != nil {
			return err
		}
		if !empty {
			r.write(",")
		}
		r.line(depth + 1)
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			name, _ = key.(string)
			r.write(quoted(r.named(name)) + ": ")
		}
		if err := r.value(d, name, depth+1); err != nil {
			return err
		}
	}
	end, err := d.Token()
	if err != nil {
		return err
	}
	if !empty {
		r.line(depth)
	}
	if closing, ok := end.(json.Delim); ok {
		r.write(closing.String())
	}
	return nil
}

// xml writes elements, their attributes and their text; comments and instructions are nothing that anybody needs.
func (r *redactor) xml(document string) error {
	d := xml.NewDecoder(strings.NewReader(document))
	d.Strict, d.CharsetReader = false, func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var path []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			r.line(len(path))
			r.write("<" + r.named(t.Name.Local))
			for _, a := range t.Attr {
				r.write(" " + r.named(a.Name.Local) + "=" + quoted(r.told(a.Name.Local, a.Value)))
			}
			r.write(">")
			path = append(path, t.Name.Local)
		case xml.EndElement:
			path = path[:max(len(path)-1, 0)]
			r.write("</" + r.named(t.Name.Local) + ">")
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" && len(path) > 0 {
				r.write(r.told(path[len(path)-1], text))
			}
		}
		if err := r.enough(len(path)); err != nil {
			return err
		}
	}
}

// named gives a name if it is one.
func (r *redactor) named(name string) string {
	if !plainName.MatchString(name) || longDigit.MatchString(name) || r.hides(name) {
		return hiddenMark
	}
	return name
}

// told gives a value if its name and its form say that it may be seen.
func (r *redactor) told(name, value string) string {
	plain := strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(name))
	switch {
	case value == "":
		return ""
	case !toldNames.MatchString(plain), neverNames.MatchString(plain), !plainValue.MatchString(value), r.hides(value):
		return hiddenMark
	case longDigit.MatchString(value) && !figureNames.MatchString(plain):
		return hiddenMark
	}
	return value
}

func (r *redactor) hides(text string) bool {
	text = strings.ToLower(text)
	for _, value := range r.hide {
		if strings.Contains(text, value) {
			return true
		}
	}
	return false
}

func quoted(text string) string { return `"` + text + `"` }
