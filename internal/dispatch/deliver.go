package dispatch

import (
	"bytes"
	"context"
	"errors"
	"hash/fnv"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// Why a try was none, besides the words of outbound.
const (
	endpointOff  = "disabled"      // the endpoint is switched off
	secretBroken = "sealed_broken" // its secret does not open
)

// rests are how long a delivery waits after its first failed try, its second, and so on; after the last one it is given
// up. Three days, as Standard Webhooks recommends: a weekend passes unnoticed.
func rests() []time.Duration {
	return []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour,
		14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// restAfter says how long a delivery rests after so many tries; false: it is given up. It is up to a fifth longer than
// planned, by the delivery's id, so that what failed together does not come back together. Who answers when to come
// back is not asked before that.
func restAfter(delivery uuid.UUID, tries int, asked time.Duration) (time.Duration, bool) {
	plan := rests()
	if tries > len(plan) {
		return 0, false
	}
	h := fnv.New32a()
	_, _ = h.Write(append(delivery[:], byte(tries)))
	rest := plan[tries-1]
	rest += rest / 5 * time.Duration(h.Sum32()%1000) / 1000
	return max(rest, asked), true
}

// Deliver posts a delivery whose time has come. again is when to call once more: it is not delivered, and not given up.
// An error means that what came of it could not be kept; posting it again does no harm, for its id is the same.
func (s *Service) Deliver(ctx context.Context, st *models.TenantStore, delivery uuid.UUID) (again time.Duration, err error) {
	d, err := st.Dispatch(ctx, delivery)
	if errs.CodeOf(err) == errs.NotFound {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if d.NextAt != nil {
		if early := d.NextAt.Sub(s.Now()); early > 0 {
			return early, nil
		}
	}
	result, turnedAway := s.try(ctx, d)
	if turnedAway > 0 {
		return turnedAway, nil
	}
	if ctx.Err() != nil { // the program ends: this was no try of the endpoint's
		return 0, ctx.Err()
	}
	err = st.SaveTry(ctx, d, result)
	if errs.CodeOf(err) == errs.Conflict { // somebody else delivered it meanwhile, or the endpoint was deleted
		return 0, nil
	}
	if err != nil || result.State != models.DeliveryWaiting {
		return 0, err
	}
	return result.NextAt.Sub(result.At), nil
}

// try posts a delivery and judges the answer. turnedAway says that nothing left the house, because too much goes
// to that endpoint at the moment or it has failed too often: that is no try.
func (s *Service) try(ctx context.Context, d models.Dispatch) (r models.Tried, turnedAway time.Duration) {
	r = models.Tried{Host: HostOf(d.To.URL), State: models.DeliveryFailed}
	if !d.To.Enabled {
		r.At, r.Error = s.Now(), endpointOff
		return r, 0
	}
	answer, try, err := s.post(ctx, d.To, messageID(d.EventID), []byte(d.Body))
	r.DeliveryTry = try
	if fault, ok := errors.AsType[*outbound.Error](err); ok && (fault.Reason == outbound.BreakerOpen || fault.Reason == outbound.Busy) {
		return r, max(fault.RetryAfter(), time.Second)
	}
	switch {
	case err == nil && try.Status >= 200 && try.Status < 300:
		r.State = models.Delivered
	case try.Status == http.StatusGone:
		r.Gone = true
	default:
		if rest, more := restAfter(d.ID, d.Tries+1, answer.RetryAfter); more {
			r.State, r.NextAt = models.DeliveryWaiting, r.At.Add(rest)
		}
	}
	return r, 0
}

// post signs and sends. What went wrong stands in the try as a word; the error is for telling them apart.
func (s *Service) post(ctx context.Context, to models.Target, id string, body []byte) (oauth.Answer, models.DeliveryTry, error) {
	at := s.Now()
	try := models.DeliveryTry{At: at}
	secrets, err := s.openSecrets(to)
	if err != nil {
		try.Error = secretBroken
		return oauth.Answer{}, try, err
	}
	request, err := newPost(ctx, to.URL, secrets, id, at, body)
	if err != nil {
		try.Error = string(outbound.Refused)
		return oauth.Answer{}, try, err
	}
	answer, err := s.wayTo(to.ID).Call(ctx, request)
	try.TookMS = int(s.Now().Sub(at) / time.Millisecond)
	if fault, ok := errors.AsType[*outbound.Error](err); ok {
		try.Error = string(fault.Reason)
		return answer, try, err
	}
	try.Status = answer.Status
	return answer, try, err
}

func newPost(ctx context.Context, address string, secrets []secret.String, id string, at time.Time, body []byte) (*http.Request, error) {
	signature, err := sign(secrets, id, at, body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("dispatch: the address cannot be called") // theirs repeats it
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(headerID, id)
	r.Header.Set(headerTimestamp, strconv.FormatInt(at.Unix(), 10))
	r.Header.Set(headerSignature, signature)
	return outbound.Once(r), nil
}

// HostOf names an endpoint where its whole address does not belong, because its path may be its key.
func HostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// sealSecret seals a secret for an endpoint.
func (s *Service) sealSecret(ctx context.Context, endpoint uuid.UUID, version int64, value secret.String) (vault.Sealed, error) {
	key, err := s.Store.OutgoingKey(ctx, s.Vault.NewPlatformKey)
	if err != nil {
		return nil, err
	}
	return s.Vault.Seal(key, secretPlace(endpoint, version), []byte(value.Reveal()))
}
