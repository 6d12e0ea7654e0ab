package connect

import (
	"fmt"
	"slices"

	"mooring/internal/oauth"
)

// Registry knows every provider as data, and those whose settings are complete as providers.
type Registry struct {
	all     []oauth.Descriptor
	offered map[string]oauth.Provider
	blocks  map[string]int // how many each offered one can be asked for
}

// NewRegistry checks that every provider has exactly one way in and that each slug is taken once.
func NewRegistry(offered []oauth.Provider, all []oauth.Descriptor) (*Registry, error) {
	r := &Registry{offered: map[string]oauth.Provider{}, blocks: map[string]int{}}
	seen := map[string]int{}
	for _, d := range all {
		if _, twice := seen[d.Slug]; twice {
			return nil, fmt.Errorf("connect: two providers are called %q", d.Slug)
		}
		seen[d.Slug] = len(r.all)
		r.all = append(r.all, d)
	}
	for _, p := range offered {
		d := p.Descriptor()
		at, known := seen[d.Slug]
		if !known {
			return nil, fmt.Errorf("connect: provider %q is not listed", d.Slug)
		}
		if flow, ok := wayIn(p); !ok || flow != d.Flow {
			return nil, fmt.Errorf("connect: provider %q must have exactly one way in, the one its descriptor names", d.Slug)
		}
		r.all[at] = d // the settings may have changed it: environment, form origin, state policy
		r.offered[d.Slug] = p
		r.blocks[d.Slug] = len(fetches(p))
	}
	return r, nil
}

func wayIn(p oauth.Provider) (flow oauth.Flow, ok bool) {
	ways := 0
	if _, is := p.(oauth.RedirectFlow); is {
		flow, ways = oauth.FlowRedirect, ways+1
	}
	if _, is := p.(oauth.LinkFlow); is {
		flow, ways = oauth.FlowLink, ways+1
	}
	if _, is := p.(oauth.KeyFlow); is {
		flow, ways = oauth.FlowKey, ways+1
	}
	return flow, ways == 1
}

// Describe gives a provider as data; ok is false for a slug that nobody has.
func (r *Registry) Describe(slug string) (d oauth.Descriptor, offered, ok bool) {
	for _, d := range r.all {
		if d.Slug == slug {
			_, offered := r.offered[slug]
			return d, offered, true
		}
	}
	return oauth.Descriptor{}, false, false
}

// All gives every provider as data, in the order of the list.
func (r *Registry) All() []oauth.Descriptor { return slices.Clone(r.all) }

// Offered gives the providers whose settings are complete, in the order of the list.
func (r *Registry) Offered() (offered []oauth.Descriptor) {
	for _, d := range r.all {
		if _, ok := r.offered[d.Slug]; ok {
			offered = append(offered, d)
		}
	}
	return offered
}

// Slugs names the offered ones.
func (r *Registry) Slugs() (slugs []string) {
	for _, d := range r.Offered() {
		slugs = append(slugs, d.Slug)
	}
	return slugs
}
