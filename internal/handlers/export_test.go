package handlers

import (
	archivezip "archive/zip"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"mooring/internal/oauth/oauthtest"
)

// unzip gives the files of an export.
func unzip(t *testing.T, body string) map[string]string {
	t.Helper()
	archive, err := archivezip.NewReader(strings.NewReader(body), int64(len(body)))
	must(t, err)
	files := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		must(t, err)
		text, err := io.ReadAll(r)
		must(t, err)
		files[f.Name] = string(text)
	}
	return files
}

func TestExport_EverythingOnceAsTablesAndAsJSON(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v, stranger := h.owner(t, "a@example.com"), h.owner(t, "b@example.com")
	path := h.connected(t, v, "12345")
	h.work(t)

	v.get(t, "/settings").want(t, "where to look", http.StatusOK, "", `href="/settings/export"`)
	v.get(t, "/settings/export").want(t, "asking", http.StatusOK, "", "Include personal values whole")
	got := v.post(t, "/settings/export")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/zip" || got.header.Get("Cache-Control") != "no-store" ||
		!strings.HasPrefix(got.header.Get("Content-Disposition"), `attachment; filename="mooring-export-`) {
		t.Fatalf("%d with %v", got.status, got.header)
	}
	files := unzip(t, got.body)
	for _, name := range []string{"connections", "merchant", "company", "user", "wallets", "wallet_flow", "versions", "events", "people"} {
		var objects []map[string]string
		if err := json.Unmarshal([]byte(files[name+".json"]), &objects); err != nil {
			t.Errorf("%s.json: %v\n%s", name, err, files[name+".json"])
		}
		table, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(files[name+".csv"], "\ufeff"))).ReadAll()
		if err != nil || len(table) != len(objects)+1 {
			t.Errorf("%s.csv has %d lines, the JSON %d (%v)", name, len(table), len(objects), err)
		}
	}
	if !strings.Contains(files["connections.json"], strings.TrimPrefix(path, "/connections/")) || !strings.Contains(files["wallet_flow.csv"], "order-1") ||
		!strings.Contains(files["README.txt"], "apostrophe") || !strings.Contains(files["events.csv"], "tenant.exported") {
		t.Errorf("something is missing:\n%s\n%s", files["wallet_flow.csv"], files["README.txt"])
	}
	whole := unzip(t, v.post(t, "/settings/export", "personal", "yes").body)
	if !strings.Contains(files["user.csv"]+files["company.csv"], "•••") || strings.Contains(whole["user.csv"]+whole["company.csv"], "•••") {
		t.Errorf("personal values masked:\n%s\nwhole:\n%s", files["user.csv"]+files["company.csv"], whole["user.csv"]+whole["company.csv"])
	}
	v.get(t, "/activity").want(t, "the history", http.StatusOK, "", "Values about persons were masked.", "values about persons included.")
	if other := unzip(t, stranger.post(t, "/settings/export").body); strings.Contains(other["connections.csv"], "fake") {
		t.Error("a stranger's export has others' connections")
	}

	h.exec(t, `UPDATE sessions SET proved_at = now() - interval '1 hour'`)
	v.post(t, "/settings/export").want(t, "without a recent proof", http.StatusSeeOther, "/prove?next=%2F")
	h.exec(t, `UPDATE sessions SET proved_at = now()`)
	h.demote(t, "a@example.com")
	v.get(t, "/settings/export").want(t, "a viewer asks", http.StatusForbidden, "")
	v.post(t, "/settings/export").want(t, "a viewer exports", http.StatusForbidden, "")
}
