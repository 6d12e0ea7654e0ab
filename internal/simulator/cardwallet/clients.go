package cardwallet

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"mooring/internal/simulator/bench"
)

// Client is what a merchant copies from the provider's back office.
type Client struct {
	ClientID     string     `json:"client_id"` // 19 digits, more than a float64 can hold
	ClientSecret string     `json:"client_secret"`
	Business     bench.Text `json:"business"`
	Callback     string     `json:"callback"` // where its callbacks go; empty: nowhere
}

// Paths are the addresses of the reads. The documents do not tell them.
type Paths struct {
	Merchant string `json:"merchant"`
	Wallet   string `json:"wallet"`
	Flow     string `json:"flow"`
}

// DefaultPaths are the addresses as long as nobody changes them.
func DefaultPaths() Paths {
	return Paths{Merchant: "/api/open/merchant/detail", Wallet: "/api/open/wallet/info", Flow: "/api/open/wallet/flow"}
}

// Clients are the sample merchants' credentials. Ids and secrets stay the same over restarts.
func (s *Simulator) Clients() []Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Client, 0, len(s.people))
	for _, m := range s.people {
		list = append(list, Client{m.ClientID, s.state.Secrets[m.ClientID], m.Name, s.state.Callbacks[m.ClientID]})
	}
	return list
}

// Sample is the first of them.
func (s *Simulator) Sample() Client { return s.Clients()[0] }

// Paths are the addresses of the reads as they are now.
func (s *Simulator) Paths() Paths {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Paths
}

// SetPaths moves the reads to other addresses.
func (s *Simulator) SetPaths(p Paths) error {
	all := []string{p.Merchant, p.Wallet, p.Flow}
	for i, path := range all {
		u, err := url.Parse(path)
		if err != nil || !strings.HasPrefix(path, "/") || u.Path != path || path == tokenPath || path == "/" || strings.HasPrefix(path, "/_") {
			return fmt.Errorf("%q is no address for a read", path)
		}
		if slices.Contains(all[:i], path) {
			return fmt.Errorf("%q is used twice", path)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Paths = p
	return s.store.Save(s.state)
}

// SetCallback says where a merchant's callbacks go; an empty address stops them.
func (s *Simulator) SetCallback(clientID, address string) error {
	if _, ok := s.find(clientID); !ok {
		return errors.New("there is no merchant with this client_id")
	}
	if address != "" {
		if err := checkCallback(address); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Callbacks[clientID] = address
	return s.store.Save(s.state)
}

// checkCallback keeps callbacks from being sent about in clear.
func checkCallback(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return errors.New("the callback address must be absolute")
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopbackName(u.Hostname()) {
		return nil
	}
	return errors.New("the callback address must be https; http is accepted for localhost only")
}

func loopbackName(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// ensureSecrets makes the secrets that are not there yet.
func (s *Simulator) ensureSecrets() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.people {
		if s.state.Secrets[m.ClientID] == "" {
			s.state.Secrets[m.ClientID] = base64.RawURLEncoding.EncodeToString(randomBytes(32)) // 43 characters, as documented
		}
	}
	return s.store.Save(s.state)
}

// authentic says whether this is the merchant's secret.
func (s *Simulator) authentic(clientID, secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	want := bench.Fingerprint(s.state.Secrets[clientID])
	return subtle.ConstantTimeCompare([]byte(want), []byte(bench.Fingerprint(secret))) == 1
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: it ends the program rather
	return b
}

// showPaths handles "GET /_control/paths".
func (s *Simulator) showPaths(w http.ResponseWriter, _ *http.Request) {
	bench.WriteJSON(w, http.StatusOK, s.Paths())
}

// changePaths handles "PUT /_control/paths".
func (s *Simulator) changePaths(w http.ResponseWriter, r *http.Request) {
	var in Paths
	err := bench.ReadJSON(w, r, &in)
	if err == nil {
		err = s.SetPaths(in)
	}
	if err != nil {
		bench.WriteError(w, err)
		return
	}
	s.showPaths(w, r)
}

// listMerchants handles "GET /_control/merchants". The secrets are samples, and their keeper is this machine.
func (s *Simulator) listMerchants(w http.ResponseWriter, _ *http.Request) {
	bench.WriteJSON(w, http.StatusOK, s.Clients())
}

// changeCallback handles "PUT /_control/merchants/{client_id}/callback".
func (s *Simulator) changeCallback(w http.ResponseWriter, r *http.Request) {
	var in struct {
		URL string `json:"url"`
	}
	err := bench.ReadJSON(w, r, &in)
	if err == nil {
		err = s.SetCallback(r.PathValue("client_id"), in.URL)
	}
	if err != nil {
		bench.WriteError(w, err)
		return
	}
	s.listMerchants(w, r)
}
