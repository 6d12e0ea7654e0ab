package chainup

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The message that is signed, by the documents' own numbers.
func TestDigest_Vectors(t *testing.T) {
	for plain, message := range map[string]string{
		`{"code":"code_abc123"}`:                                   "917e24e46c4a979dc931ac46e52b4ca2",
		`{"openId":"open_1","refreshToken":"rt_1","token":"tk_1"}`: "bb7b170b800e5be4330bfd7343e8dd0f",
	} {
		if want := sha256.Sum256([]byte(message)); string(digest([]byte(plain))) != string(want[:]) {
			t.Errorf("%s: another message is signed", plain)
		}
	}
}

func TestEnvelope_EveryChunkBoundary(t *testing.T) {
	key := appKey()
	for _, size := range []int{1, 244, 245, 246, 490, 491, 3000} {
		plain := []byte(strings.Repeat("汉", size/3+1))[:size] // a character lies across most borders
		sealed, err := encrypt(&key.PublicKey, plain)
		if err != nil {
			t.Fatal(err)
		}
		if want := (size + 244) / 245 * 256; len(sealed) != want {
			t.Errorf("%d bytes: %d bytes of cipher, want %d", size, len(sealed), want)
		}
		got, ok := decrypt(key, base64.RawURLEncoding.EncodeToString(sealed))
		if !ok || string(got) != string(plain) {
			t.Errorf("%d bytes did not come back", size)
		}
	}
}

func TestEnvelope_WhatIsRefused(t *testing.T) {
	w := newWorld(t)
	plain := `{"code":"x"}`
	pad := func(s string) string { return s + strings.Repeat("=", (4-len(s)%4)%4) }
	text := func(body map[string]any, name string) string { return body[name].(string) }
	for name, c := range map[string]struct {
		change  func(body map[string]any)
		request func(r *http.Request)
		want    string
	}{
		"as documented, unknown code": {nil, nil, "10020"},
		"time as a string":            {func(b map[string]any) { b["time"] = json.Number("1773633600000").String() }, nil, "10020"},
		"GET":                         {nil, func(r *http.Request) { r.Method = http.MethodGet }, "50000"},
		"a form's type":               {nil, func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, "50000"},
		"no type":                     {nil, func(r *http.Request) { r.Header.Del("Content-Type") }, "50000"},
		"no accept":                   {nil, func(r *http.Request) { r.Header.Del("Accept") }, "50000"},
		"a query":                     {nil, func(r *http.Request) { r.URL.RawQuery = "a=b" }, "10020"},
		"a field more":                {func(b map[string]any) { b["openId"] = "x" }, nil, "10020"},
		"no app_id":                   {func(b map[string]any) { delete(b, "app_id") }, nil, "50004"},
		"unknown app_id":              {func(b map[string]any) { b["app_id"] = "nobody" }, nil, "50001"},
		"no time":                     {func(b map[string]any) { delete(b, "time") }, nil, "50010"},
		"time in seconds":             {func(b map[string]any) { b["time"] = noon().Unix() }, nil, "50010"},
		"time with a fraction":        {func(b map[string]any) { b["time"] = json.Number("1773633600000.5") }, nil, "50010"},
		"time too old":                {func(b map[string]any) { b["time"] = noon().Add(-window - time.Second).UnixMilli() }, nil, "50009"},
		"time ahead":                  {func(b map[string]any) { b["time"] = noon().Add(window + time.Second).UnixMilli() }, nil, "50010"},
		"time at the edge":            {func(b map[string]any) { b["time"] = noon().Add(-window).UnixMilli() }, nil, "10020"},
		"no data":                     {func(b map[string]any) { b["data"] = "" }, nil, "50005"},
		"data padded":                 {func(b map[string]any) { b["data"] = pad(text(b, "data")) }, nil, "50005"},
		"data cut":                    {func(b map[string]any) { b["data"] = text(b, "data")[:200] }, nil, "50005"},
		"data over lines":             {func(b map[string]any) { b["data"] = text(b, "data")[:76] + "\n" + text(b, "data")[76:] }, nil, "50005"},
		"no sign":                     {func(b map[string]any) { b["sign"] = "" }, nil, "50005"},
		"data and sign swapped":       {func(b map[string]any) { b["data"], b["sign"] = b["sign"], b["data"] }, nil, "50005"},
		"signed over other bytes":     {func(b map[string]any) { b["sign"] = w.signature(appKey(), plain+" ") }, nil, "50005"},
		"signed by another key":       {func(b map[string]any) { b["sign"] = w.signature(pool()[0], plain) }, nil, "50005"},
		"chunks of another size": {func(b map[string]any) {
			var sealed []byte
			for _, part := range []string{plain[:5], plain[5:]} {
				block, err := rsa.EncryptPKCS1v15(rand.Reader, &w.sim.key.PublicKey, []byte(part)) //nolint:staticcheck // the documents' own
				if err != nil {
					t.Fatal(err)
				}
				sealed = append(sealed, block...)
			}
			b["data"] = base64.RawURLEncoding.EncodeToString(sealed)
		}, nil, "50005"},
	} {
		body := w.pack(plain)
		if c.change != nil {
			c.change(body)
		}
		got := w.send("/auth/token", body, c.request)
		w.want(got.Code, c.want, name)
		w.want(got.Raw["data"], "", name+": data of a refusal")
		w.want(got.Raw["sign"], "", name+": sign of a refusal")
	}
}

