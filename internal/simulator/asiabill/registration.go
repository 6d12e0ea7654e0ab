package asiabill

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"mooring/internal/simulator/bench"
)

// sampleClient is the client that stands ready without any registration.
const sampleClient = "sample-partner"

// Registration is what AsiaBill's support sets up for a partner: one client with exactly one redirect_uri.
type Registration struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret,omitempty"` // empty when registering: one is made
	RedirectURI  string `json:"redirect_uri"`
	Name         string `json:"name"` // shown on the consent page
}

// client is a registration as it is kept.
type client struct {
	SecretHash  string `json:"secret_sha256"`
	RedirectURI string `json:"redirect_uri"`
	Name        string `json:"name"`
}

// authentic says whether this is the client's secret.
func (c client) authentic(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(c.SecretHash), []byte(bench.Fingerprint(secret))) == 1
}

// Register sets up a client, or changes the one of that id. Codes that were issued for an earlier address keep it.
func (s *Simulator) Register(r Registration) (Registration, error) {
	if err := r.check(); err != nil {
		return Registration{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep(r)
}

// EnrolSample gives the standing sample client this redirect_uri and name. Its id and secret stay the same over
// restarts, as a partner's do.
func (s *Simulator) EnrolSample(redirectURI, name string) (Registration, error) {
	s.mu.Lock()
	r := s.state.Sample
	s.mu.Unlock()
	r.RedirectURI, r.Name = redirectURI, name
	return s.Register(r)
}

// Sample is the standing sample client.
func (s *Simulator) Sample() Registration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Sample
}

func (s *Simulator) ensureSample() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Sample.ClientID != "" {
		return nil
	}
	s.state.Sample = Registration{
		ClientID: sampleClient, ClientSecret: rand.Text(),
		RedirectURI: "http://localhost:8080/oauth/asiabill/callback", Name: "Sample partner",
	}
	_, err := s.keep(s.state.Sample)
	return err
}

// keep stores a checked registration. The caller holds the lock.
func (s *Simulator) keep(r Registration) (Registration, error) {
	if r.ClientSecret == "" {
		r.ClientSecret = rand.Text()
	}
	if r.ClientID == s.state.Sample.ClientID {
		s.state.Sample = r
	}
	s.state.Clients[r.ClientID] = client{bench.Fingerprint(r.ClientSecret), r.RedirectURI, r.Name}
	return r, s.store.Save(s.state)
}

func (r Registration) check() error {
	if r.ClientID == "" || len(r.ClientID) > 100 || strings.ContainsAny(r.ClientID, " \t\r\n") {
		return errors.New("client_id must have 1 to 100 characters and no space")
	}
	if r.Name == "" || len(r.Name) > 100 {
		return errors.New("name must have 1 to 100 characters")
	}
	u, err := url.Parse(r.RedirectURI)
	if err != nil || u.Host == "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("redirect_uri must be an absolute address without a fragment")
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopbackName(u.Host) {
		return nil
	}
	return errors.New("redirect_uri must be https; http is accepted for localhost only")
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
	u, err := url.Parse(c.RedirectURI)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// register handles "POST /_control/registrations". The answer holds the secret; it is told this once.
func (s *Simulator) register(w http.ResponseWriter, r *http.Request) {
	var in Registration
	if err := bench.ReadJSON(w, r, &in); err != nil {
		bench.WriteError(w, err)
		return
	}
	out, err := s.Register(in)
	if err != nil {
		bench.WriteError(w, err)
		return
	}
	bench.WriteJSON(w, http.StatusCreated, out)
}
