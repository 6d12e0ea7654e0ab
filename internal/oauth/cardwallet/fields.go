package cardwallet

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

const (
	mostLeaves   = 2000 // of one object
	mostUnmapped = 60   // shown of one block
	longestShown = 200  // characters of one unmapped value
)

// The groups that a field belongs to by the objects around it. The documents name the objects, though not their fields.
const (
	plain       = "" // of the block itself
	company     = "company"
	legal       = "legal"
	shareholder = "shareholder"
	person      = "person"
	listed      = "list" // in a list inside: one of many, and so the answer to no question
)

// leaf is one value of an object, wherever in it.
type leaf struct {
	path  string // as the provider writes it
	group string
	name  string // the last part, as alike writes it
	depth int
	value string
	used  bool
}

// sheet is an object laid out flat. Looking a field up marks it as used; what is left at the end is unmapped.
type sheet []*leaf

func layOut(object any) sheet {
	var s sheet
	s.add(object, nil, plain)
	slices.SortStableFunc(s, func(a, b *leaf) int { return a.depth - b.depth }) // the nearest field of a name is meant
	return s
}

func (s *sheet) add(v any, path []string, group string) {
	if len(*s) >= mostLeaves {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			inner := group
			if _, object := v[name].(map[string]any); object {
				inner = groupOf(name, group)
			}
			s.add(v[name], append(slices.Clip(path), name), inner)
		}
	case []any:
		for i, element := range v {
			s.add(element, append(slices.Clip(path), strconv.Itoa(i+1)), listed)
		}
	default:
		if value := plainText(v); value != "" && len(path) > 0 {
			last := alike(path[len(path)-1])
			*s = append(*s, &leaf{path: strings.Join(path, "."), group: group, name: last, depth: len(path), value: value})
		}
	}
}

// groupOf says what an object is about by its name: MerchantCompanyDto, legalInfo, person.
func groupOf(name, around string) string {
	name = alike(name)
	for _, word := range []string{shareholder, legal, company, person} {
		if strings.Contains(name, word) {
			return word
		}
	}
	return around
}

// alike writes a name without what differs by taste: client_id, clientId and ClientID are one name.
func alike(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

func plainText(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// take gives the value of the first of the names that the group has, "" if it has none.
func (s sheet) take(group string, names ...string) string {
	for _, name := range names {
		for _, l := range s {
			if l.group == group && l.name == name {
				l.used = true
				return l.value
			}
		}
	}
	return ""
}

// unmapped gives what was not looked up, of the groups given or of all. More than a page would show is left out.
func (s sheet) unmapped(prefix string, groups ...string) []oauth.Unmapped {
	var rest []oauth.Unmapped
	for _, l := range s {
		if l.used || (len(groups) > 0 && !slices.Contains(groups, l.group)) || len(rest) == mostUnmapped {
			continue
		}
		rest = append(rest, oauth.Unmapped{Name: prefix + l.path, Value: oauth.Personal(shortened(l.value))})
	}
	return rest
}

func shortened(value string) string {
	if runes := []rune(value); len(runes) > longestShown {
		return string(runes[:longestShown])
	}
	return value
}

// shelf is a list of rows, in whichever envelope it came.
type shelf struct {
	rows  []any
	total int // -1: not told
}

// rowsOf finds the list in data: data itself, or a field of it, or of a page inside it. It says no where there is none.
func rowsOf(data any) (shelf, bool) {
	if rows, ok := data.([]any); ok {
		return shelf{rows, -1}, true
	}
	object, ok := data.(map[string]any)
	if !ok {
		return shelf{}, false
	}
	for _, name := range []string{"list", "records", "rows", "items", "flowitems", "flowlist", "wallets", "walletlist", "content"} {
		for key, value := range object {
			rows, ok := value.([]any)
			if alike(key) == name && (ok || value == nil) {
				return shelf{rows, totalOf(object)}, true
			}
		}
	}
	for _, name := range []string{"page", "pageinfo", "paging", "data", "result"} {
		for key, value := range object {
			if inner, ok := value.(map[string]any); ok && alike(key) == name {
				return rowsOf(inner)
			}
		}
	}
	return onlyList(object)
}

// onlyList takes a list of an unknown name for the list, where there is no second.
func onlyList(object map[string]any) (found shelf, ok bool) {
	for _, value := range object {
		if rows, is := value.([]any); is {
			if ok {
				return shelf{}, false
			}
			found, ok = shelf{rows, totalOf(object)}, true
		}
	}
	return found, ok
}

func totalOf(object map[string]any) int {
	for key, value := range object {
		if slices.Contains([]string{"total", "totalcount", "totalelements", "totalsize"}, alike(key)) {
			if n, err := strconv.Atoi(plainText(value)); err == nil && n >= 0 {
				return n
			}
		}
	}
	return -1
}

// decoded reads data into plain values; numbers keep their digits.
func decoded(data json.RawMessage) (any, error) {
	var v any
	if err := outbound.DecodeJSON(data, &v); err != nil || v == nil {
		return nil, errAnswer
	}
	return v, nil
}
