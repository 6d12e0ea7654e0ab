package chainup_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

func money(amount, currency string) oauth.Money {
	return oauth.Money{Amount: decimal.RequireFromString(amount), Currency: currency}
}

func walletsOf(t testing.TB, plain string) (oauth.Reading[[]oauth.Wallet], error) {
	t.Helper()
	d := usual(t)
	d.serve[balancePath] = oauthtest.Says(200, answer(`0`, plain))
	return open(t, d, nil).FetchWallets(t.Context(), credential())
}

func TestFetchWallets(t *testing.T) {
	d := usual(t)
	got, err := open(t, d, nil).FetchWallets(t.Context(), credential())
	if err != nil {
		t.Fatal(err)
	}
	all := money("1.23456789012345678901", "BTC")
	want := []oauth.Wallet{
		{Available: money("9007199254740993", "BTC"), Frozen: money("0", "BTC"), Total: money("9007199254740993", "BTC"), Worth: money("9007199254740993", "BTC"), AllWorth: all},
		{Available: money("1.50", "ETH"), Frozen: money("0.25", "ETH"), Total: money("1.75", "ETH"), AllWorth: all},
		{Available: money("12345678901234567890.123456789012345678", "USDT"), Frozen: money("0.1", "USDT"),
			Total: money("12345678901234567890.223456789012345678", "USDT"), Worth: money("0.5", "BTC"), AllWorth: all},
	}
	if diff := cmp.Diff(want, got.Data); diff != "" {
		t.Error(diff)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(got.Raw, &raw); err != nil || raw["allCoinMap"] == nil || got.Partial {
		t.Errorf("raw is not what came: %v", err)
	}
	if d.seen[0].plain != `{"openId":"open_1"}` {
		t.Errorf("asked for %s", d.seen[0].plain)
	}
}

func TestWalletsThatSayLess(t *testing.T) {
	for plain, want := range map[string][]oauth.Wallet{
		`{"allCoinMap":{}}`:   {},
		`{"allCoinMap":null}`: {},
		`{"allCoinMap":{"X":{"normal_balance":"0","lock_balance":"0","total_balance":"0"}}}`: {},
		`{"allCoinMap":{"X":{"normal_balance":"1","total_balance":"3"}}}`:                    {{Available: money("1", "X"), Frozen: money("2", "X"), Total: money("3", "X")}},
		`{"allCoinMap":{"X":{"lock_balance":"1","total_balance":"3"}}}`:                      {{Available: money("2", "X"), Frozen: money("1", "X"), Total: money("3", "X")}},
		`{"allCoinMap":{"X":{"normal_balance":-1,"lock_balance":1e0,"isFiat":{}}}}`:          {{Available: money("-1", "X"), Frozen: money("1", "X"), Total: money("0", "X")}},
	} {
		got, err := walletsOf(t, plain)
		same := cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) })
		if err != nil || !cmp.Equal(want, got.Data, same, cmpopts.IgnoreFields(oauth.Wallet{}, "AllWorth")) {
			t.Errorf("%s: %+v, %v", plain, got.Data, err)
		}
	}
}

func TestWalletsThatAreNone(t *testing.T) {
	for _, plain := range []string{
		`{}`, `null`, `[]`, `"x"`, `{"allCoinMap":[]}`, `{"allCoinMap":{"X":1}}`, `{"allCoinMap":{"X":{}}}`, `{"allCoinMap":{"X":null}}`,
		`{"allCoinMap":{"X":{"normal_balance":"1"}}}`,
		`{"allCoinMap":{"X":{"normal_balance":"NaN","lock_balance":"0"}}}`, `{"allCoinMap":{"X":{"normal_balance":1e309,"lock_balance":"0"}}}`,
		`{"allCoinMap":{"X":{"normal_balance":"1,000","lock_balance":"0"}}}`, `{"allCoinMap":{"X":{"normal_balance":"1","lock_balance":"0","btcValuatin":"much"}}}`,
		`{"totalBalance":"1e999999999","allCoinMap":{}}`,
	} {
		_, err := walletsOf(t, plain)
		oauthtest.WantKind(t, plain, err, oauth.BadResponse)
	}
}

