package oauthtest

import (
	"context"

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// OpVerify counts KeyFake.Verify.
const OpVerify Op = "verify"

// The form names of KeyFake's fields, and the secret that it refuses.
const (
	KeyFakeID     = "client_id"
	KeyFakeSecret = "client_secret"
	KeyFakeWrong  = "wrong"
)

// KeyFake is the Fake whose way in is a form. It has the same fields, fetchers and counters; the zero value works, knows
// the account from the client_id field, and takes every secret but KeyFakeWrong and none. Hold and Entered belong to
// Verify. Use it by pointer: &KeyFake{Fake: Fake{Slug: "keyed"}}.
type KeyFake struct {
	Fake
	NoRedirect

	FormFields []oauth.Field // two: KeyFakeID and KeyFakeSecret
	OnVerify   func(context.Context, oauth.Values) (oauth.Credential, error)
	OnCheck    func(oauth.Values) error // nil: everything passes
}

var (
	_ oauth.KeyFlow           = (*KeyFake)(nil)
	_ oauth.Checker           = (*KeyFake)(nil)
	_ oauth.MerchantFetcher   = (*KeyFake)(nil)
	_ oauth.CompanyFetcher    = (*KeyFake)(nil)
	_ oauth.UserFetcher       = (*KeyFake)(nil)
	_ oauth.WalletFetcher     = (*KeyFake)(nil)
	_ oauth.WalletFlowFetcher = (*KeyFake)(nil)
)

// NoRedirect takes the redirect flow from a fake with another way in: a method that two embedded types have at the same
// depth belongs to neither, and a provider has exactly one way in.
type NoRedirect struct{}

// AuthURL hides Fake.AuthURL.
func (NoRedirect) AuthURL() {}

// Exchange hides Fake.Exchange.
func (NoRedirect) Exchange() {}

// Descriptor implements oauth.Provider.
func (k *KeyFake) Descriptor() oauth.Descriptor {
	d := k.Fake.Descriptor()
	d.Flow, d.StatePolicy, d.FormOrigin = oauth.FlowKey, "", ""
	return d
}

// Fields implements oauth.KeyFlow.
func (k *KeyFake) Fields() []oauth.Field {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.FormFields != nil {
		return k.FormFields
	}
	text := func(en string) oauth.Text { return oauth.Text{ZH: "测试：" + en, EN: en} }
	return []oauth.Field{
		{Name: KeyFakeID, Label: text("Client ID"), Help: text("Nineteen digits."), Required: true},
		{Name: KeyFakeSecret, Label: text("Client secret"), Help: text("Anything but wrong."), Secret: true, Required: true},
	}
}

// Check implements oauth.Checker.
func (k *KeyFake) Check(values oauth.Values) error {
	k.mu.Lock()
	on := k.OnCheck
	k.mu.Unlock()
	if on == nil {
		return nil
	}
	return on(values)
}

// Verify implements oauth.KeyFlow.
func (k *KeyFake) Verify(ctx context.Context, values oauth.Values) (oauth.Credential, error) {
	var on func(context.Context, oauth.Values) (oauth.Credential, error)
	var hold <-chan struct{}
	id, key := values[KeyFakeID].Reveal(), values[KeyFakeSecret]
	k.enter(OpVerify, func() {
		if !key.IsEmpty() {
			k.issued = append(k.issued, key.Reveal()) // as little to be found anywhere as what was issued
		}
		on, hold = k.OnVerify, k.Hold
		select {
		case k.Entered <- struct{}{}:
		default:
		}
	})
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return oauth.Credential{}, k.refuse(oauth.Upstream, "", ctx.Err()) // proving values may be repeated
		}
	}
	switch {
	case on != nil:
		return on(ctx, values)
	case id == "" || key.IsEmpty():
		return oauth.Credential{}, k.refuse(oauth.BadRequest, "", nil)
	case key.Reveal() == KeyFakeWrong:
		return oauth.Credential{}, k.refuse(oauth.AuthConfig, "401", nil)
	}
	cred := k.Credential(id)
	cred.RefreshToken = secret.String{}
	cred.Extra[KeyFakeSecret] = key
	return cred, ctx.Err()
}
