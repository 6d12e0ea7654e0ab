// Package static embeds what browsers load besides pages: one style sheet, one script, pictures, providers' marks.
// handlers serves it with the content's hash in the path.
package static

import "embed"

// Files are the assets.
//
//go:embed css js img providers
var Files embed.FS
