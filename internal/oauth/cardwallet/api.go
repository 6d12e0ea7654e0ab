package cardwallet

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// read makes one authenticated POST. A token that is turned away is over, whatever its clock says: getting a new one and
// reading again is for whoever keeps the credential. A success that holds null has nothing to tell: a merchant without a
// wallet.
func (p *Provider) read(ctx context.Context, cred oauth.Credential, path string, query []byte) (oauth.Answer, any, error) {
	if _, err := p.client(cred); err != nil {
		return oauth.Answer{}, nil, err
	}
	if cred.AccessToken.IsEmpty() { // a credential from before tokens were part of it
		return oauth.Answer{}, nil, p.refusal(oauth.AuthExpired, "", errNone)
	}
	answer, err := p.post(ctx, cred.AccessToken, path, query)
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
	}
	e := p.refused(answer, r, understood)
	if e.Kind == oauth.AuthConfig && r.turnedAway(answer.Status) {
		e.Kind = oauth.AuthExpired
	}
	return oauth.Answer{}, nil, e
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
