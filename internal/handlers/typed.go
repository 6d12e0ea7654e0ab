package handlers

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"mooring/internal/models"
	"mooring/internal/oauth"
)

const (
	typedName = "mooring-typed"
	typedLife = 24 * time.Hour
	maxTyped  = 2 << 10 // a browser sends it with every request; what is longer is typed again
)

// keepTyped keeps in the browser what a person typed into a form that has not led to a connection, for when they come back
// to it: the last form alone, and nothing that its provider calls secret.
func (j cookieJar) keepTyped(c *gin.Context, who models.Session, action string, fields []oauth.Field, form url.Values) {
	kept := url.Values{"of": {typedOf(who)}, "at": {action}}
	for _, field := range fields {
		if !field.Secret {
			kept.Set("field "+field.Name, form.Get(field.Name))
		}
	}
	if value := base64.RawURLEncoding.EncodeToString([]byte(kept.Encode())); len(kept) > 2 && len(value) <= maxTyped {
		j.set(c, typedName, value, typedLife)
	}
}

// typed gives what this very person typed into this very form before, by field; nil if nothing is kept.
func (j cookieJar) typed(r *http.Request, who models.Session, action string) url.Values {
	text, err := base64.RawURLEncoding.DecodeString(j.only(r, typedName))
	if err != nil {
		return nil
	}
	kept, err := url.ParseQuery(string(text))
	if err != nil || kept.Get("of") != typedOf(who) || kept.Get("at") != action {
		return nil
	}
	form := url.Values{}
	for name, values := range kept {
		if field, ok := strings.CutPrefix(name, "field "); ok && values[0] != "" {
			form[field] = values
		}
	}
	return form
}

// typedOf says whose it is: a browser is shared, and a person works in several tenants.
func typedOf(who models.Session) string { return who.TenantID.String() + " " + who.UserID.String() }

// fillIn puts what was typed back into a form, except what is secret.
func fillIn(worded []Field, fields []oauth.Field, form url.Values) {
	for i, field := range fields {
		if !field.Secret {
			worded[i].Value = form.Get(field.Name)
		}
	}
}