func TestEnvelope_WhatIsSignedIsWhatCounts(t *testing.T) {
	w := newWorld(t)
	code := w.code("10002318")
	for name, plain := range map[string]string{
		"app_id inside": `{"app_id":"app-1","code":"` + code + `"}`, "not an object": `["` + code + `"]`, "nothing": `{}`,
		"two values": `{"code":"` + code + `"}{}`, "a number": `{"code":1}`, "not UTF-8": "{\"code\":\"\xff\"}",
	} {
		w.want(w.call("/auth/token", plain).Code, "10020", name)
	}
	w.want(w.exchange(code).Code, "0", "and the code is not spent by any of them")
	w.want(w.call("/auth/token", "{ \"code\" : \""+w.code("10002318")+"\" }\n").Code, "0", "white space is the client's own")
}

func TestEnvelope_SpoiltAnswers(t *testing.T) {
	for name, want := range map[string]struct{ opened, signed bool }{
		faultWrongSign: {true, false}, faultSignKey: {true, false}, faultDataKey: {false, false}, faultNoSign: {true, false},
		faultTampered: {false, false}, faultPlainData: {false, false}, variantStdBase64: {true, true}, variantNumberCode: {true, true},
	} {
		w := newWorld(t)
		w.fault(name, 1, 0)
		got := w.exchange(w.code("10002318"))
		w.want(got.Opened, want.opened, name+": can be opened")
		w.want(got.Signed, want.signed, name+": is signed")
		switch object, plain := got.Raw["data"].(map[string]any); {
		case name == faultPlainData:
			w.want(plain && object["openId"] != "", true, "a plain object")
		case name == variantNumberCode:
			w.want(got.Code, "#0", "code")
		case name == variantStdBase64:
			w.want(strings.HasSuffix(got.Raw["sign"].(string), "=="), true, "padding")
		}
		w.want(w.last().Outcome, "issued", name+": the code is spent all the same")
	}
}

func TestEnvelope_TimeInSecondsAndClocks(t *testing.T) {
	w := newWorld(t)
	w.fault(variantSeconds, 0, 0)
	body := w.pack(`{"code":"x"}`)
	w.want(w.send("/auth/token", body, nil).Code, "50010", "milliseconds")
	body["time"] = noon().Unix()
	w.want(w.send("/auth/token", body, nil).Code, "10020", "seconds")
	w = newWorld(t)
	w.fault("clock_ahead", 1, 0)
	w.want(w.exchange("x").Code, "50009", "their clock ahead")
	w.fault("clock_behind", 1, 0)
	w.want(w.exchange("x").Code, "50010", "their clock behind")
}

func TestEnvelope_AnyDocumentedCode(t *testing.T) {
	w := newWorld(t)
	for code := range messages() {
		w.fault(faultRefuse, 1, code)
		got := w.exchange("x")
		var n int
		if err := json.Unmarshal([]byte(got.Code), &n); err != nil || n != code || got.Raw["msg"] != messageOf(code) {
			t.Errorf("%d: %+v", code, got.Raw)
		}
	}
	w.want(w.read(http.Post(w.url+api+"/no/such", "application/json", nil)).Status, http.StatusNotFound, "an address that nobody documents")
}
