package connect

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"mooring/internal/oauth"
)

// Change is a field of a block that is not what it was in the version before.
type Change struct {
	Field string // its JSON name
	Of    string // which of several: a wallet's currency, or the provider's own name of a field that no document explains

	Old, New       Told
	Added, Removed []string // of a list, in place of Old and New
}

// Hidden says that both sides look alike because they are not shown whole, though they differ.
func (c Change) Hidden() bool {
	return c.Old.Kind == c.New.Kind && (c.Old.Kind == ToldPersonal || c.Old.Kind == ToldMasked) && c.Old.Text == c.New.Text
}

// ToldKind says how a side of a change is to be written.
type ToldKind string

// The kinds of Told. The zero value tells nothing: the provider gave no value.
const (
	ToldNothing  ToldKind = ""
	ToldText     ToldKind = "text"
	ToldPersonal ToldKind = "personal" // Text is masked by us
	ToldMasked   ToldKind = "masked"   // Text is what the provider shows of the value; it is not the value
	ToldTime     ToldKind = "time"
	ToldMoney    ToldKind = "money"
	ToldFlag     ToldKind = "flag"
)

// Told is one side of a change. A personal value is in it masked only.
type Told struct {
	Kind  ToldKind
	Text  string
	At    time.Time
	Money oauth.Money
	Yes   bool
}

// changes compares two versions of a block.
func changes(before, after BlockView) []Change {
	all := fieldChanges(before, after)
	return append(all, unmappedChanges(before.Unmapped, after.Unmapped)...)
}

func fieldChanges(before, after BlockView) []Change {
	switch {
	case before.Merchant != nil && after.Merchant != nil:
		return structChanges(*before.Merchant, *after.Merchant)
	case before.Company != nil && after.Company != nil:
		return structChanges(*before.Company, *after.Company)
	case before.User != nil && after.User != nil:
		return structChanges(*before.User, *after.User)
	case before.Block == oauth.BlockWallet && after.Block == oauth.BlockWallet:
		return walletChanges(before.Wallets, after.Wallets)
	}
	return nil
}

// fieldNames are the names of the fields that differ, each once: what may be told where no value may.
func fieldNames(all []Change) []string {
	var names []string
	for _, c := range all {
		if !slices.Contains(names, c.Field) {
			names = append(names, c.Field)
		}
	}
	return names
}

// structChanges walks two values of one normalised type, field by field, in the order of the type.
func structChanges[T any](before, after T) []Change {
	old, fresh := reflect.ValueOf(before), reflect.ValueOf(after)
	var all []Change
	for i := range old.NumField() {
		field := old.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Type == reflect.TypeFor[map[string]oauth.Masked]() {
			continue // its entries stand under the names of the fields they stand for
		}
		c, differs := compare(old.Field(i).Interface(), fresh.Field(i).Interface(), maskOf(old, name), maskOf(fresh, name))
		if differs {
			c.Field = name
			all = append(all, c)
		}
	}
	return all
}

// maskOf finds what the provider shows of a field, nil if it does not mask it.
func maskOf(v reflect.Value, name string) *oauth.Masked {
	masked := v.FieldByName("Masked")
	if !masked.IsValid() {
		return nil
	}
	all, _ := masked.Interface().(map[string]oauth.Masked)
	if m, ok := all[name]; ok {
		return &m
	}
	return nil
}

// compare compares one field. Of two values that the provider masks only what it shows is compared: looking alike, they
// may be different, and looking different, that is all that is known.
func compare(old, fresh any, oldMask, freshMask *oauth.Masked) (Change, bool) {
	if was, ok := old.([]string); ok {
		is, _ := fresh.([]string)
		c := Change{Added: without(is, was), Removed: without(was, is)}
		return c, len(c.Added)+len(c.Removed) > 0
	}
	c := Change{Old: tell(old, oldMask), New: tell(fresh, freshMask)}
	if oldMask != nil || freshMask != nil {
		return c, c.Old != c.New
	}
	return c, !same(old, fresh)
}

