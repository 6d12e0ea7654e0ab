// Package templates embeds the pages. handlers reads them at start and checks each against its struct.
package templates

import "embed"

// Files are layouts, partials and pages.
//
//go:embed layouts partials pages
var Files embed.FS