func TestFetchUser(t *testing.T) {
	d := usual(t)
	got, err := open(t, d, nil).FetchUser(t.Context(), credential())
	if err != nil {
		t.Fatal(err)
	}
	want := oauth.User{
		ID: "9007199254740993", Username: "林小海", Phone: "+86 13800138000", Email: "lin@example.com",
		VerificationType: "1", VerificationLevel: "2", Created: time.Date(2025, 10, 15, 6, 32, 21, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got.Data); diff != "" {
		t.Error(diff)
	}
	if got.SourceZone != "Asia/Shanghai" || got.Partial {
		t.Errorf("zone %q, partial %v", got.SourceZone, got.Partial)
	}
	var raw map[string]map[string]json.RawMessage
	if err := json.Unmarshal(got.Raw, &raw); err != nil || raw["user_superior"]["user"] == nil || raw["inquire_user"]["nickName"] == nil {
		t.Errorf("raw is not what came: %v", err)
	}
	if len(d.seen) != 2 || d.seen[0].path != uidPath || d.seen[0].plain != `{"openId":"open_1"}` || d.seen[1].path != userPath || d.seen[1].plain != `{"uid":"9007199254740993"}` {
		t.Errorf("asked for %v", d.paths())
	}
}

func TestUsersInOtherWords(t *testing.T) {
	const id = "9007199254740993"
	for plain, want := range map[string]oauth.User{
		`{}`: {ID: id},
		`{"user":{"nickName":"a","countryCode":"0044","mobileNumber":20}}`: {ID: id, Username: "a", Phone: "+44 20"},
		`{"countryCode":"86"}`:                   {ID: id},
		`{"mobileNumber":"1","id":"` + id + `"}`: {ID: id, Phone: "1"},
		`{"ctime":1760509941000}`:                {ID: id, Created: time.Date(2025, 10, 15, 6, 32, 21, 0, time.UTC)},
		`{"ctime":"1760509941"}`:                 {ID: id, Created: time.Date(2025, 10, 15, 6, 32, 21, 0, time.UTC)},
		`{"ctime":"yesterday"}`:                  {ID: id},
		`{"ctime":17}`:                           {ID: id},
		`{"email":null,"authLevel":"0"}`:         {ID: id, VerificationLevel: "0"},
	} {
		d := usual(t)
		d.serve[userPath] = oauthtest.Says(200, answer(`"0"`, plain))
		got, err := open(t, d, nil).FetchUser(t.Context(), credential())
		if err != nil || !cmp.Equal(want, got.Data) {
			t.Errorf("%s: %+v, %v", plain, got.Data, err)
		}
	}
	// What the exchange masks is no value.
	d := usual(t)
	d.serve[userPath] = oauthtest.Says(200, answer(`0`, `{"countryCode":"+86","mobileNumber":"138****8000","email":"l**@example.com"}`))
	got, err := open(t, d, nil).FetchUser(t.Context(), credential())
	if err != nil || got.Data.Phone != "" || got.Data.Email != "" || got.Data.Masked["phone"].String() != "+86 138****8000" || got.Data.Masked["email"].String() != "l**@example.com" {
		t.Errorf("masked: %+v, %v", got.Data, err)
	}
}

func TestUsersThatAreNone(t *testing.T) {
	for plain, want := range map[string]oauth.Kind{`null`: oauth.BadResponse, `[]`: oauth.BadResponse, `{"id":5}`: oauth.BadResponse} {
		d := usual(t)
		d.serve[userPath] = oauthtest.Says(200, answer(`0`, plain))
		_, err := open(t, d, nil).FetchUser(t.Context(), credential())
		oauthtest.WantKind(t, plain, err, want)
	}
	// An exchange that does not let the app ask leaves the ids.
	for _, code := range []string{"50003", "50012"} {
		d := usual(t)
		d.serve[userPath] = oauthtest.Says(200, `{"code":"`+code+`"}`)
		got, err := open(t, d, nil).FetchUser(t.Context(), credential())
		if err != nil || !got.Partial || got.Data.ID == "" {
			t.Errorf("%s: %+v, %v", code, got, err)
		}
		d.serve[uidPath] = d.serve[userPath]
		if _, err = open(t, d, nil).FetchUser(t.Context(), credential()); err == nil {
			t.Errorf("%s: a user without any id", code)
		}
	}
}