func without(all, those []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(those, s) })
}

func same(old, fresh any) bool {
	switch was := old.(type) {
	case time.Time:
		is, ok := fresh.(time.Time)
		return ok && was.Equal(is)
	case oauth.Money:
		is, ok := fresh.(oauth.Money)
		return ok && was.Currency == is.Currency && was.Amount.Equal(is.Amount)
	}
	return old == fresh
}

// tell makes a side of a change. What is of no known kind is taken for personal.
func tell(value any, mask *oauth.Masked) Told {
	if mask != nil {
		return Told{Kind: ToldMasked, Text: mask.String()}
	}
	if v := reflect.ValueOf(value); v.Kind() != reflect.Bool && v.IsZero() {
		return Told{}
	}
	switch v := value.(type) {
	case string:
		return Told{Kind: ToldText, Text: v}
	case oauth.Personal:
		return Told{Kind: ToldPersonal, Text: v.String()}
	case time.Time:
		return Told{Kind: ToldTime, At: v}
	case oauth.Money:
		return Told{Kind: ToldMoney, Money: v}
	case bool:
		return Told{Kind: ToldFlag, Yes: v}
	}
	return Told{Kind: ToldPersonal, Text: oauth.Mask(fmt.Sprint(value))}
}

// walletChanges compares balances currency by currency. A currency that came or went is told by its total alone; what
// all wallets are worth together, which stands in each of them, is told once.
func walletChanges(before, after []oauth.Wallet) []Change {
	was, is := byCurrency(before), byCurrency(after)
	var all []Change
	for _, key := range append(order(before), without(order(after), order(before))...) {
		old, had := was[key]
		fresh, has := is[key]
		currency, _, _ := strings.Cut(key, "\x00")
		switch {
		case !had:
			all = append(all, Change{Field: "total", Of: currency, New: tell(fresh.Total, nil)})
		case !has:
			all = append(all, Change{Field: "total", Of: currency, Old: tell(old.Total, nil)})
		default:
			for _, c := range structChanges(old, fresh) {
				if c.Of = currency; c.Field != "all_worth" {
					all = append(all, c)
				}
			}
		}
	}
	if len(before) > 0 && len(after) > 0 && !same(before[0].AllWorth, after[0].AllWorth) {
		all = append(all, Change{Field: "all_worth", Old: tell(before[0].AllWorth, nil), New: tell(after[0].AllWorth, nil)})
	}
	return all
}

func byCurrency(wallets []oauth.Wallet) map[string]oauth.Wallet {
	found := make(map[string]oauth.Wallet, len(wallets))
	for i, key := range order(wallets) {
		found[key] = wallets[i]
	}
	return found
}

// order gives each wallet's key: its currency, and from the second of the same on its number besides.
func order(wallets []oauth.Wallet) []string {
	seen := map[string]int{}
	keys := make([]string, 0, len(wallets))
	for _, w := range wallets {
		key := w.Total.Currency
		if seen[key]++; seen[key] > 1 {
			key += "\x00" + strconv.Itoa(seen[key])
		}
		keys = append(keys, key)
	}
	return keys
}

// unmappedChanges compares what came under names that no document explains.
func unmappedChanges(before, after []oauth.Unmapped) []Change {
	find := func(all []oauth.Unmapped, name string) (oauth.Personal, bool) {
		i := slices.IndexFunc(all, func(u oauth.Unmapped) bool { return u.Name == name })
		if i < 0 {
			return "", false
		}
		return all[i].Value, true
	}
	var changed []Change
	for _, u := range after {
		if old, had := find(before, u.Name); !had || old != u.Value {
			changed = append(changed, Change{Field: "unmapped", Of: u.Name, Old: tell(old, nil), New: tell(u.Value, nil)})
		}
	}
	for _, u := range before {
		if _, has := find(after, u.Name); !has {
			changed = append(changed, Change{Field: "unmapped", Of: u.Name, Old: tell(u.Value, nil)})
		}
	}
	return changed
}
