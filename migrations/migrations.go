// Package migrations carries the numbered SQL files that own the schema. internal/database applies them; schema.sql
// beside them is the result, dumped and committed for readers, and compared by a test.
package migrations

import "embed"

// Files are the migrations in goose's form.
//
//go:embed [0-9]*.sql
var Files embed.FS
