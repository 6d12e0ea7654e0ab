package simulator

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"

	"mooring/internal/simulator/asiabill"
	"mooring/internal/simulator/cardwallet"
	"mooring/internal/simulator/chainup"
	"mooring/internal/simulator/redemption"
	"mooring/internal/simulator/zhiyun"
)

// partner is what a provider's support and its merchants do for an application that is being set up, without a browser.
// What a provider does not have is nil.
type partner struct {
	// enrol registers the application; the result is what it is given: addresses, ids and secrets by plain names.
	enrol func(at, callback, name string) (map[string]string, error)
	// consent gives a merchant's consent to whoever asks at an authorisation address: what comes back.
	consent func(account int, asked url.Values) (url.Values, error)
	// keys are what a merchant copies from the provider, by the names the provider has for them.
	keys func(account int) (map[string]string, error)
	// agree gives a merchant's consent to a link that was made for him; the callback follows.
	agree func(account int, link string) error
	// news says where callbacks about a merchant go.
	news func(account int, address string) error
}

// partners are by slug. The accounts 0 and 1 of each are the sample merchants that the program's demo connects.
func (s *Simulator) partners() map[string]partner {
	return map[string]partner{
		asiabill.Slug:   {enrol: s.enrolAsiaBill, consent: s.consentAsiaBill},
		zhiyun.Slug:     {enrol: s.enrolZhiyun, keys: s.keysZhiyun},
		cardwallet.Slug: {enrol: s.enrolCardWallet, keys: s.keysCardWallet, news: s.newsCardWallet},
		chainup.Slug:    {enrol: s.enrolChainUp, consent: s.consentChainUp},
		redemption.Slug: {enrol: s.enrolRedemption, keys: s.keysRedemption, agree: s.agreeRedemption},
	}
}

// Enrol registers an application at every provider that is listening. The settings are by provider and plain name, for
// example CLIENT_ID. callback gives the address to come back to.
func (s *Simulator) Enrol(name string, callback func(slug string) string) (map[string]map[string]string, error) {
	s.mu.Lock()
	at := s.addresses.Providers
	s.mu.Unlock()
	all := map[string]map[string]string{}
	for slug, p := range s.partners() {
		settings, err := p.enrol(at[slug], callback(slug), name)
		if err != nil {
			return nil, fmt.Errorf("simulator: enrolling at %s: %w", slug, err)
		}
		all[slug] = settings
	}
	return all, nil
}

// Consent plays a sample merchant who was sent to location: what the browser would bring back. Faults do not touch it.
func (s *Simulator) Consent(slug string, account int, location string) (url.Values, error) {
	p := s.partners()[slug]
	u, err := url.Parse(location)
	if err != nil || p.consent == nil {
		return nil, errors.New("simulator: nobody can consent there") // the address holds a state and is not repeated
	}
	return p.consent(account, u.Query())
}

// Keys gives what a sample merchant copies from the provider into a form. Faults do not touch it.
func (s *Simulator) Keys(slug string, account int) (map[string]string, error) {
	p := s.partners()[slug]
	if p.keys == nil {
		return nil, fmt.Errorf("simulator: %s hands out no keys", slug)
	}
	return p.keys(account)
}

// Agree plays a sample merchant who opens a link and agrees. Faults do not touch it.
func (s *Simulator) Agree(slug string, account int, link string) error {
	p := s.partners()[slug]
	if p.agree == nil {
		return fmt.Errorf("simulator: %s makes no links", slug)
	}
	return p.agree(account, link)
}

// SendNews says where callbacks about a sample merchant go.
func (s *Simulator) SendNews(slug string, account int, address string) error {
	p := s.partners()[slug]
	if p.news == nil {
		return fmt.Errorf("simulator: %s sends no news", slug)
	}
	return p.news(account, address)
}

func (s *Simulator) enrolAsiaBill(at, callback, name string) (map[string]string, error) {
	r, err := s.AsiaBill.EnrolSample(callback, name)
	return map[string]string{"OAUTH_URL": at, "OPENAPI_URL": at, "CLIENT_ID": r.ClientID, "CLIENT_SECRET": r.ClientSecret}, err
}

func (s *Simulator) consentAsiaBill(account int, asked url.Values) (url.Values, error) {
	return s.AsiaBill.Authorise(asked.Get("client_id"), []string{"10231", "20488"}[account], asked.Get("state"))
}

func (s *Simulator) enrolZhiyun(at, _, _ string) (map[string]string, error) {
	r := s.Zhiyun.Sample()
	return map[string]string{"BASE_URL": at + "/apis/rest", "CLIENT_ID": r.ClientID, "CLIENT_SECRET": r.ClientSecret}, nil
}

func (s *Simulator) keysZhiyun(account int) (map[string]string, error) {
	token, err := s.Zhiyun.Issue([]string{"lanjing", "mumian"}[account])
	return map[string]string{"access_token": token}, err
}

func (s *Simulator) enrolCardWallet(at, _, _ string) (map[string]string, error) {
	paths := s.CardWallet.Paths()
	return map[string]string{"BASE_URL": at, "MERCHANT_PATH": paths.Merchant, "WALLET_PATH": paths.Wallet, "FLOW_PATH": paths.Flow}, nil
}

func (s *Simulator) keysCardWallet(account int) (map[string]string, error) {
	c := s.CardWallet.Clients()[account]
	return map[string]string{"client_id": c.ClientID, "client_secret": c.ClientSecret}, nil
}

func (s *Simulator) newsCardWallet(account int, address string) error {
	return s.CardWallet.SetCallback(s.CardWallet.Clients()[account].ClientID, address)
}

func (s *Simulator) enrolChainUp(at, callback, name string) (map[string]string, error) {
	r, err := s.ChainUp.EnrolSample(callback, name)
	return map[string]string{"BASE_URL": at, "APP_ID": r.AppID, "PRIVATE_KEY": r.PrivateKey, "PLATFORM_PUBLIC_KEY": r.SaasPublicKey}, err
}

func (s *Simulator) consentChainUp(account int, asked url.Values) (url.Values, error) {
	return s.ChainUp.Authorise(asked.Get("appKey"), []string{"10002318", "10004471"}[account], asked.Get("state"))
}

func (s *Simulator) enrolRedemption(at, _, _ string) (map[string]string, error) {
	armoured, err := s.Redemption.PlatformKeyPEM()
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(armoured))
	if block == nil {
		return nil, errors.New("the platform's key is not PEM")
	}
	key := base64.StdEncoding.EncodeToString(block.Bytes) // on one line, as a setting is
	return map[string]string{"BASE_URL": at, "PLATFORM_PUBLIC_KEY": key, "AUTH_URL_HOSTS": "alipay.com," + at}, nil
}

func (s *Simulator) keysRedemption(account int) (map[string]string, error) {
	samples, err := s.Redemption.Samples()
	if err != nil {
		return nil, err
	}
	of := samples[account]
	keys := map[string]string{"business_id": of.BusinessID, "merchant_id": of.MerchantID, "sign_type": of.SignType}
	if of.SignType == redemption.MD5 {
		keys["md5_key"] = of.MD5Key
	} else {
		keys["private_key"] = of.PrivateKey
	}
	return keys, nil
}

func (s *Simulator) agreeRedemption(account int, link string) error {
	return s.Redemption.Agree(link, s.Redemption.Persons()[account])
}
