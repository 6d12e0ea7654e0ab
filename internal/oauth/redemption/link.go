package redemption

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"slices"
	"strings"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/secret"
)

// linkField is the name of the link in the answer, and the code of a refusal to show it.
const linkField = "alipayAuthUrl"

const longestLink = 2048 // what still fits into a QR code that a telephone can read from a screen

var (
	errLink       = errors.New("the link leads to a host that AUTH_URL_HOSTS does not name")
	errNoLink     = errors.New("the answer holds no link")
	errNoCallback = errors.New("there is no address for the callback")
)

// linkWire is the request for a link. The order of its fields is the documents'.
type linkWire struct {
	MerchantID   string `json:"merchantId"`
	BusinessID   string `json:"businessId"`
	SerialNo     string `json:"serialNo"`
	UserID       string `json:"userId"`
	ThirdAccount string `json:"thirdAccount,omitempty"`
	CallbackURL  string `json:"callbackUrl"`
}

// Check implements oauth.Checker: ids that can stand in a header, and the key that the algorithm needs.
func (p *Provider) Check(values oauth.Values) error {
	_, err := merchantOf(values)
	return err
}

// Link implements oauth.LinkFlow. The callback's address is optional in the documents and always sent: without it nobody
// would ever hear of the end. Each attempt has a serialNo of its own, also after a refusal.
func (p *Provider) Link(ctx context.Context, d oauth.Departure, values oauth.Values) (oauth.Link, error) {
	m, err := merchantOf(values)
	if err != nil {
		return oauth.Link{}, err
	}
	if d.RedirectURI == "" {
		return oauth.Link{}, p.refusal(oauth.BadRequest, "", errNoCallback)
	}
	wire := linkWire{
		MerchantID: m.merchantID, BusinessID: m.businessID, SerialNo: rand.Text(), UserID: d.Subject, CallbackURL: d.RedirectURI,
	}
	if wire.UserID == "" {
		wire.UserID = rand.Text()
	}
	if p.thirdAccount {
		wire.ThirdAccount = wire.UserID
	}
	answer, out, err := p.call(ctx, m, linkPath, wire)
	if err != nil {
		return oauth.Link{}, oauth.Unanswered(slug, err)
	}
	address, err := p.linkOf(m, out, answer)
	if err != nil {
		return oauth.Link{}, err
	}
	kept := m.keep(values)
	kept[serialNo], kept[userID] = secret.New(wire.SerialNo), secret.New(wire.UserID)
	return oauth.Link{URL: address, Serial: wire.SerialNo, Kept: kept}, nil
}

// linkOf reads the answer. Success is status 0. The documents' sample says 420 and "success"; with ACCEPT_SUCCESS_MESSAGE
// a status that no table has is forgiven where the message says success and the link is one that may be shown.
func (p *Provider) linkOf(m merchant, out sent, answer oauth.Answer) (string, error) {
	r := parse(answer.Body)
	_, documented := codeOf(r.code())
	forgiven := p.lenient && r.told && r.status != 0 && !documented && strings.EqualFold(r.message, "success")
	if !r.accepted() && !forgiven {
		return "", p.refused(m, out, answer, r, true)
	}
	var data struct {
		Link outbound.Text `json:"alipayAuthUrl"`
	}
	if outbound.DecodeJSON(r.data, &data) != nil || data.Link == "" {
		return "", p.refusal(oauth.BadResponse, "", errNoLink)
	}
	address, ok := p.hosts.allow(string(data.Link))
	if !ok {
		return "", p.refusal(oauth.BadResponse, linkField, errLink)
	}
	if forgiven {
		p.log.Warn("a link came with a status that no table has and the message success; it was taken", "provider", slug, "status", r.status)
	}
	return address, nil
}

const defaultHosts = "alipay.com"

// hosts are where a link may lead: to a domain and all below it over https, or to one origin exactly.
type hosts struct {
	domains []string
	origins []string // scheme://host[:port]
}

var errHosts = errors.New("must be domains such as alipay.com, or origins such as http://localhost:8101, with commas between")

// parseHosts reads AUTH_URL_HOSTS.
func parseHosts(value string) (hosts, error) {
	var h hosts
	for entry := range strings.SplitSeq(value, ",") {
		entry = strings.ToLower(strings.TrimSpace(entry))
		switch u, err := url.Parse(entry); {
		case entry == "" || err != nil:
			return hosts{}, errHosts
		case u.Scheme == "http" || u.Scheme == "https":
			if u.Hostname() == "" || entry != u.Scheme+"://"+u.Host {
				return hosts{}, errHosts
			}
			h.origins = append(h.origins, entry)
		case !isDomain(entry):
			return hosts{}, errHosts
		default:
			h.domains = append(h.domains, entry)
		}
	}
	return h, nil
}

// isDomain takes two labels or more: one alone would be a whole registry.
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	return len(labels) > 1 && !slices.Contains(labels, "") && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

func (h hosts) plain() bool {
	return slices.ContainsFunc(h.origins, func(o string) bool { return strings.HasPrefix(o, "http://") })
}

// allow gives a link back if it may be shown. A browser reads some addresses in other ways than we do; those are refused
// by their letters before anybody reads them.
func (h hosts) allow(link string) (string, bool) {
	for _, c := range []byte(link) {
		if c <= ' ' || c >= 0x7f || c == '\\' {
			return "", false
		}
	}
	u, err := url.Parse(link)
	if err != nil || len(link) > longestLink || u.Hostname() == "" || u.User != nil {
		return "", false
	}
	host := strings.ToLower(u.Hostname())
	if slices.Contains(h.origins, strings.ToLower(u.Scheme+"://"+u.Host)) {
		return u.String(), true
	}
	if u.Scheme != "https" || (u.Port() != "" && u.Port() != "443") {
		return "", false
	}
	return u.String(), slices.ContainsFunc(h.domains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
}
