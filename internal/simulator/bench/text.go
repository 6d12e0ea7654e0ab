package bench

import (
	"net/http"
	"strconv"
	"strings"
)

// Lang is one of the two languages of the pages.
type Lang string

// The languages. The first is what a browser gets that asks for neither.
const (
	Chinese Lang = "zh-CN"
	English Lang = "en"
)

// languageCookie remembers a choice made with ?lang, so that it survives a form.
const languageCookie = "simulator-lang"

// Text is a sentence in both languages. Both stand side by side where they are written, so that neither is forgotten.
type Text struct {
	ZH string `json:"zh-CN"`
	EN string `json:"en"`
}

// In gives the sentence in one language.
func (t Text) In(lang Lang) string {
	if lang == English {
		return t.EN
	}
	return t.ZH
}

// Language is the language of a request: ?lang, then the remembered choice, then Accept-Language.
func Language(r *http.Request) Lang {
	if lang, ok := known(r.URL.Query().Get("lang")); ok {
		return lang
	}
	if c, err := r.Cookie(languageCookie); err == nil {
		if lang, ok := known(c.Value); ok {
			return lang
		}
	}
	return accepted(r.Header.Get("Accept-Language"))
}

// rememberLanguage keeps a choice that was made in the address.
func rememberLanguage(w http.ResponseWriter, r *http.Request) {
	lang, ok := known(r.URL.Query().Get("lang"))
	if !ok {
		return
	}
	http.SetCookie(w, &http.Cookie{ // not Secure: there is no https here
		Name: languageCookie, Value: string(lang), Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// known reads a language tag by its first part.
func known(tag string) (Lang, bool) {
	primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
	switch primary {
	case "zh":
		return Chinese, true
	case "en":
		return English, true
	}
	return "", false
}

// accepted picks the language with the greatest weight; of equals the first.
func accepted(header string) Lang {
	best, weight := Chinese, 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(part, ";")
		lang, ok := known(tag)
		if !ok {
			continue
		}
		q := 1.0
		if value, found := strings.CutPrefix(strings.TrimSpace(params), "q="); found {
			parsed, err := strconv.ParseFloat(value, 64)
			if err != nil {
				continue
			}
			q = parsed
		}
		if q > weight {
			best, weight = lang, q
		}
	}
	return best
}
