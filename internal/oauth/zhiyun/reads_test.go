package zhiyun_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// same compares two blocks by what is kept of them.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	w, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(g) != string(w) {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func shown(pairs ...string) map[string]oauth.Masked {
	m := map[string]oauth.Masked{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = oauth.NewMasked(pairs[i+1])
	}
	return m
}

func TestFetchUser(t *testing.T) {
	for file, want := range map[string]oauth.User{
		"user.json":        {Username: "linyue", RealName: "林月", Phone: "13312340170", Sex: "3", Admin: true, Created: at("2015-01-27T05:45:52Z")},
		"user.xml":         {Username: "linyue", RealName: "林月", Phone: "13312340170", Sex: "3", Admin: true, Created: at("2015-01-27T05:45:52Z")},
		"user_masked.json": {Sex: "1", Masked: shown("username", "l****e", "real_name", "林*", "phone", "133****0170")},
	} {
		format := file[strings.LastIndex(file, ".")+1:]
		d := usual(t)
		d.set(user+format, says(http.StatusOK, oauthtest.Fixture(t, file)))
		got, err := opened(t, d, oauthtest.Now, map[string]string{"FORMAT": format}).FetchUser(t.Context(), credential())
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		same(t, file, got.Data, want)
		if got.SourceZone != "Asia/Shanghai" || !got.ProviderAsOf.Equal(at("2015-01-27T06:12:32Z")) || got.Partial {
			t.Errorf("%s: zone %s, as of %s", file, got.SourceZone, got.ProviderAsOf)
		}
		var raw any
		if err := json.Unmarshal(got.Raw, &raw); err != nil || !strings.Contains(string(got.Raw), "avatar") {
			t.Errorf("%s: raw is not what came: %v", file, err)
		}
	}
}

func TestFetchCompany(t *testing.T) {
	whole := oauth.Company{
		Name: "成都兰河商贸有限公司", Type: "1", Address: "成都市高新区样例路 1 号", LegalPerson: "林月", LegalPhone: "13312340171",
		Registered: at("2014-06-30T15:59:59Z"),
	}
	for file, want := range map[string]oauth.Company{
		"company.json": whole,
		"company.xml":  whole,
		"company_masked.json": {
			Type: "3", Province: "四川", City: "成都", Zone: "高新",
			Masked: shown("name", "成都****公司", "tax_number", "9151****0X", "address", "成都市****", "legal_phone", "133****0171",
				"legal_person", "林*", "phone", "028-****1234"),
		},
	} {
		format := file[strings.LastIndex(file, ".")+1:]
		d := usual(t)
		d.set(company+format, says(http.StatusOK, oauthtest.Fixture(t, file)))
		got, err := opened(t, d, oauthtest.Now, map[string]string{"FORMAT": format}).FetchCompany(t.Context(), credential())
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		same(t, file, got.Data, want)
	}
}

// No company is something to show, and nothing to the user's own details.
func TestNoCompanyIsAnAnswer(t *testing.T) {
	for _, code := range []string{"904", "905"} {
		d := usual(t)
		d.set(company+"json", refuses(code))
		p := open(t, d)
		got, err := p.FetchCompany(t.Context(), credential())
		if err != nil {
			t.Fatal(err)
		}
		same(t, code, got.Data, oauth.Company{None: true})
		if !json.Valid(got.Raw) {
			t.Errorf("%s: raw %q", code, got.Raw)
		}
		if _, err := p.FetchUser(t.Context(), credential()); err != nil {
			t.Errorf("%s: the user part failed: %v", code, err)
		}
		d.set(user+"json", refuses(code))
		_, err = p.FetchUser(t.Context(), credential())
		oauthtest.WantKind(t, code+" for the user", err, oauth.NotFound)
	}
}

func TestTimes(t *testing.T) {
	for value, want := range map[string]time.Time{
		`"2015-01-27 13:45:52"`: at("2015-01-27T05:45:52Z"), `"2015-01-01 00:00:00"`: at("2014-12-31T16:00:00Z"),
		`"0000-00-00 00:00:00"`: {}, `""`: {}, `null`: {}, `"yesterday"`: {}, `1422339152`: {},
	} {
		d := usual(t)
		d.set(user+"json", says(http.StatusOK, `{"code":200,"data":{"username":"lin","created":`+value+`,"nowtime":"soon"}}`))
		got, err := open(t, d).FetchUser(t.Context(), credential())
		if err != nil || !got.Data.Created.Equal(want) || !got.ProviderAsOf.IsZero() {
			t.Errorf("%s: %s as of %s, %v", value, got.Data.Created, got.ProviderAsOf, err)
		}
	}
}

func TestHostileXML(t *testing.T) {
	wrap := func(name string) string {
		return `<apiResponse><data><username>` + name + `</username></data><code>200</code></apiResponse>`
	}
	laughs := `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>`
	for name, tc := range map[string]struct {
		body string
		kind oauth.Kind
	}{
		"usual":                  {wrap("lin"), ""},
		"an entity of its own":   {laughs + wrap("&b;"), oauth.BadResponse},
		"a file":                 {`<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>` + wrap("&f;"), oauth.BadResponse},
		"a document type":        {`<!DOCTYPE apiResponse>` + wrap("lin"), oauth.BadResponse},
		"deep":                   {wrap(strings.Repeat("<a>", 100_000)), oauth.BadResponse},
		"another root":           {`<html><data><username>x</username></data><code>200</code></html>`, oauth.BadResponse},
		"two roots":              {wrap("lin") + wrap("ada"), oauth.BadResponse},
		"cut":                    {wrap("lin")[:60], oauth.BadResponse},
		"another encoding":       {`<?xml version="1.0" encoding="GBK"?>` + wrap("lin"), oauth.BadResponse},
		"a code inside the data": {`<apiResponse><data><code>200</code><username>x</username></data></apiResponse>`, oauth.BadResponse},
		"a refusal":              {`<apiResponse><code>100014</code><message>canary</message></apiResponse>`, oauth.NeedsReauth},
		"a refusal in JSON":      {`{"code":401,"message":"Unauthorized"}`, oauth.AuthConfig},
	} {
		d := usual(t)
		d.set(user+"xml", says(http.StatusOK, tc.body))
		_, err := opened(t, d, oauthtest.Now, map[string]string{"FORMAT": "xml"}).FetchUser(t.Context(), credential())
		oauthtest.WantKind(t, name, err, tc.kind)
	}
	d := usual(t)
	d.set(user+"json", says(http.StatusOK, wrap("lin")))
	_, err := open(t, d).FetchUser(t.Context(), credential())
	oauthtest.WantKind(t, "XML where JSON was asked for", err, oauth.BadResponse)
}
