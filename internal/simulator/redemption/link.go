package redemption

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"mooring/internal/simulator/bench"
)

// The documents do not say how long a link lives; nothing of a link is forgotten while its number may come again.
const (
	linkLife  = 24 * time.Hour
	keptLinks = 5000
	keptFor   = 30 * 24 * time.Hour
	serialMax = 64
)

// The states of a link.
const (
	waiting = ""
	agreed  = "agreed"
	refused = "refused"
)

// link is one request for somebody's openId.
type link struct {
	ID          string    `json:"id"` // in the address of the page; nobody can guess it
	SerialNo    string    `json:"serial_no"`
	BusinessID  string    `json:"business_id"`
	MerchantID  string    `json:"merchant_id"`
	UserID      string    `json:"user_id"`
	CallbackURL string    `json:"callback_url,omitempty"`
	Made        time.Time `json:"made"`
	Answer      string    `json:"answer,omitempty"`
	OpenID      string    `json:"open_id,omitempty"`
	Owed        bool      `json:"owed,omitempty"` // its callback is still to be sent
}

// authURL is the documented data of a link's answer.
type authURL struct {
	AlipayAuthURL string `json:"alipayAuthUrl"`
}

// link handles "POST /v1/openapi/auth/alipay/url".
func (s *Simulator) link(c *bench.Call) bench.Answer {
	required, optional := []string{"merchantId", "businessId", "serialNo", "userId"}, []string{"callbackUrl", "thirdAccount"}
	if _, on := c.Fault(variantThirdAccount); on { // the documents' table says userId, their example sends thirdAccount
		required[3], optional[1] = "thirdAccount", "userId"
	}
	m, fields, no := s.admit(c, required, optional)
	if no.refused() {
		return refuse(c, no)
	}
	if answer, instead := insteadOf(c, m); instead {
		return answer
	}
	made := &link{
		ID: random(), SerialNo: fields["serialNo"], BusinessID: m.BusinessID, MerchantID: m.MerchantID,
		UserID: fields[required[3]], CallbackURL: fields["callbackUrl"], Made: c.Now.UTC(),
	}
	if no := made.check(); no.refused() {
		return refuse(c, no)
	}
	if no := s.keep(made); no.refused() {
		return refuse(c, no)
	}
	c.Outcome("link_issued")
	return s.answerLink(c, made)
}

// insteadOf answers for the call where a fault says so.
func insteadOf(c *bench.Call, m merchant) (bench.Answer, bool) {
	if status, on := c.Fault(faultStatus); on {
		return refuse(c, refusal{"fault_status", status, "", 0}), true
	}
	if _, on := c.Fault(faultRefusedData); on {
		c.Outcome("fault_refused_with_data")
		sample := funds{m.MerchantID, m.BusinessID, "381", "164"} // the documents' own sample, numbers and all
		return bench.JSON(http.StatusOK, reply{statusSignature, statusText(statusSignature), sample}), true
	}
	return bench.Answer{}, false
}

// answerLink says the address, or what the faults make of it.
func (s *Simulator) answerLink(c *bench.Call, l *link) bench.Answer {
	address := "http://" + c.Request.Host + alipayPath + "?" + url.Values{"auth": {l.ID}, "scope": {"auth_base"}}.Encode()
	status := statusOK
	if _, on := c.Fault(faultStatus420); on {
		status = 420
	}
	if _, on := c.Fault(faultForeignLink); on {
		address = "https://abc.com/alipay/authorize?auth=" + l.ID
	}
	if _, on := c.Fault(faultScriptLink); on {
		address = "javascript:alert(document.domain)"
	}
	if _, on := c.Fault(faultNoLink); on {
		address = ""
	}
	return bench.JSON(http.StatusOK, reply{status, "success", authURL{address}})
}

func (l *link) check() refusal {
	switch {
	case len(l.SerialNo) > serialMax || !visible(l.SerialNo):
		return refusal{"serial_malformed", statusFailed, "serialNo", 0}
	case l.CallbackURL != "" && checkCallback(l.CallbackURL) != nil:
		return refusal{"callback_refused", statusFailed, "callbackUrl", 0}
	}
	return refusal{}
}

var errCallback = errors.New("callbackUrl must be https; http is accepted for localhost only")

func checkCallback(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Fragment != "" || u.User != nil:
		return errCallback
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Host):
		return nil
	}
	return errCallback
}

func loopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// keep stores a link, if its number was never used by anybody.
func (s *Simulator) keep(l *link) refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, used := s.state.Links[l.SerialNo]; used {
		return refusal{"serial_reused", statusSerial, "serialNo", 0}
	}
	for serial, old := range s.state.Links {
		if len(s.state.Links) > keptLinks && l.Made.Sub(old.Made) > keptFor {
			delete(s.state.Links, serial)
		}
	}
	s.state.Links[l.SerialNo] = l
	if s.store.Save(s.state) != nil {
		return refusal{"state_not_saved", 99, "", http.StatusInternalServerError}
	}
	return refusal{}
}

// visited finds a link by the id in its address.
func (s *Simulator) visited(id string) (link, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.state.Links {
		if l.ID == id && id != "" {
			return *l, true
		}
	}
	return link{}, false
}

// answer writes the person's decision down. Only the first one counts; first says whether this was it.
func (s *Simulator) answer(serialNo, decision, open string) (l link, first bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.state.Links[serialNo]
	if !ok {
		return link{}, false, fmt.Errorf("simulator: there is no link %q", serialNo)
	}
	if kept.Answer != waiting {
		return *kept, false, nil
	}
	kept.Answer, kept.OpenID = decision, open
	return *kept, true, s.store.Save(s.state)
}
