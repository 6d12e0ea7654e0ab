package oauthtest

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// departure is what the suite asks for a link with.
func departure() oauth.Departure {
	return oauth.Departure{RedirectURI: RedirectURI, State: secret.New("canary-state-77c1"), Challenge: "challenge", Subject: "subject-1"}
}

// linked asks for a link and plays the provider's server: the way into a LinkFlow, from its form to the credential.
func linked(ctx context.Context, s Subject, flow oauth.LinkFlow) (oauth.Credential, error) {
	link, err := flow.Link(ctx, departure(), s.Values)
	if err != nil {
		return oauth.Credential{}, err
	}
	body, header := s.Callback(link)
	r, err := flow.Receive(ctx, oauth.Callback{Body: body, Header: header, Kept: link.Kept})
	return r.Credential, err
}

// checkCallback receives the right callback, and then every wrong one that can be made of it.
func checkCallback(t *testing.T, s Subject) {
	st := newStage(t, s)
	flow, ok := st.provider(t, 10*time.Second).(oauth.LinkFlow)
	if !ok {
		t.Skip("no link")
	}
	link := askForLink(t, flow, s)
	other := askForLink(t, flow, s)
	if link.Serial == other.Serial {
		t.Errorf("two links go by the number %q", link.Serial)
	}
	body, header := s.Callback(link)
	right := oauth.Callback{Body: body, Header: header, Kept: link.Kept}
	st.misbehave(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusOK) })
	checkReceived(t, flow, link, right)
	for name, c := range wrongCallbacks(right, other.Kept) {
		got, err := flow.Receive(t.Context(), c)
		if oauth.KindOf(err) == "" || !reflect.DeepEqual(got, oauth.Received{}) {
			t.Errorf("%s: received %+v, %v", name, got, err)
			continue
		}
		st.quiet(t, name, err)
	}
	if n := st.behave(); n != 0 {
		t.Errorf("%d requests were sent while a callback waited", n)
	}
}

func askForLink(t *testing.T, flow oauth.LinkFlow, s Subject) oauth.Link {
	t.Helper()
	link, err := flow.Link(t.Context(), departure(), s.Values)
	if err != nil {
		t.Fatalf("Link while all is well: %v", err)
	}
	if u, err := url.Parse(link.URL); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		t.Errorf("the link %q cannot be opened", link.URL)
	}
	if link.Serial == "" || len(link.Kept) == 0 {
		t.Error("without number or anything kept no callback can be known")
	}
	return link
}

// checkReceived receives the same callback twice: the provider repeats until it is answered.
func checkReceived(t *testing.T, flow oauth.LinkFlow, link oauth.Link, c oauth.Callback) {
	t.Helper()
	before := oauth.Callback{Body: slices.Clone(c.Body), Header: c.Header.Clone(), Kept: maps.Clone(c.Kept)}
	var last oauth.Received
	for range 2 {
		r, err := flow.Receive(t.Context(), c)
		if err != nil {
			t.Fatalf("the right callback: %v", err)
		}
		if !r.Verified || r.Serial != link.Serial || len(r.Answer) == 0 {
			t.Errorf("verified %v, number %q, answer %q", r.Verified, r.Serial, r.Answer)
		}
		if account, err := flow.Identify(t.Context(), r.Credential); err != nil || account.ExternalID == "" {
			t.Errorf("Identify = %+v, %v", account, err)
		}
		if last.Verified && !reflect.DeepEqual(last, r) {
			t.Error("a repeat says something else")
		}
		last = r
	}
	if !reflect.DeepEqual(before, c) {
		t.Error("Receive changed what it was given")
	}
}

// wrongCallbacks are forgeries of a right one: changed in every byte, without or with twice each header, and brought to
// another attempt.
func wrongCallbacks(right oauth.Callback, foreign oauth.Values) map[string]oauth.Callback {
	wrong := map[string]oauth.Callback{
		"nothing":                {},
		"no body":                {Header: right.Header, Kept: right.Kept},
		"no header":              {Body: right.Body, Kept: right.Kept},
		"nothing kept":           {Body: right.Body, Header: right.Header},
		"another attempt's":      {Body: right.Body, Header: right.Header, Kept: foreign},
		"a space behind it":      {Body: append(slices.Clone(right.Body), ' '), Header: right.Header, Kept: right.Kept},
		"cut in the middle":      {Body: right.Body[:len(right.Body)/2], Header: right.Header, Kept: right.Kept},
		"written once more":      {Body: slices.Concat(right.Body, right.Body), Header: right.Header, Kept: right.Kept},
		"nested without end":     {Body: bytes.Repeat([]byte(`{"a":`), 100_000), Header: right.Header, Kept: right.Kept},
		"with a byte order mark": {Body: append([]byte("\xef\xbb\xbf"), right.Body...), Header: right.Header, Kept: right.Kept},
	}
	for i := range right.Body {
		body := slices.Clone(right.Body)
		body[i] ^= 1
		wrong["changed in the byte before "+string(right.Body[i:])] = oauth.Callback{Body: body, Header: right.Header, Kept: right.Kept}
	}
	for name, values := range right.Header {
		change := func(how string, values ...string) {
			header := right.Header.Clone()
			if delete(header, name); len(values) > 0 {
				header[name] = values
			}
			wrong[name+how] = oauth.Callback{Body: right.Body, Header: header, Kept: right.Kept}
		}
		change(" left out")
		change(" empty", "")
		change(" twice", values[0], values[0])
		change(" twice, the second another", values[0], values[0]+"0")
		change(" longer", values[0]+"0")
		change(" with a line", values[0]+"\r\n")
	}
	return wrong
}
