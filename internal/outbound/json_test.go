package outbound_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"mooring/internal/outbound"
)

func mustURL(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestDecodeJSON(t *testing.T) {
	deep := strings.Repeat("[", 64) + strings.Repeat("]", 64)
	for name, tc := range map[string]struct {
		body string
		ok   bool
	}{
		"object":               {`{"a":1}`, true},
		"byte order mark":      {"\xef\xbb\xbf{\"a\":1}", true},
		"newline before":       {"\n\r\n {\"a\":1}\n", true},
		"64 levels":            {deep, true},
		"65 levels":            {"[" + deep + "]", false},
		"100,000 levels":       {strings.Repeat(`{"a":`, 100_000), false},
		"brackets in strings":  {`{"a":"` + strings.Repeat(`[{\"`, 100) + `"}`, true},
		"empty":                {"", false},
		"html":                 {"<html>", false},
		"truncated":            {`{"a":`, false},
		"two values":           {`{"a":1} {"b":2}`, false},
		"trailing garbage":     {`{"a":1};`, false},
		"not a number":         {`{"a":NaN}`, false},
		"utf-16":               {"\xff\xfe{\x00}\x00", false},
		"null is still a JSON": {"null", true},
	} {
		var v any
		err := outbound.DecodeJSON([]byte(tc.body), &v)
		if got := err == nil; got != tc.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecodeJSONKeepsNumbersAndTellsNothing(t *testing.T) {
	var v map[string]any
	if err := outbound.DecodeJSON([]byte(`{"id":9007199254740993123,"amount":0.10}`), &v); err != nil {
		t.Fatal(err)
	}
	if got := v["id"].(json.Number).String(); got != "9007199254740993123" {
		t.Errorf("id = %s", got)
	}
	if got := v["amount"].(json.Number).String(); got != "0.10" {
		t.Errorf("amount = %s", got)
	}
	var typed struct{ Token string }
	err := outbound.DecodeJSON([]byte(`{"token":123456789}`), &typed)
	if !errors.Is(err, outbound.ErrJSON) || strings.Contains(err.Error(), "123456789") {
		t.Errorf("error = %v", err)
	}
}
