package outbound

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// maxJSONDepth is deeper than any provider's answer and shallower than any attack.
const maxJSONDepth = 64

// ErrJSON says that a body is not the JSON it should be. It is all that is said: the standard library's errors quote
// the value that they could not place.
var ErrJSON = errors.New("outbound: the body is not the expected JSON")

// DecodeJSON reads exactly one JSON value into v. A byte order mark and white space around it are forgiven, numbers
// that go into an interface stay exact (json.Number), nesting beyond 64 levels is refused before anything is built.
func DecodeJSON(body []byte, v any) error {
	body = Bare(body)
	if tooDeep(body) {
		return ErrJSON
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return ErrJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return ErrJSON
	}
	return nil
}

// EncodeJSON writes JSON with & and < as they are and no new line behind it: a body to be sent, or signed, byte for byte.
func EncodeJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// Bare is a body without what a JSON value may not have around it: a byte order mark, and white space on either side.
func Bare(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf")))
}

// tooDeep counts open brackets outside strings. It does not judge anything else.
func tooDeep(body []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxJSONDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
