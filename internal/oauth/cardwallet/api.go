package cardwallet

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// read makes one authenticated POST. Where the token is turned away, a new one is got and the read repeated, once; if
// that is turned away as well, it is not the token. A success that holds null has nothing to tell: a merchant without a
// wallet.
func (p *Provider) read(ctx context.Context, cred oauth.Credential, path string, query []byte) (oauth.Answer, any, error) {
	c, err := p.client(cred)
	if err != nil {
		return oauth.Answer{}, nil, err
	}
	var refused secret.String
	for again := false; ; again = true {
		access, err := p.token(ctx, c, refused)
		if err != nil {
			return oauth.Answer{}, nil, err
		}
		answer, err := p.post(ctx, access, path, query)
		if err != nil {
			return oauth.Answer{}, nil, err
		}
		r, understood := parse(answer.Body)
		switch {
		case r.accepted() && string(r.data) == "null":
			return oauth.Answer{}, nil, p.refusal(oauth.NotFound, "", errNothing)
		case r.accepted():
			data, err := decoded(r.data)
			if err != nil {
				return oauth.Answer{}, nil, p.refusal(oauth.BadResponse, "", err)
			}
			return answer, data, nil
		case again || !r.turnedAway(answer.Status):
			return oauth.Answer{}, nil, p.refused(answer, r, understood)
		}
		refused = access
	}
}

func (p *Provider) post(ctx context.Context, access secret.String, path string, query []byte) (oauth.Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.baseURL+path, bytes.NewReader(query))
	if err != nil {
		return oauth.Answer{}, p.refusal(oauth.AuthConfig, "", errAddress)
	}
	req.Header.Set(p.authHeader, p.authPrefix+access.Reveal())
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	answer, err := p.caller.Call(ctx, req)
	if err != nil {
		return oauth.Answer{}, oauth.UnansweredRead(slug, err)
	}
	return answer, nil
}

// pageQuery asks for a page of a list, under each of the names that its fields may have: their own are not public, and
// an unknown field is passed over by the framework that these names come from.
func pageQuery(index, size int) ([]byte, error) {
	return json.Marshal(map[string]int{"pageNum": index, "pageNo": index, "current": index, "pageSize": size, "size": size})
}
