package oauth_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"mooring/internal/oauth"
)

// A value that the provider masks must never pass for the value: not by ==, not in JSON.
func TestMaskedIsNoValue(t *testing.T) {
	if reflect.TypeFor[oauth.Masked]().Comparable() {
		t.Error("two masked values can be compared")
	}
	user := oauth.User{Username: "lin", Masked: map[string]oauth.Masked{"phone": oauth.NewMasked("133****0170")}}
	text, err := json.Marshal(user)
	if err != nil || string(text) != `{"username":"lin","masked":{"phone":{"masked":"133****0170"}}}` {
		t.Fatalf("%s, %v", text, err)
	}
	var back oauth.User
	if err := json.Unmarshal(text, &back); err != nil || back.Masked["phone"].String() != "133****0170" || back.Phone != "" {
		t.Errorf("%+v, %v", back, err)
	}
	if json.Unmarshal([]byte(`"133****0170"`), new(oauth.Masked)) == nil {
		t.Error("a plain text was taken for a masked value")
	}
}
