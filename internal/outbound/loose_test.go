package outbound_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"mooring/internal/outbound"
)

func TestText(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":" x y "}`: "x y", `{"a":"\u00e9"}`: "é", `{"a":true}`: "true", `{"a":false}`: "false", `{"a":""}`: "",
		`{"a":9007199254740993123}`: "9007199254740993123", `{"a":0.10}`: "0.10", `{"a":1e400}`: "1e400", `{"a":null}`: "", `{}`: "",
		`{"a":"1","a":null}`: "1",
	} {
		var w struct{ A outbound.Text }
		if err := outbound.DecodeJSON([]byte(body), &w); err != nil || string(w.A) != want {
			t.Errorf("%s: %q, %v", body, w.A, err)
		}
	}
	for _, body := range []string{`{"a":{}}`, `{"a":[]}`, `{"a":["x"]}`, `{"a":NaN}`, `{"a":"x}`} {
		var w struct{ A outbound.Text }
		if err := outbound.DecodeJSON([]byte(body), &w); !errors.Is(err, outbound.ErrJSON) {
			t.Errorf("%s: %q, %v", body, w.A, err)
		}
	}
	var direct outbound.Text
	for _, value := range []string{"", "{}", `"x`, `"\q"`} {
		if err := direct.UnmarshalJSON([]byte(value)); !errors.Is(err, outbound.ErrJSON) || direct != "" {
			t.Errorf("%q: %q, %v", value, direct, err)
		}
	}
}

func TestObject(t *testing.T) {
	var o outbound.Object
	body := `{"list":[1],"none":null,"empty":" ","id": 19 ,"name":"x","in":{"id":"20"},"deep":{},"word":"in"}`
	if err := outbound.DecodeJSON([]byte(body), &o); err != nil {
		t.Fatal(err)
	}
	if got := o.Text("missing", "list", "none", "empty", "in", "id", "name"); got != "19" {
		t.Errorf("the first that holds something is %q", got)
	}
	if got := o.Text("missing", "list"); got != "" {
		t.Errorf("nothing is %q", got)
	}
	if got := o.Inside("missing", "list", "none", "word", "in").Text("id"); got != "20" {
		t.Errorf("inside: %q", got)
	}
	if got := o.Inside("deep"); len(got) != 0 {
		t.Errorf("an empty object is one: %v", got)
	}
	if got := o.Inside("missing", "word").Text("id"); got != "19" {
		t.Errorf("without one inside it is itself: %q", got)
	}
	if got := outbound.Object(nil).Inside("a").Text("b"); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

func TestExact(t *testing.T) {
	for value, want := range map[string]string{
		"0.10": "0.1", "-1.5": "-1.5", "1e30": "1" + strings.Repeat("0", 30), "1e-30": "0." + strings.Repeat("0", 29) + "1",
		strings.Repeat("9", 40): strings.Repeat("9", 40),
	} {
		if got, ok := outbound.Exact(value); !ok || got.String() != want {
			t.Errorf("%s: %s, %t", value, got, ok)
		}
	}
	for _, value := range []string{"", "x", " 1", "NaN", "1,5", "1e31", "1e-31", "1e1000000000", strings.Repeat("9", 41)} {
		if got, ok := outbound.Exact(value); ok || !got.IsZero() {
			t.Errorf("%q is taken", value)
		}
	}
	for value, want := range map[string]bool{"1e40": true, "1e-40": true, "1e41": false, "1e-41": false, strings.Repeat("9", 60): true, strings.Repeat("9", 61): false} {
		if _, ok := outbound.ExactWithin(value, 60, 40); ok != want {
			t.Errorf("%s: %t", value, ok)
		}
	}
}

func TestInstant(t *testing.T) {
	zone := time.FixedZone("", 8*60*60)
	at := time.Date(2026, 3, 1, 4, 5, 6, 0, time.UTC)
	for value, want := range map[string]time.Time{
		"2026-03-01 12:05:06": at, "2026-03-01T12:05:06": at, "2026-03-01T04:05:06Z": at, "2026-03-01T05:05:06+01:00": at,
		"2026-03-01 12:05:06.25": at.Add(250 * time.Millisecond), "2026-03-01T12:05:06.123456789": at.Add(123456789),
		"2026-03-01T04:05:06.5Z": at.Add(500 * time.Millisecond), "2026-03-01": time.Date(2026, 2, 28, 16, 0, 0, 0, time.UTC),
		"": {}, "soon": {}, "0000-00-00 00:00:00": {}, "2026-02-30": {}, "1772337906000": {}, "1772337906": {}, "2026-03-01 12:05:06 ": {},
	} {
		if got := outbound.Instant(value, zone); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

func TestVisible(t *testing.T) {
	for value, want := range map[string]bool{"a": true, "!~": true, "abcd": true, "abcde": false, "": false, "a b": false, "a\n": false, "a\x7f": false, "é": false, "\x00": false} {
		if outbound.Visible(value, 4) != want {
			t.Errorf("%q is %t", value, !want)
		}
	}
}

func TestEncodeJSON(t *testing.T) {
	got, err := outbound.EncodeJSON(struct {
		A string `json:"a"`
	}{"<&>\u2028"})
	if err != nil || string(got) != `{"a":"<&>\u2028"}` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := outbound.EncodeJSON(func() {}); err == nil {
		t.Error("a function is written")
	}
}

func TestBare(t *testing.T) {
	for _, body := range []string{"{}", " {}\n", "\xef\xbb\xbf{}", "\n\xef\xbb\xbf \r\n{}\t"} {
		if got := outbound.Bare([]byte(body)); string(got) != "{}" {
			t.Errorf("%q: %q", body, got)
		}
	}
}
