package watch

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"mooring/internal/models"
	"mooring/internal/outbound"
)

// probeTime bounds a test call: somebody waits for it.
const probeTime = 5 * time.Second

// Probe asks every address of a provider for a page that hardly anybody redirects. It is harmless and is not counted;
// what it measures of the clock is. Nothing is found of a provider that is not offered.
func (k *Keeper) Probe(ctx context.Context, provider string) []models.ProbeResult {
	k.mu.Lock()
	v := k.views[provider]
	k.mu.Unlock()
	var found []models.ProbeResult
	for _, address := range v.addresses {
		found = append(found, Probe(ctx, v.client, address))
	}
	k.mu.Lock()
	k.seen[provider] = len(found) > 0
	k.mu.Unlock()
	if len(found) > 0 {
		k.Tell(ctx)
	}
	return found
}

// Probe asks one address.
func Probe(ctx context.Context, client *outbound.Client, address string) models.ProbeResult {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	u, err := url.Parse(address)
	if err != nil {
		return models.ProbeResult{Outcome: string(outbound.Refused)} // the setting was checked
	}
	r := models.ProbeResult{Host: u.Host, Secure: u.Scheme == "https"}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, u.Scheme+"://"+u.Host+"/robots.txt", http.NoBody)
	if err != nil {
		r.Outcome = string(outbound.Refused)
		return r
	}
	began := time.Now()
	answer, outcome := client.Probe(ctx, req)
	r.Outcome, r.Took, r.Skew, r.Dated = string(outcome), time.Since(began), answer.Skew, answer.Dated
	return r
}
