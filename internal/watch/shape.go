package watch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"mooring/internal/models"
	"mooring/internal/oauth"
)

const (
	mostFields  = 300       // of one answer
	deepest     = 8         // objects inside objects
	longestPath = 160       // characters
	shapeLife   = time.Hour // after which a shape that goes on coming is noted again, for its last day
	mostShapes  = 2000      // remembered
)

// shapeKey is one shape of one block's answers.
type shapeKey struct {
	provider string
	block    oauth.Block
	sum      [sha256.Size]byte
}

// Answered looks at the shape of a provider's answer: the names of its fields and their types. No value leaves this
// function. A shape that was noted a moment ago costs nothing more; an answer that is no JSON has none.
func (k *Keeper) Answered(ctx context.Context, provider string, block oauth.Block, raw json.RawMessage) {
	fields, present, ok := shapeOf(raw)
	if !ok || !k.fresh(shapeKey{provider, block, sumOf(fields, present)}) {
		return
	}
	if err := k.store.NoteShape(ctx, provider, block, fields, present); err != nil {
		k.Log.WarnContext(ctx, "the shape of an answer could not be noted", "provider", provider, "error", err)
	}
}

// fresh says whether a shape has not been noted lately, and remembers it.
func (k *Keeper) fresh(key shapeKey) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.Now()
	if at, known := k.shapes[key]; k.store == nil || (known && now.Sub(at) < shapeLife) {
		return false
	}
	if len(k.shapes) >= mostShapes {
		clear(k.shapes) // noting one twice does no harm
	}
	k.shapes[key] = now
	return true
}

func sumOf(fields []models.ShapeField, present []string) [sha256.Size]byte {
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(f.Path + "\x00" + f.Type + "\x00")
	}
	b.WriteString(strings.Join(present, "\x00"))
	return sha256.Sum256([]byte(b.String()))
}

// shapeOf lists the fields of a JSON text, sorted, with the objects that are there. The elements of a list are one: it
// has the fields that any of them has.
func shapeOf(raw json.RawMessage) (fields []models.ShapeField, present []string, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) != nil {
		return nil, nil, false
	}
	s := shape{fields: map[models.ShapeField]bool{}, present: map[string]bool{}}
	s.walk(v, "", 0)
	for f := range s.fields {
		fields = append(fields, f)
	}
	for p := range s.present {
		present = append(present, p)
	}
	slices.SortFunc(fields, func(a, b models.ShapeField) int { return strings.Compare(a.Path+"\x00"+a.Type, b.Path+"\x00"+b.Type) })
	slices.Sort(present)
	return fields, present, len(fields) > 0
}

// shape is what has been found of one answer.
type shape struct {
	fields  map[models.ShapeField]bool
	present map[string]bool // paths of objects
}

func (s *shape) walk(v any, path string, depth int) {
	switch v := v.(type) {
	case map[string]any:
		s.present[path] = true
		if !s.named(v) || depth == deepest {
			return // keys that are values: a map by coin, by currency, by id
		}
		for name, inner := range v {
			below := path + "." + name
			if path == "" {
				below = name
			}
			if len(below) > longestPath || len(s.fields) >= mostFields {
				continue
			}
			s.fields[models.ShapeField{Path: below, Parent: path, Type: typeOf(inner)}] = true
			s.walk(inner, below, depth+1)
		}
	case []any:
		for _, inner := range v {
			s.walk(inner, path+"[]", depth)
		}
	}
}

// named says whether the keys of an object are names of fields. One that begins with a digit or is written in capitals
// throughout is somebody's id or a currency, and then all of them are taken for values.
func (s *shape) named(object map[string]any) bool {
	for name := range object {
		if name == "" || len(name) > 40 || strings.Trim(name, letters+digits+"_-") != "" || strings.ContainsAny(name[:1], digits+"-") ||
			(strings.ToUpper(name) == name && strings.ContainsAny(name, letters)) {
			return false
		}
	}
	return true
}

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
)

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "list"
	}
	return "object"
}
