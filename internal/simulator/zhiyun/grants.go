package zhiyun

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"regexp"
	"time"

	"mooring/internal/simulator/bench"
)

// An access_token: three months, and more characters than the 32 that the documents speak of, as in their samples.
const (
	tokenLife   = 90 * 24 * time.Hour
	tokenLength = 36
	keptTokens  = 5000
)

// token is an issued access_token as it is kept.
type token struct {
	Username string    `json:"username"`
	Expires  time.Time `json:"expires"`
}

// Registration is a platform's client.
type Registration struct {
	ClientID     string `json:"client_id"`     // ten digits; empty when registering: it is made
	ClientSecret string `json:"client_secret"` // sixteen characters; empty when registering: it is made
}

// Register sets up a client, or changes the secret of the one with that id.
func (s *Simulator) Register(r Registration) (Registration, error) {
	if r.ClientID == "" {
		id, err := tenDigits()
		if err != nil {
			return Registration{}, err
		}
		r.ClientID = id
	}
	if r.ClientSecret == "" {
		r.ClientSecret = wordText(16)
	}
	if !regexp.MustCompile(`^[0-9]{10}$`).MatchString(r.ClientID) {
		return Registration{}, errors.New("client_id must be ten digits")
	}
	if !regexp.MustCompile(`^[[:graph:]]{16}$`).MatchString(r.ClientSecret) {
		return Registration{}, errors.New("client_secret must be sixteen visible characters")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.ClientID == s.state.Sample.ClientID {
		s.state.Sample = r
	}
	s.state.Clients[r.ClientID] = bench.Fingerprint(r.ClientSecret)
	return r, s.store.Save(s.state)
}

// Sample is the standing sample client. Its id and secret stay the same over restarts, as a platform's do.
func (s *Simulator) Sample() Registration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Sample
}

func (s *Simulator) ensureSample() error {
	if s.Sample().ClientID != "" {
		return nil
	}
	r, err := s.Register(Registration{})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Sample = r
	return s.store.Save(s.state)
}

// tenDigits makes a client_id.
func tenDigits() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(9_000_000_000))
	if err != nil {
		return "", fmt.Errorf("simulator: %w", err)
	}
	return n.Add(n, big.NewInt(1_000_000_000)).String(), nil
}

// Issue gives what the desktop software holds after this user's login, for the program that sets up sample connections.
// Earlier tokens go on. Faults do not touch it.
func (s *Simulator) Issue(username string) (accessToken string, err error) {
	if _, known := s.find(username); !known {
		return "", fmt.Errorf("simulator: there is no user %q", username)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Clock.Now()
	if len(s.state.Tokens) >= keptTokens {
		for hash, t := range s.state.Tokens {
			if t.Expires.Before(now) {
				delete(s.state.Tokens, hash)
			}
		}
	}
	access := wordText(tokenLength)
	s.state.Tokens[bench.Fingerprint(access)] = token{username, now.Add(tokenLife)}
	return access, s.store.Save(s.state)
}

// register handles "POST /_control/registrations". The answer holds the secret; it is told this once.
func (s *Simulator) register(w http.ResponseWriter, r *http.Request) {
	var in Registration
	err := bench.ReadJSON(w, r, &in)
	if err == nil {
		in, err = s.Register(in)
	}
	if err != nil {
		bench.WriteError(w, err)
		return
	}
	bench.WriteJSON(w, http.StatusCreated, in)
}

// handOut handles "POST /_control/tokens".
func (s *Simulator) handOut(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Username string `json:"username"`
	}
	err := bench.ReadJSON(w, r, &in)
	access := ""
	if err == nil {
		access, err = s.Issue(in.Username)
	}
	if err != nil {
		bench.WriteError(w, err)
		return
	}
	bench.WriteJSON(w, http.StatusCreated, struct {
		AccessToken string `json:"access_token"`
	}{access})
}
