package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"mooring/internal/accounts"
	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
	"mooring/internal/simulator/asiabill"
)

// samplePerson is somebody whom the demo signs up. The passwords are printed at every start: they guard sample data on
// this machine alone.
type samplePerson struct {
	business string // empty: staff of the platform
	email    string
	password string
	language string
	merNo    string // the sample merchant of the AsiaBill simulator whose account is connected
}

func samplePeople() []samplePerson {
	return []samplePerson{
		{email: "admin@mooring.example", password: "harbour-master-2026"},
		{business: "蓝鲸跨境", email: "lin@bluewhale.example", password: "blue-whale-2026", language: "zh-CN", merNo: "10231"},
		{business: "Harbour & Finch", email: "finch@harbour.example", password: "harbour-finch-2026", language: "en", merNo: "20488"},
	}
}

// signUpSamples makes the sample people and connects the merchants' accounts, each once; what a killed start left undone
// is done by the next. It goes the ways that people go: it signs up, presses connect, signs in at the simulator and
// consents.
func signUpSamples(ctx context.Context, h *house) error {
	for _, person := range samplePeople() {
		ensure := h.ensureMerchant
		if person.business == "" {
			ensure = h.ensureAdmin
		}
		if err := ensure(ctx, person); err != nil {
			return fmt.Errorf("making the sample data: %w", err)
		}
	}
	return nil
}

func (h *house) ensureAdmin(ctx context.Context, person samplePerson) error {
	_, err := h.store.PersonForSignIn(ctx, person.email)
	if errs.CodeOf(err) == errs.NotFound {
		return h.createAdmin(ctx, person.email, secret.New(person.password))
	}
	return err
}

// ensureMerchant leaves a merchant alone who has ever connected an account: disconnecting it was somebody's wish.
func (h *house) ensureMerchant(ctx context.Context, person samplePerson) error {
	staff := h.store.Platform(models.Actor{Kind: models.System})
	found, err := staff.Tenants(ctx, models.TenantQuery{Search: person.email, Limit: 1})
	if err != nil {
		return err
	}
	begin := h.signUpSample
	if len(found.Rows) > 0 {
		tenant, err := staff.Tenant(ctx, found.Rows[0].ID)
		if err != nil || len(tenant.Links) > 0 {
			return err
		}
		begin = h.signInSample
	}
	signedIn, err := begin(ctx, person)
	if err != nil {
		return err
	}
	session, err := h.accounts.Open(ctx, signedIn.Token)
	if err != nil {
		return err
	}
	if err := h.connectSample(ctx, session, person.merNo); err != nil {
		return err
	}
	return h.accounts.SignOut(ctx, signedIn.Token)
}

func sampleBrowser() accounts.Browser {
	return accounts.Browser{Address: "127.0.0.1", UserAgent: "Mooring demo"}
}

func (h *house) signUpSample(ctx context.Context, person samplePerson) (accounts.SignedIn, error) {
	// With mail a sign-up is finished by a link; nobody would press it here.
	deps := h.accounts.Deps
	deps.MailConfigured = false
	signedUp, err := accounts.New(deps).SignUp(ctx, accounts.SignUpRequest{
		BusinessName: person.business, Email: person.email, Password: secret.New(person.password),
		Language: person.language, Browser: sampleBrowser(),
	})
	if err != nil {
		return accounts.SignedIn{}, err
	}
	return *signedUp.Session, nil
}

func (h *house) signInSample(ctx context.Context, person samplePerson) (accounts.SignedIn, error) {
	return h.accounts.SignIn(ctx, accounts.SignInRequest{
		Email: person.email, Password: secret.New(person.password), Browser: sampleBrowser(),
	})
}

// connectSample walks one connect click as the person's browser would.
func (h *house) connectSample(ctx context.Context, session accounts.Session, merNo string) error {
	st := h.store.ForTenant(session.TenantID, models.Actor{Kind: models.Person, ID: session.UserID})
	begun, err := h.connect.Begin(ctx, st, connect.BeginRequest{Provider: asiabill.Slug, UserID: session.UserID, SessionID: session.ID})
	if err != nil {
		return err
	}
	back, err := consentAtAsiaBill(ctx, begun.Location, merNo)
	if err != nil {
		return err
	}
	attempt, err := h.connect.Finish(ctx, st, connect.Return{
		Provider: asiabill.Slug, Query: back, UserID: session.UserID, SessionID: session.ID,
		Cookies: map[uuid.UUID]secret.String{begun.Attempt: begun.Cookie},
	})
	if err != nil {
		return err
	}
	if attempt.Status != models.Stored { // a fault left on in the simulator, an account that somebody connected: no reason not to start
		h.log.Warn("a sample account was not connected", "status", string(attempt.Status), "reason", attempt.Reason)
	}
	return nil
}

// consentAtAsiaBill is a browser at the simulator: it opens the address, signs in, allows, and stops where the provider
// would send it back to us. It gives what it would bring.
func consentAtAsiaBill(ctx context.Context, location, merNo string) (url.Values, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	browser := &http.Client{Jar: jar, Timeout: 10 * time.Second, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(req.URL.Path, "/callback") {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	login, _, err := visit(ctx, browser, http.MethodGet, location, nil)
	if err != nil {
		return nil, err
	}
	ticket := login.Query().Get("visit")
	if _, _, err = visit(ctx, browser, http.MethodPost, login.ResolveReference(&url.URL{Path: "/oauth/login"}).String(), url.Values{
		"visit": {ticket}, "merchantId": {merNo}, "username": {"admin"}, "password": {"asiabill-" + merNo},
	}); err != nil {
		return nil, err
	}
	_, back, err := visit(ctx, browser, http.MethodPost, login.ResolveReference(&url.URL{Path: "/oauth/consent"}).String(), url.Values{
		"visit": {ticket}, "decision": {"allow"},
	})
	if err != nil || back == nil {
		return nil, errors.Join(err, errors.New("the AsiaBill simulator did not send the browser back"))
	}
	return back.Query(), nil
}

// visit opens a page and follows where it leads. It gives where it arrived, and where it would have gone on to.
func visit(ctx context.Context, browser *http.Client, method, address string, form url.Values) (at, onward *url.URL, err error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, errors.New("the AsiaBill simulator's address cannot be used")
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := browser.Do(req)
	if err != nil {
		return nil, nil, errors.New("the AsiaBill simulator does not answer") // the error would show the address, and with it the state
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return nil, nil, errors.New("the AsiaBill simulator broke off its answer")
	}
	onward, _ = resp.Location() // none: this is where it ends
	return resp.Request.URL, onward, nil
}
