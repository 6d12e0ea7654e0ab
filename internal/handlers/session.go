package handlers

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"

	"mooring/internal/accounts"
	"mooring/internal/errs"
	"mooring/internal/secret"
)

// sessionName is the session cookie's, before any prefix.
const sessionName = "mooring-session"

// opener is what the store needs of accounts.
type opener interface {
	Open(ctx context.Context, token secret.String) (accounts.Session, error)
}

// sessionStore is gorilla's store over sessions that live in PostgreSQL: the cookie holds an opaque token, the row its
// hash, and what a session may hold is typed. It reads; sessions begin and end in accounts.
type sessionStore struct {
	accounts opener
	cookies  cookieJar
}

var _ sessions.Store = (*sessionStore)(nil)

// sessionKey is the one key of a session's values.
type sessionKey struct{}

// Get implements sessions.Store: one look into the database per request, however often it is asked.
func (st *sessionStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(st, name)
}

// New implements sessions.Store. A cookie that opens nothing gives a new session that remembers the token, so that signing
// in can end it.
func (st *sessionStore) New(r *http.Request, name string) (*sessions.Session, error) {
	s := sessions.NewSession(st, name)
	s.IsNew = true
	s.Options = st.cookies.options(0)
	s.ID = st.cookies.only(r, sessionName)
	if s.ID == "" {
		return s, nil
	}
	session, err := st.accounts.Open(r.Context(), secret.New(s.ID))
	switch {
	case errs.CodeOf(err) == errs.Unauthenticated:
		return s, nil
	case err != nil:
		return s, fmt.Errorf("opening the session: %w", err)
	}
	s.IsNew = false
	s.Values[sessionKey{}] = session
	return s, nil
}

// Save implements sessions.Store: it writes the cookie, nothing else.
func (st *sessionStore) Save(_ *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	http.SetCookie(w, sessions.NewCookie(s.Name(), s.ID, s.Options))
	return nil
}

// viewer says who is signed in.
func (st *sessionStore) viewer(r *http.Request) (session accounts.Session, found bool, err error) {
	s, err := st.Get(r, st.cookies.name(sessionName))
	if err != nil {
		return session, false, err
	}
	session, found = s.Values[sessionKey{}].(accounts.Session)
	return session, found, nil
}

// token gives what the browser holds, valid or not; empty if it holds nothing.
func (st *sessionStore) token(r *http.Request) secret.String {
	return secret.New(st.cookies.only(r, sessionName))
}

// begin gives the browser the token of a session that accounts has just begun or rotated.
func (st *sessionStore) begin(c *gin.Context, token secret.String, expires time.Time) error {
	s := sessions.NewSession(st, st.cookies.name(sessionName))
	s.ID, s.Options = token.Reveal(), st.cookies.options(expires.Sub(st.cookies.now()))
	return st.Save(c.Request, c.Writer, s)
}

// end takes the token away from the browser.
func (st *sessionStore) end(c *gin.Context) error {
	s := sessions.NewSession(st, st.cookies.name(sessionName))
	s.Options = st.cookies.options(-time.Second)
	return st.Save(c.Request, c.Writer, s)
}
