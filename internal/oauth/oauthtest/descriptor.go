package oauthtest

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

func checkDescriptor(t *testing.T, s Subject) {
	st := newStage(t, s)
	p := st.provider(t, time.Second)
	d := p.Descriptor()
	if before := s.Factory.Describe(); before.Slug != d.Slug || before.Flow != d.Flow || len(before.Settings) != len(d.Settings) {
		t.Error("Describe and Descriptor do not describe the same provider")
	}
	if !regexp.MustCompile(`^[a-z][a-z0-9]{1,30}$`).MatchString(d.Slug) {
		t.Errorf("slug %q is not fit for addresses, columns and environment names", d.Slug)
	}
	if d.Environment != oauth.Test {
		t.Errorf("environment %q, want the one of the Config", d.Environment)
	}
	if u, err := url.Parse(d.DocsURL); err != nil || u.Scheme != "https" {
		t.Errorf("DocsURL %q is not an https address", d.DocsURL)
	}
	if got := ways(p); len(got) != 1 || got[0] != d.Flow {
		t.Errorf("ways in: %v, descriptor says %s", got, d.Flow)
	}
	if got := blocks(p); !slices.Equal(slices.Sorted(slices.Values(d.Blocks)), got) {
		t.Errorf("offers %v, can fetch %v", d.Blocks, got)
	}
	checkTexts(t, d)
	checkSettings(t, s, d)
}

// checkTexts finds a text that is missing in one language.
func checkTexts(t *testing.T, d oauth.Descriptor) {
	t.Helper()
	texts := map[string]oauth.Text{"Title": d.Title, "Summary": d.Summary, "Lifetime": d.Lifetime, "Stop": d.Stop}
	for name, list := range map[string][]oauth.Text{"Reads": d.Reads, "NotReads": d.NotReads, "Needs": d.Needs} {
		if len(list) == 0 {
			t.Errorf("%s says nothing", name)
		}
		for i, text := range list {
			texts[fmt.Sprintf("%s[%d]", name, i)] = text
		}
	}
	for _, e := range d.Errors {
		name := fmt.Sprintf("Errors %s %q ", e.Kind, e.Code)
		texts[name+"cause"], texts[name+"actor"], texts[name+"next"] = e.Cause, e.Actor, e.Next
		if got, ok := d.Explain(e.Kind, e.Code); !ok || got != e {
			t.Errorf("%sis hidden by another entry", name)
		}
	}
	for _, k := range d.FlowKinds {
		if _, twice := texts["flow kind "+k.Kind]; twice || k.Kind == "" || k.Kind != strings.ToLower(k.Kind) || !slices.Contains(d.Blocks, oauth.BlockWalletFlow) {
			t.Errorf("flow kind %q can stand in no entry, or is there twice", k.Kind)
		}
		texts["flow kind "+k.Kind] = k.Title
	}
	for _, s := range d.Settings {
		texts["help of "+s.Name] = s.Help
	}
	for name, text := range texts {
		if strings.TrimSpace(text.ZH) == "" || strings.TrimSpace(text.EN) == "" {
			t.Errorf("%s is not there in both languages: %+v", name, text)
		}
	}
}

func checkSettings(t *testing.T, s Subject, d oauth.Descriptor) {
	t.Helper()
	seen, given := map[string]bool{}, s.Settings("https://provider.example")
	for _, declared := range d.Settings {
		if seen[declared.Name] || !regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`).MatchString(declared.Name) {
			t.Errorf("setting %q is not a name of its own", declared.Name)
		}
		seen[declared.Name] = true
		if declared.Required && given[declared.Name] == "" {
			t.Errorf("setting %s is required, and the subject does not give it", declared.Name)
		}
		if declared.Check == nil {
			continue
		}
		if declared.Default != "" && declared.Check(declared.Default) != nil {
			t.Errorf("setting %s refuses its own default", declared.Name)
		}
		if err := declared.Check("\x00" + planted); err == nil {
			t.Errorf("setting %s takes anything", declared.Name)
		} else if strings.Contains(err.Error(), planted) {
			t.Errorf("setting %s repeats the value: %v", declared.Name, err)
		}
	}
	for name := range given {
		if !seen[name] {
			t.Errorf("setting %s is used but not declared", name)
		}
	}
}

// ways lists the flows that p implements.
func ways(p oauth.Provider) (found []oauth.Flow) {
	if _, ok := p.(oauth.RedirectFlow); ok {
		found = append(found, oauth.FlowRedirect)
	}
	if _, ok := p.(oauth.LinkFlow); ok {
		found = append(found, oauth.FlowLink)
	}
	if _, ok := p.(oauth.KeyFlow); ok {
		found = append(found, oauth.FlowKey)
	}
	return found
}

// blocks lists the data that p can fetch, sorted.
func blocks(p oauth.Provider) (found []oauth.Block) {
	if _, ok := p.(oauth.MerchantFetcher); ok {
		found = append(found, oauth.BlockMerchant)
	}
	if _, ok := p.(oauth.CompanyFetcher); ok {
		found = append(found, oauth.BlockCompany)
	}
	if _, ok := p.(oauth.UserFetcher); ok {
		found = append(found, oauth.BlockUser)
	}
	if _, ok := p.(oauth.WalletFetcher); ok {
		found = append(found, oauth.BlockWallet)
	}
	if _, ok := p.(oauth.WalletFlowFetcher); ok {
		found = append(found, oauth.BlockWalletFlow)
	}
	slices.Sort(found)
	return found
}

// checkAuthURL departs with values that only careful encoding keeps, and reads them back.
func checkAuthURL(t *testing.T, s Subject) {
	st := newStage(t, s)
	flow, ok := st.provider(t, time.Second).(oauth.RedirectFlow)
	if !ok {
		t.Skip("no redirect")
	}
	d := oauth.Departure{RedirectURI: RedirectURI, State: secret.New("a-Z_0~+/=&%?# state"), Challenge: "challenge"}
	raw, err := flow.AuthURL(d)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if origin := u.Scheme + "://" + u.Host; origin != flow.Descriptor().FormOrigin {
		t.Errorf("leads to %s, FormOrigin is %s: the browser would block it", origin, flow.Descriptor().FormOrigin)
	}
	carried := map[string]bool{}
	for _, values := range u.Query() {
		for _, v := range values {
			carried[v] = true
		}
	}
	if !carried[d.State.Reveal()] || !carried[d.RedirectURI] {
		t.Error("state or redirect address did not survive the way there")
	}
	for _, hidden := range s.Secrets {
		if strings.Contains(raw, url.QueryEscape(hidden)) {
			t.Errorf("the address shows %q to the browser", hidden)
		}
	}
	if st.behave() != 0 {
		t.Error("making an address called the provider")
	}
}
