package oauthtest

import (
	"context"
	_ "embed" // the values are data: hostile.json
	"encoding/json"
	"reflect"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"mooring/internal/oauth"
)

//go:embed hostile.json
var hostile []byte

// Hostile gives values as an attacker leaves them in a field that a provider passes on: markup, addresses, formulas,
// mail headers, characters that turn a line around or cannot be stored, words that are too long for a line.
func Hostile() []string {
	var values []string
	if err := json.Unmarshal(hostile, &values); err != nil {
		panic("oauthtest: hostile.json: " + err.Error())
	}
	return values
}

// listed is how many wallets and movements a Fake that was filled answers with.
const listed = 24

// Fill lets f answer with these values, one for each text of every block; each answer goes on where the last one
// ended. An account's own id and currencies that the page must tell apart are texts as well.
func (f *Fake) Fill(values []string) {
	var mu sync.Mutex
	at := 0
	next := func() string {
		mu.Lock()
		defer mu.Unlock()
		at++
		return values[(at-1)%len(values)]
	}
	f.Set(func(f *Fake) {
		f.OnIdentify = func(_ context.Context, cred oauth.Credential) (oauth.Account, error) {
			account, err := accountOf(cred)
			return oauth.Account{ExternalID: account, Name: next()}, err
		}
		f.OnMerchant = filled[oauth.Merchant](next)
		f.OnCompany = filled[oauth.Company](next)
		f.OnUser = filled[oauth.User](next)
		f.OnWallets = filled[[]oauth.Wallet](next)
		f.OnWalletFlow = filled[[]oauth.FlowEntry](next)
	})
}

// filled answers with a block every text of which is the next one.
func filled[T any](next func() string) func(context.Context, oauth.Credential) (oauth.Reading[T], error) {
	return func(ctx context.Context, _ oauth.Credential) (oauth.Reading[T], error) {
		var r oauth.Reading[T]
		fill(reflect.ValueOf(&r.Data).Elem(), next)
		raw, err := json.Marshal(r.Data)
		if err != nil {
			return r, err
		}
		r.Raw = raw
		r.Unmapped = []oauth.Unmapped{{Name: next(), Value: oauth.Personal(next())}, {Name: next(), Value: oauth.Personal(next())}}
		return r, ctx.Err()
	}
}

// fill sets every text below v. Masked values stay away: they stand instead of a text, not beside it.
func fill(v reflect.Value, next func() string) {
	switch known := v.Addr().Interface().(type) {
	case *time.Time:
		*known = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
		return
	case *decimal.Decimal:
		*known = decimal.RequireFromString("19.90")
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(next())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), listed, listed))
		for i := range listed {
			fill(v.Index(i), next)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), next)
		}
	}
}
