package config

import (
	"strings"

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// provider reads what a descriptor asks for: <SLUG>_<NAME> of each setting, and <SLUG>_ENVIRONMENT.
func (r *reader) provider(d oauth.Descriptor) Provider {
	prefix := strings.ToUpper(d.Slug) + "_"
	p := Provider{Slug: d.Slug, Environment: r.environment(prefix + "ENVIRONMENT"), Settings: oauth.Settings{}}
	for _, s := range d.Settings {
		value, source := r.setting(prefix+s.Name, s)
		switch {
		case value.IsEmpty() && s.Required:
			p.Missing = append(p.Missing, prefix+s.Name)
		case value.IsEmpty():
		case s.Check != nil:
			if err := s.Check(value.Reveal()); err != nil {
				r.fault(source, refusal(err, value, s))
			}
		}
		p.Settings[s.Name] = value
	}
	return p
}

func (r *reader) setting(name string, s oauth.Setting) (value secret.String, source string) {
	if !s.Secret {
		return secret.New(r.text(name, s.Default)), name
	}
	value, source, _ = r.hidden(name)
	if value.IsEmpty() && s.Default != "" {
		value = secret.New(s.Default)
	}
	return value, source
}

// refusal says what a check expects. A check may quote what it refuses, whole or in part; then the setting's own help is
// all that is said.
func refusal(err error, value secret.String, s oauth.Setting) string {
	if text := err.Error(); !s.Secret && !strings.Contains(text, value.Reveal()) && !strings.Contains(text, `"`) {
		return text
	}
	return "another value: " + s.Help.EN
}

// environment is test unless live is written: showing test accounts as test harms less than the other mistake.
func (r *reader) environment(name string) oauth.Environment {
	switch value := oauth.Environment(r.text(name, string(oauth.Test))); value {
	case oauth.Test, oauth.Live:
		return value
	}
	r.fault(name, "test or live")
	return oauth.Test
}
