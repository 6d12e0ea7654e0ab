package accounts

import (
	"context"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
)

// Limits are how often things may be tried, over all replicas together. There is no hard lock: whoever knows the
// password gets in from an address that has not been guessing.
type Limits struct {
	SignInAccount models.Rate // one account from one address
	SignInAddress models.Rate // one address, any account
	SignInAll     models.Rate // everybody
	Code          models.Rate // codes of one person's second factor
	SignUpAddress models.Rate // sign-ups from one address
	SignUpAll     models.Rate
	MailAddressee models.Rate // mails to one mailbox: nobody is bombed through us
	MailAddress   models.Rate // mails caused from one address
	Reveal        models.Rate // looks of one person at what is masked
}

// DefaultLimits keep a guesser slow and an office behind one address working.
func DefaultLimits() Limits {
	return Limits{
		SignInAccount: models.Rate{Every: 12 * time.Second, Burst: 10},
		SignInAddress: models.Rate{Every: time.Second, Burst: 60},
		SignInAll:     models.Rate{Every: 50 * time.Millisecond, Burst: 600},
		Code:          models.Rate{Every: 20 * time.Second, Burst: 10},
		SignUpAddress: models.Rate{Every: 10 * time.Second, Burst: 60},
		SignUpAll:     models.Rate{Every: 500 * time.Millisecond, Burst: 300},
		MailAddressee: models.Rate{Every: 10 * time.Minute, Burst: 4},
		MailAddress:   models.Rate{Every: 10 * time.Second, Burst: 30},
		Reveal:        models.Rate{Every: 2 * time.Minute, Burst: 30},
	}
}

// check is one limit for one subject.
type check struct {
	rate    models.Rate
	purpose string
	subject []string
}

// allow counts one event against each check, narrowest first; the wide ones count only what the narrow ones let
// through, so that one guesser cannot use up everybody's share.
func (s *Service) allow(ctx context.Context, checks ...check) error {
	for _, c := range checks {
		allowed, err := s.allowed(ctx, c)
		if err != nil {
			return err
		}
		if !allowed {
			return errs.New(errs.TooMany, "account.too_many")
		}
	}
	return nil
}

// AllowReveal counts one look of a person at what is masked, 30 an hour.
func (s *Service) AllowReveal(ctx context.Context, person uuid.UUID) error {
	allowed, err := s.allowed(ctx, check{s.Limits.Reveal, "reveal", []string{person.String()}})
	if err == nil && !allowed {
		return errs.New(errs.TooMany, "reveal.too_many")
	}
	return err
}

func (s *Service) allowed(ctx context.Context, c check) (bool, error) {
	key, err := s.Vault.Hash("rate:"+c.purpose, c.subject...)
	if err != nil {
		return false, err
	}
	return s.Store.AllowRate(ctx, key, c.rate)
}

// network is what counts as one address: an IPv6 user has a whole /64 to come from.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return ip.String()
	}
	return prefix.String()
}
