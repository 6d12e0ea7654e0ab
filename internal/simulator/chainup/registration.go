package chainup

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"mooring/internal/simulator/bench"
)

// sampleApp is the application that stands ready without any registration.
const sampleApp = "a1b2c3d4e5f60718293a4b5c6d7e8f90"

// Registration is what a merchant's backend knows of an application: its appKey, which is the app_id of the calls, one
// redirectUrl and one public key.
type Registration struct {
	AppID       string `json:"app_id"`
	PublicKey   string `json:"public_key,omitempty"` // rsa_third_pub; empty when registering: a pair is made
	RedirectURL string `json:"redirect_url"`
	Name        string `json:"name"` // shown on the consent page

	PrivateKey    string `json:"private_key,omitempty"`     // rsa_third_pri, if the pair was made here
	SaasPublicKey string `json:"saas_public_key,omitempty"` // rsa_saas_pub, the exchange's
}

// client is a registration as it is kept.
type client struct {
	PublicKey   string `json:"public_key"`
	RedirectURL string `json:"redirect_url"`
	Name        string `json:"name"`
}

// Register sets up an application, or changes the one of that id. Codes that were issued before stay good.
func (s *Simulator) Register(r Registration) (Registration, error) {
	if err := r.check(); err != nil {
		return Registration{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep(r)
}

// EnrolSample gives the standing sample application this redirectUrl and name. Its id and its pair of keys stay the same
// over restarts, as a partner's do.
func (s *Simulator) EnrolSample(redirectURL, name string) (Registration, error) {
	r := s.Sample()
	r.RedirectURL, r.Name = redirectURL, name
	return s.Register(r)
}

// Sample is the standing sample application, its private key included.
func (s *Simulator) Sample() Registration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Sample
}

// ensureSample makes the sample if there is none. Nobody else knows s yet.
func (s *Simulator) ensureSample() error {
	if s.state.Sample.AppID != "" {
		return nil
	}
	s.state.Sample.AppID = sampleApp
	_, err := s.keep(Registration{AppID: sampleApp, RedirectURL: "http://localhost:8080/oauth/chainup/callback", Name: "Sample partner"})
	return err
}

// keep stores a checked registration. The caller holds the lock.
func (s *Simulator) keep(r Registration) (Registration, error) {
	if sample := s.state.Sample; r.AppID != sample.AppID || r.PublicKey != sample.PublicKey {
		r.PrivateKey = "" // of a pair that was made elsewhere only the one half is anybody's business
	}
	if r.PublicKey == "" {
		made, err := s.newKey()
		if err != nil {
			return Registration{}, err
		}
		if r.PrivateKey, err = privateText(made); err != nil {
			return Registration{}, err
		}
		if r.PublicKey, err = publicText(&made.PublicKey); err != nil {
			return Registration{}, err
		}
	}
	key, err := parsePublic(r.PublicKey)
	if err != nil {
		return Registration{}, err
	}
	if r.SaasPublicKey, err = publicText(&s.key.PublicKey); err != nil {
		return Registration{}, err
	}
	if r.AppID == s.state.Sample.AppID {
		s.state.Sample = r
	}
	s.clients[r.AppID] = key
	s.state.Clients[r.AppID] = client{r.PublicKey, r.RedirectURL, r.Name}
	return r, s.store.Save(s.state)
}

func (r Registration) check() error {
	if r.AppID == "" || len(r.AppID) > 100 || strings.ContainsAny(r.AppID, " \t\r\n") {
		return errors.New("app_id must have 1 to 100 characters and no space")
	}
	if r.Name == "" || len(r.Name) > 100 {
		return errors.New("name must have 1 to 100 characters")
	}
	u, err := url.Parse(r.RedirectURL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(r.RedirectURL, "#") {
		return errors.New("redirect_url must be an absolute address without query or fragment")
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopbackName(u.Host) {
		return nil
	}
	return errors.New("redirect_url must be https; http is accepted for localhost only")
}

func loopbackName(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// origin is what a page's policy names so that its form may end there.
func (c client) origin() string {
	u, err := url.Parse(c.RedirectURL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// register handles "POST /_control/registrations". A private key that was made here is told this once.
func (s *Simulator) register(w http.ResponseWriter, r *http.Request) {
	var in struct {
		AppID       string `json:"app_id"`
		PublicKey   string `json:"public_key"`
		RedirectURL string `json:"redirect_url"`
		Name        string `json:"name"`
	}
	if err := bench.ReadJSON(w, r, &in); err != nil {
		bench.WriteError(w, err)
		return
	}
	out, err := s.Register(Registration{AppID: in.AppID, PublicKey: in.PublicKey, RedirectURL: in.RedirectURL, Name: in.Name})
	if err != nil {
		bench.WriteError(w, err)
		return
	}
	bench.WriteJSON(w, http.StatusCreated, out)
}
