package chainup

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

// btc is what the exchange reckons coins in, beside the symbol that it names for the whole.
const btc = "BTC"

// account is P of a read. The openId comes from the credential alone: it is all that says whose data is read.
type account struct {
	OpenID string `json:"openId"`
}

// FetchWallets implements oauth.WalletFetcher: one balance for each coin that the account holds any of. An exchange
// lists every coin that it trades; those without a balance are left to the raw answer.
func (p *Provider) FetchWallets(ctx context.Context, cred oauth.Credential) (oauth.Reading[[]oauth.Wallet], error) {
	none := oauth.Reading[[]oauth.Wallet]{}
	openID := cred.Extra[openIDKey].Reveal()
	if openID == "" {
		return none, p.refusal(oauth.BadRequest, "", errNoAccount)
	}
	plain, err := p.ask(ctx, call{path: balancePath}, account{openID})
	if err != nil {
		return none, err
	}
	var top outbound.Object
	var coins map[string]outbound.Object
	if outbound.DecodeJSON(plain, &top) != nil || outbound.DecodeJSON(top["allCoinMap"], &coins) != nil {
		return none, p.refusal(oauth.BadResponse, "", errAnswer)
	}
	worth, _, err := amount(top, "totalBalance", strings.ToUpper(top.Text("totalBalanceSymbol")))
	if err != nil {
		return none, p.refusal(oauth.BadResponse, "", err)
	}
	wallets := []oauth.Wallet{}
	for symbol, coin := range coins {
		w, err := wallet(coin, symbol)
		if err != nil {
			return none, p.refusal(oauth.BadResponse, "", err)
		}
		if w.AllWorth = worth; !w.Available.Amount.IsZero() || !w.Frozen.Amount.IsZero() || !w.Total.Amount.IsZero() {
			wallets = append(wallets, w)
		}
	}
	slices.SortFunc(wallets, func(a, b oauth.Wallet) int { return cmp.Compare(a.Total.Currency, b.Total.Currency) })
	return oauth.Reading[[]oauth.Wallet]{Data: wallets, Raw: outbound.Bare(plain), SourceZone: homeZone}, nil
}

// wallet reads one coin. Of the three amounts any two give the third; a zero that nobody sent would be a lie.
func wallet(r outbound.Object, symbol string) (oauth.Wallet, error) {
	var w oauth.Wallet
	free, freeTold, err := amount(r, "normal_balance", symbol)
	if err != nil {
		return w, err
	}
	frozen, frozenTold, err := amount(r, "lock_balance", symbol)
	if err != nil {
		return w, err
	}
	total, totalTold, err := amount(r, "total_balance", symbol)
	if err != nil {
		return w, err
	}
	switch {
	case freeTold && frozenTold && !totalTold:
		total.Amount = free.Amount.Add(frozen.Amount)
	case freeTold && totalTold && !frozenTold:
		frozen.Amount = total.Amount.Sub(free.Amount)
	case frozenTold && totalTold && !freeTold:
		free.Amount = total.Amount.Sub(frozen.Amount)
	case !freeTold || !frozenTold || !totalTold:
		return w, errAmount
	}
	w = oauth.Wallet{Available: free, Frozen: frozen, Total: total}
	worth, told, err := amount(r, "btcValuatin", btc) // spelt so
	if told && err == nil {
		w.Worth = worth
	}
	return w, err
}

// FetchUser implements oauth.UserFetcher: the uid that belongs to the openId, then what the exchange knows of it. An
// exchange that does not let the app ask for more leaves the ids, and the block says that it is not everything.
func (p *Provider) FetchUser(ctx context.Context, cred oauth.Credential) (oauth.Reading[oauth.User], error) {
	none := oauth.Reading[oauth.User]{}
	openID := cred.Extra[openIDKey].Reveal()
	uid, known, err := p.uid(ctx, openID)
	if err != nil {
		return none, err
	}
	answers := map[string]json.RawMessage{"user_superior": outbound.Bare(known)}
	reading := oauth.Reading[oauth.User]{Data: oauth.User{ID: uid}, SourceZone: homeZone}
	plain, err := p.ask(ctx, call{path: userPath, also: "200"}, struct {
		UID string `json:"uid"`
	}{uid})
	switch {
	case notForUs(err):
		reading.Partial = true
	case err != nil:
		return none, err
	default:
		if reading.Data, err = p.user(plain, uid); err != nil {
			return none, err
		}
		answers["inquire_user"] = outbound.Bare(plain)
	}
	reading.Raw, err = json.Marshal(answers)
	return reading, err
}

// user reads the person. One with another id than was asked for is somebody else.
func (p *Provider) user(plain []byte, uid string) (oauth.User, error) {
	var top outbound.Object
	if outbound.DecodeJSON(plain, &top) != nil || top == nil {
		return oauth.User{}, p.refusal(oauth.BadResponse, "", errAnswer)
	}
	r := top.Inside("user", "userInfo", "data")
	if id := r.Text("id", "uid"); id != "" && id != uid {
		return oauth.User{}, p.refusal(oauth.BadResponse, "", errAnswer)
	}
	phone := r.Text("mobileNumber")
	if country := strings.TrimLeft(r.Text("countryCode"), "+0"); phone != "" && country != "" {
		phone = "+" + country + " " + phone
	}
	user := oauth.User{
		ID: uid, Username: r.Text("nickName"), VerificationType: r.Text("authType"), VerificationLevel: r.Text("authLevel"),
		Created: instant(r.Text("ctime"), p.zone),
	}
	user.Phone = whole(&user, "phone", phone)
	user.Email = whole(&user, "email", r.Text("email"))
	return user, nil
}

// whole gives a value that the exchange shows in full; one with stars in it is no value, and kept apart.
func whole(user *oauth.User, field, value string) oauth.Personal {
	if !strings.Contains(value, "*") {
		return oauth.Personal(value)
	}
	if user.Masked == nil {
		user.Masked = map[string]oauth.Masked{}
	}
	user.Masked[field] = oauth.NewMasked(value)
	return ""
}

// uid asks for the exchange's own number of the account, the documented way from an openId to a person.
func (p *Provider) uid(ctx context.Context, openID string) (uid string, plain []byte, err error) {
	if openID == "" {
		return "", nil, p.refusal(oauth.BadRequest, "", errNoAccount)
	}
	if plain, err = p.ask(ctx, call{path: uidPath}, account{openID}); err != nil {
		return "", nil, err
	}
	var top outbound.Object
	if outbound.DecodeJSON(plain, &top) == nil && top != nil {
		uid = top.Inside("user").Text("uid")
	}
	if !visible(outbound.Text(uid)) || len(uid) > 64 {
		return "", nil, p.refusal(oauth.BadResponse, "", errAnswer)
	}
	return uid, plain, nil
}
