package oauthtest

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// wayIn gives the step by which p is entered. To exchange a code has an effect; to prove a form's values has none, so
// that may be repeated and nothing about it is ambiguous.
func wayIn(t testing.TB, s Subject, p oauth.Provider) (name string, once bool, enter func(context.Context) (oauth.Credential, error)) {
	t.Helper()
	switch flow := p.(type) {
	case oauth.RedirectFlow:
		return "Exchange", true, func(ctx context.Context) (oauth.Credential, error) { return flow.Exchange(ctx, s.Arrival) }
	case oauth.KeyFlow:
		return "Verify", false, func(ctx context.Context) (oauth.Credential, error) { return flow.Verify(ctx, s.Values) }
	case oauth.LinkFlow:
		return "Link", true, func(ctx context.Context) (oauth.Credential, error) { return linked(ctx, s, flow) }
	}
	t.Fatal("this provider has no way in")
	return "", false, nil
}

// Reads lets the provider misbehave in every read, but for the requests that spare names: the token call that a KeyFlow
// makes before it reads. Run alone would never get past that one.
func Reads(t *testing.T, s Subject, spare func(*http.Request) bool) {
	t.Helper()
	for _, f := range faults(s, tripwire(t).URL) {
		if f.onlyOnce {
			continue
		}
		serve := f.serve
		f.serve = func(w http.ResponseWriter, r *http.Request, well http.Handler) {
			if spare(r) {
				well.ServeHTTP(w, r)
				return
			}
			serve(w, r, well)
		}
		t.Run(f.name, func(t *testing.T) { checkReads(t, s, f) })
	}
}

func checkReads(t *testing.T, s Subject, f fault) {
	st, read := newStage(t, s), 0
	patience := 10 * time.Second
	if f.hangs {
		patience = 300 * time.Millisecond
	}
	for _, name := range st.stepNames(t) {
		if !strings.HasPrefix(name, "Fetch") {
			continue
		}
		do := st.step(t, name, patience)
		st.misbehave(f.serve)
		got, err := do.do(t.Context())
		st.behave()
		if read++; err == nil {
			t.Errorf("%s succeeded with %+v", name, got)
			continue
		}
		checkError(t, st, name, err, f.read, f)
	}
	if read == 0 {
		t.Error("nothing can be read")
	}
}

// checkFields looks at the form of a KeyFlow or LinkFlow, and leaves it empty, field by field.
func checkFields(t *testing.T, s Subject) {
	st := newStage(t, s)
	p := st.provider(t, 10*time.Second)
	flow, ok := p.(interface{ Fields() []oauth.Field })
	if !ok {
		t.Skip("no form of values")
	}
	secrets, seen := 0, map[string]bool{}
	for _, f := range flow.Fields() {
		if seen[f.Name] || !regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`).MatchString(f.Name) {
			t.Errorf("field %q is not a form name of its own", f.Name)
		}
		seen[f.Name] = true
		for what, text := range map[string]oauth.Text{"label": f.Label, "help": f.Help} {
			if strings.TrimSpace(text.ZH) == "" || strings.TrimSpace(text.EN) == "" {
				t.Errorf("the %s of %s is not there in both languages: %+v", what, f.Name, text)
			}
		}
		if f.Secret {
			secrets++
		}
		if f.Required {
			checkLeftOut(t, st, f.Name)
		}
	}
	if secrets == 0 {
		t.Error("no field is secret: what proves who fills in the form?")
	}
	for name := range s.Values {
		if !seen[name] {
			t.Errorf("value %s has no field", name)
		}
	}
	checkEmptyToken(t, s)
}

// checkLeftOut leaves one field out, and then fills it with white space: nothing is sent, and no other value is told.
func checkLeftOut(t *testing.T, st *stage, name string) {
	t.Helper()
	p := st.provider(t, 10*time.Second)
	for _, filling := range []string{"", " \t\r\n"} {
		values := oauth.Values{}
		for n, v := range st.subject.Values {
			values[n] = v
		}
		values[name] = secret.New(filling)
		st.misbehave(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusOK) })
		checkChecker(t, p, name, values)
		without := st.subject
		without.Values = values
		_, _, enter := wayIn(t, without, p)
		_, err := enter(t.Context())
		if kind := oauth.KindOf(err); kind != oauth.BadRequest {
			t.Errorf("without %s: error = %v, want kind bad_request", name, err)
		} else {
			st.quiet(t, "the form without "+name, err)
		}
		if n := st.behave(); n != 0 {
			t.Errorf("without %s: %d requests were sent", name, n)
		}
	}
}

// checkChecker wants the field that is to blame named and explained, where the provider looks at a form beforehand.
func checkChecker(t *testing.T, p oauth.Provider, name string, values oauth.Values) {
	t.Helper()
	checker, can := p.(oauth.Checker)
	if !can {
		return
	}
	e, refused := errors.AsType[*oauth.Error](checker.Check(values))
	if !refused || e.Kind != oauth.BadRequest || e.Code != name {
		t.Errorf("without %s: Check gives %v, want bad_request with the field's name", name, e)
		return
	}
	if _, explained := p.Descriptor().Explain(e.Kind, e.Code); !explained {
		t.Errorf("without %s: the descriptor does not explain what Check finds", name)
	}
}

// checkEmptyToken lets the way in succeed with nothing in hand.
func checkEmptyToken(t *testing.T, s Subject) {
	t.Helper()
	if s.NoToken == "" {
		return
	}
	st := newStage(t, s)
	name, _, enter := wayIn(t, s, st.provider(t, 10*time.Second))
	st.misbehave(status(http.StatusOK, s.NoToken))
	_, err := enter(t.Context())
	checkError(t, st, name, err, oauth.BadResponse, fault{})
}
