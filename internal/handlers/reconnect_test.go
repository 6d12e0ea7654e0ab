package handlers

import (
	"net/http"
	"strings"
	"testing"

	"mooring/internal/oauth/oauthtest"
)

// TestReconnect_AnotherAccountIsRefusedByName walks the three ways in: each time the person comes back with another
// account than the connected one.
func TestReconnect_AnotherAccountIsRefusedByName(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	form := []string{oauthtest.KeyFakeSecret, "line one\r\nline two", oauthtest.LinkFakeMode, "HMAC"}
	byLink := func(t *testing.T, path, account string) string {
		t.Helper()
		before := strings.Join(d.linked.Links(), " ")
		asked := v.post(t, path, append(form, oauthtest.KeyFakeID, "42")...)
		for _, link := range d.linked.Links() {
			if !strings.Contains(before, link) {
				d.server(t, d.linked.Call(link, account))
			}
		}
		d.work(t)
		return v.post(t, asked.location+"/confirm").location
	}
	for flow, come := range map[string]func(t *testing.T, path, account string) string{
		"fake": func(t *testing.T, path, account string) string {
			t.Helper()
			return v.get(t, "/oauth/fake/callback?"+d.fake.Approve(v.post(t, path).location, account).Encode()).location
		},
		"keyed": func(t *testing.T, path, account string) string {
			t.Helper()
			return v.post(t, path, oauthtest.KeyFakeID, account, oauthtest.KeyFakeSecret, "key").location
		},
		"linked": byLink,
	} {
		connection := come(t, "/connect/"+flow, "12345")
		if !strings.HasPrefix(connection, "/connections/") {
			t.Fatalf("%s: connecting led to %q", flow, connection)
		}
		d.trips.take()
		refused := come(t, connection+"/reconnect", "67890")
		if _, of := d.trips.take(); strings.Contains(strings.Join(of, "\n"), "FROM events WHERE tenant_id = $1 AND connection_id") {
			t.Errorf("%s: reconnecting reads the connection's whole page", flow)
		}
		v.get(t, refused).want(t, flow, http.StatusOK, "", "That was another account",
			"The connection&#39;s account", "1•••5", "You came back with", "6•••0", connection+"/reconnect")
		v.get(t, refused+"?lang=zh-CN").want(t, flow, http.StatusOK, "", "该连接的账户", "1•••5", "您登录的账户", "6•••0")
		v.get(t, refused+"?lang=en")
		if same := come(t, connection+"/reconnect", "12345"); same != connection {
			t.Errorf("%s: the same account led to %q, want %q", flow, same, connection)
		}
	}
}
