// Package handlers owns HTTP: routes, sessions' cookies, pages, and the one function that turns an error into a page. It
// is the only importer of gin and gorilla/sessions.
//
// A request walks through routes.go to a wrapper (wrap.go) that hands the handler exactly the authority its kind of page
// has: public, signedOut, person, merchant, operator or admin. A handler parses, calls, answers, and returns an error
// rather than writing one; errors.go knows the page of each. Words are i18n's, what happens belongs to connect and accounts.
//
// A new page is: a struct that embeds Page above its handler (begun with s.page(c, titleKey)), a line in pageTable
// (render.go), a template of the same name that defines "content" and, if it should not be wide, "width" (narrow,
// middle), a line in routes.go, and words in both catalogues. A form shows Field with the partial "field" and its faults from
// faultsOf; a form that went well ends in seeOther, with a flash if there is something to say.
package handlers
