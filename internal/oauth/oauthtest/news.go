package oauthtest

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth"
)

// checkNews sends news of a connection. It is answered whether or not anything is known of the connection any more, and
// asks nobody, because whoever sent it waits for the answer.
func checkNews(t *testing.T, s Subject) {
	st := newStage(t, s)
	p := st.provider(t, 10*time.Second)
	receiver, receives := p.(oauth.Receiver)
	if _, link := p.(oauth.LinkFlow); !receives || link {
		t.Skip("no news")
	}
	if d := p.Descriptor(); strings.TrimSpace(d.News.ZH) == "" || strings.TrimSpace(d.News.EN) == "" {
		t.Errorf("where to register the address for news is not said in both languages: %+v", d.News)
	}
	_, _, enter := wayIn(t, s, p)
	cred, err := enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	st.misbehave(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusOK) })
	for name, kept := range map[string]oauth.Values{"connected": cred.Extra, "disconnected": nil} {
		got, err := receiver.Receive(t.Context(), oauth.Callback{Body: []byte(`{"news":1}`), Header: http.Header{}, Kept: kept})
		if err == nil && (got.Verified || len(got.Answer) == 0 || !reflect.DeepEqual(got.Credential, oauth.Credential{})) {
			t.Errorf("%s: news that nobody signed was taken for %+v", name, got)
		}
	}
	if got, err := receiver.Receive(t.Context(), oauth.Callback{Header: http.Header{}, Kept: cred.Extra}); oauth.KindOf(err) == "" {
		t.Errorf("nothing at all was taken for %+v, %v", got, err)
	}
	if n := st.behave(); n != 0 {
		t.Errorf("%d requests were sent while a callback waited", n)
	}
}
