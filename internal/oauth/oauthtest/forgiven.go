package oauthtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"testing"
	"time"
)

// checkForgiven lets the provider write its right answers in ways that say the same, and expects the same results.
func checkForgiven(t *testing.T, s Subject) {
	st := newStage(t, s)
	for _, name := range st.stepNames(t) {
		want, err := st.step(t, name, 10*time.Second).do(t.Context())
		if err != nil {
			t.Fatalf("%s while all is well: %v", name, err)
		}
		for manner, write := range manners() {
			do := st.step(t, name, 10*time.Second)
			st.misbehave(func(w http.ResponseWriter, r *http.Request, well http.Handler) {
				code, body := answered(r, well)
				write(w, code, body)
			})
			got, err := do.do(t.Context())
			st.behave()
			if err != nil {
				t.Errorf("%s, %s: %v", name, manner, err)
			} else if !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %s: got %+v, want %+v", name, manner, got, want)
			}
		}
	}
}

func manners() map[string]func(w http.ResponseWriter, code int, body []byte) {
	plain := func(w http.ResponseWriter, code int, body []byte) {
		w.WriteHeader(code)
		_, _ = w.Write(body)
	}
	return map[string]func(w http.ResponseWriter, code int, body []byte){
		"wrong content type": func(w http.ResponseWriter, code int, body []byte) {
			w.Header().Set("Content-Type", "text/html; charset=gbk")
			plain(w, code, body)
		},
		"byte order mark and newlines": func(w http.ResponseWriter, code int, body []byte) {
			plain(w, code, bytes.Join([][]byte{[]byte("\xef\xbb\xbf\r\n"), body, []byte("\n\n")}, nil))
		},
		"gzip": func(w http.ResponseWriter, code int, body []byte) {
			w.Header().Set("Content-Encoding", "gzip")
			plain(w, code, packed(body))
		},
		"numbers as strings": func(w http.ResponseWriter, code int, body []byte) {
			plain(w, code, rewritten(body, quoteNumbers))
		},
		"unknown fields": func(w http.ResponseWriter, code int, body []byte) {
			plain(w, code, rewritten(body, addFields))
		},
	}
}

// rewritten applies change to every value of a JSON body, inside out.
func rewritten(body []byte, change func(any) any) []byte {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return body
	}
	made, err := json.Marshal(walk(v, change))
	if err != nil {
		return body
	}
	return made
}

func walk(v any, change func(any) any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			v[name] = walk(value, change)
		}
	case []any:
		for i, value := range v {
			v[i] = walk(value, change)
		}
	}
	return change(v)
}

func quoteNumbers(v any) any {
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	return v
}

func addFields(v any) any {
	if object, ok := v.(map[string]any); ok {
		object["x_new_field"] = map[string]any{"deep": []any{1, nil, "x"}}
	}
	return v
}
