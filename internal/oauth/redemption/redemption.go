// Package redemption connects merchants of the open interface of the redemption system 兑换系统: a person opens a link in
// Alipay and agrees, and Alipay's openId comes to us by server callback.
//
// Documents: https://www.showdoc.com.cn/1550488137087711. What a reader must know:
//
//   - businessId, merchantId and the signing key are each merchant's own. They are fields of the form and are sealed with
//     the connection; of the platform there is only the public key by which callbacks are signed.
//   - Every call is a POST of JSON with a signature over headers and the very bytes of the body, by RSA or with an MD5
//     key: see sign.go. The names of the headers count in their exact letters, which HTTP/2 does not keep.
//   - Nothing comes back by the browser. The callback names the serialNo of the link, is checked by the algorithm and
//     keys that were fixed when the link was asked for, and by no other: see callback.go.
//   - The link leads to a host of AUTH_URL_HOSTS or nowhere. The documents' own sample of a success says status 420, which
//     no table has: see link.go.
//   - The openId is stable; there is nothing to refresh and nothing to revoke.
//
// Merchant and balance come from the balance call; its currency is not stated and read as CNY. Calls that pay, transfer or
// order are out of scope.
package redemption

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"mooring/internal/oauth"
)

const (
	slug = "redemption"

	linkPath    = "/v1/openapi/auth/alipay/url"
	balancePath = "/v1/openapi/merchant/business/balance"

	currency = "CNY" // an assumption
)

// What a form's value is called, and what is kept of an attempt and of a connection.
const (
	businessID = "business_id"
	merchantID = "merchant_id"
	signType   = "sign_type"
	md5Key     = "md5_key"
	privateKey = "private_key"

	serialNo = "serial_no" // of the attempt only
	userID   = "user_id"   // of the attempt only
	openID   = "open_id"   // of the connection only
)

// Factory is the line of cmd/web/providers.go.
func Factory() oauth.Factory {
	return oauth.Factory{Describe: describe, New: New}
}

var (
	_ oauth.LinkFlow        = (*Provider)(nil)
	_ oauth.Checker         = (*Provider)(nil)
	_ oauth.MerchantFetcher = (*Provider)(nil)
	_ oauth.WalletFetcher   = (*Provider)(nil)
)

var errNoOpenID = errors.New("the credential names no openId")

// Provider is the redemption system with its settings.
type Provider struct {
	descriptor   oauth.Descriptor
	baseURL      string
	platformKeys []*rsa.PublicKey // more than one while the platform changes keys
	hosts        hosts
	forceHTTP1   bool
	lenient      bool
	thirdAccount bool
	maxAge       time.Duration
	caller       oauth.Caller
	now          func() time.Time
	log          *slog.Logger
}

// New makes the provider.
func New(c oauth.Config) (oauth.Provider, error) {
	c = c.Complete()
	p := &Provider{
		descriptor: describe(), baseURL: strings.TrimRight(c.Settings.Get("BASE_URL"), "/"),
		caller: c.Caller, now: c.Now, log: c.Log,
	}
	p.descriptor.Environment = c.Environment
	if err := oauth.CheckURL(p.baseURL); err != nil {
		return nil, fmt.Errorf("redemption: BASE_URL %w", err)
	}
	var err error
	if p.platformKeys, err = publicKeys(c.Settings.Get("PLATFORM_PUBLIC_KEY")); err != nil {
		return nil, fmt.Errorf("redemption: PLATFORM_PUBLIC_KEY %w", err)
	}
	if p.hosts, err = parseHosts(cmp.Or(c.Settings.Get("AUTH_URL_HOSTS"), defaultHosts)); err != nil {
		return nil, fmt.Errorf("redemption: AUTH_URL_HOSTS %w", err)
	}
	if p.descriptor.Environment == oauth.Live && p.hosts.plain() {
		return nil, errors.New("redemption: AUTH_URL_HOSTS names a plain http address, which is for tests only")
	}
	for name, flag := range map[string]*bool{"FORCE_HTTP1": &p.forceHTTP1, "ACCEPT_SUCCESS_MESSAGE": &p.lenient, "ALSO_SEND_THIRD_ACCOUNT": &p.thirdAccount} {
		if *flag, err = strconv.ParseBool(cmp.Or(c.Settings.Get(name), defaultOf(name))); err != nil {
			return nil, fmt.Errorf("redemption: %s must be true or false", name)
		}
	}
	if p.maxAge, err = time.ParseDuration(cmp.Or(c.Settings.Get("CALLBACK_MAX_AGE"), defaultOf("CALLBACK_MAX_AGE"))); err != nil {
		return nil, errors.New("redemption: CALLBACK_MAX_AGE must be a duration")
	}
	return p, nil
}

func defaultOf(setting string) string {
	for _, s := range settings() {
		if s.Name == setting {
			return s.Default
		}
	}
	return ""
}

// Descriptor implements oauth.Provider.
func (p *Provider) Descriptor() oauth.Descriptor { return p.descriptor }

// Identify implements oauth.Provider. There is no call that tells an openId; the one of the credential came under the
// provider's signature.
func (p *Provider) Identify(_ context.Context, cred oauth.Credential) (oauth.Account, error) {
	id := cred.Extra[openID].Reveal()
	if id == "" {
		return oauth.Account{}, p.refusal(oauth.BadResponse, "", errNoOpenID)
	}
	return oauth.Account{ExternalID: id}, nil
}

func (p *Provider) refusal(kind oauth.Kind, code string, cause error) *oauth.Error {
	return &oauth.Error{Provider: slug, Kind: kind, Code: code, Cause: cause}
}
