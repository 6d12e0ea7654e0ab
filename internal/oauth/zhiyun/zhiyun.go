// Package zhiyun connects merchants of 致云 (ZhiCloud): a form with the access_token of their desktop program.
//
// Documents: https://github.com/MengyangRen/auth2.0-php, the server's own source; a deployed version may differ. What a
// reader must know:
//
//   - Nobody is redirected and nothing is issued: the desktop program gets the token when the merchant signs in to it,
//     and it lives three months. When it was issued is not told, so its end is reckoned from the day it was pasted.
//   - Every call is a GET with Basic auth and two numbers made of the clock, t_ and p_. They are a checksum and protect
//     nothing. Tokens travel in the query: an address of this provider is never logged.
//   - A read needs an auth_code, which lives for 30 seconds. It is asked for immediately before the read and kept
//     nowhere; where it has expired all the same, another one is asked for, once.
//   - The HTTP status says nothing: errors come with 200, and code in the body is the verdict. See wire.go for JSON and
//     XML, refusal.go for the codes.
//   - There is no account id. The account is known by its user name; where the provider masks it, it counts within
//     the tenant only.
//
// Neither refreshing nor revoking exists. callback and Iamsuperman, which the source knows as well, are never sent: the
// one turns JSON into a script, the other switches a check off. The avatar is an address of a stranger's on plain http
// and is neither fetched nor shown.
package zhiyun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	_ "time/tzdata" // times in the data have no zone of their own, also where the system has no zones

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

const (
	slug = "zhiyun"

	authorizePath = "/authService/authorize/"
	userPath      = "/userService/getUserInfo/"
	companyPath   = "/companyService/getCompanyInfo/"

	tokenField   = "access_token"
	longestToken = 512
	softLife     = 90 * 24 * time.Hour // "three months"
	homeZone     = "Asia/Shanghai"
)

var errToken = errors.New("the token is not in the form of one")

// Factory is the line of cmd/web/providers.go.
func Factory() oauth.Factory {
	return oauth.Factory{Describe: describe, New: New}
}

var (
	_ oauth.KeyFlow        = (*Provider)(nil)
	_ oauth.Checker        = (*Provider)(nil)
	_ oauth.UserFetcher    = (*Provider)(nil)
	_ oauth.CompanyFetcher = (*Provider)(nil)
)

// Provider is 致云 with its settings.
type Provider struct {
	descriptor   oauth.Descriptor
	baseURL      string
	clientID     string
	clientSecret secret.String
	format       string
	zone         *time.Location
	caller       oauth.Caller
	now          func() time.Time
	log          *slog.Logger
}

// New makes the provider.
func New(c oauth.Config) (oauth.Provider, error) {
	c = c.Complete()
	p := &Provider{
		descriptor: describe(), baseURL: strings.TrimRight(c.Settings.Get("BASE_URL"), "/"),
		clientID: c.Settings.Get("CLIENT_ID"), clientSecret: c.Settings["CLIENT_SECRET"],
		format: cmp.Or(c.Settings.Get("FORMAT"), formatJSON), caller: c.Caller, now: c.Now, log: c.Log,
	}
	p.descriptor.Environment = c.Environment
	for _, s := range p.descriptor.Settings {
		if value := c.Settings.Get(s.Name); s.Check != nil && (value != "" || s.Required) {
			if err := s.Check(value); err != nil {
				return nil, fmt.Errorf("zhiyun: %s %w", s.Name, err)
			}
		}
	}
	var err error
	if p.zone, err = time.LoadLocation(homeZone); err != nil {
		return nil, fmt.Errorf("zhiyun: %w", err)
	}
	return p, nil
}

// Descriptor implements oauth.Provider.
func (p *Provider) Descriptor() oauth.Descriptor { return p.descriptor }

// Fields implements oauth.KeyFlow.
func (p *Provider) Fields() []oauth.Field { return fields() }

// Check implements oauth.Checker: a token is in the form of one, once what copying puts in has been taken out.
func (p *Provider) Check(values oauth.Values) error {
	if !plausible(tidy(values[tokenField].Reveal())) {
		return p.refusal(oauth.BadRequest, tokenField, errToken)
	}
	return nil
}

// Verify implements oauth.KeyFlow. A token in the form of one is shown to the provider, who makes an auth_code of it that
// nobody uses.
func (p *Provider) Verify(ctx context.Context, values oauth.Values) (oauth.Credential, error) {
	if err := p.Check(values); err != nil {
		return oauth.Credential{}, err
	}
	token := tidy(values[tokenField].Reveal())
	now := p.now()
	cred := oauth.Credential{AccessToken: secret.New(token), ObtainedAt: now, ExpiresAt: now.Add(softLife)}
	if _, err := p.authorize(ctx, cred); err != nil {
		return oauth.Credential{}, err
	}
	return cred, nil
}

// Identify implements oauth.Provider: the account is its user name. connect keeps a keyed hash of it.
func (p *Provider) Identify(ctx context.Context, cred oauth.Credential) (oauth.Account, error) {
	r, err := p.read(ctx, cred, userPath)
	if err != nil {
		return oauth.Account{}, err
	}
	name := r.text("username")
	if name == "" {
		return oauth.Account{}, p.refusal(oauth.BadResponse, r.code, errAnswer)
	}
	return oauth.Account{ExternalID: name, TenantOnly: masked(name)}, nil
}

// tidy takes out what copying puts in: spaces, line breaks, and the marks that cannot be seen.
func tidy(pasted string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("\u200b\u200c\u200d\u2060\ufeff\u00ad", r), strings.TrimSpace(string(r)) == "":
			return -1
		}
		return r
	}, pasted)
}

// plausible says whether a text has the form of a token. The documents say 32 characters and show 35 and 36, so that
// the length decides nothing.
func plausible(token string) bool {
	return token != "" && len(token) <= longestToken && strings.Trim(token, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// masked says whether the provider shows parts of a value only.
func masked(value string) bool { return strings.ContainsAny(value, "*＊•●") }

func (p *Provider) refusal(kind oauth.Kind, code string, cause error) *oauth.Error {
	return &oauth.Error{Provider: slug, Kind: kind, Code: code, Cause: cause}
}
