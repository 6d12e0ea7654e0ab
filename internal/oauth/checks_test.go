package oauth_test

import (
	"testing"

	"mooring/internal/oauth"
)

func TestChecks(t *testing.T) {
	address := "must be an https address without user, query or fragment"
	for name, tc := range map[string]struct {
		check func(string) error
		takes []string
		says  string
		not   []string
	}{
		"address": {
			oauth.CheckURL, []string{"https://a.example", "http://localhost:8101/", "https://a.example/x/y"}, address,
			[]string{"", "a.example", "/x", "ftp://a.example", "https://", "https://:80", "https://u:p@a.example", "https://a.example?x", "https://a.example#x", "https://a.example:x", "%"},
		},
		"truth value": {oauth.CheckBool, []string{"true", "false", "1", "0"}, "must be true or false", []string{"", "yes", " true"}},
		"word":        {oauth.CheckOneOf("a", "b"), []string{"a", "b"}, "must be one of a, b", []string{"", "c", "A", "a, b"}},
	} {
		for _, value := range tc.takes {
			if err := tc.check(value); err != nil {
				t.Errorf("%s: %q: %v", name, value, err)
			}
		}
		for _, value := range tc.not {
			if err := tc.check(value); err == nil || err.Error() != tc.says {
				t.Errorf("%s: %q: %v", name, value, err)
			}
		}
	}
}
