package zhiyun

import (
	"context"

	"mooring/internal/oauth"
)

// FetchUser implements oauth.UserFetcher. status is always empty, for a slip in the provider's source, and avatar is
// nothing to show; both stay in Raw.
func (p *Provider) FetchUser(ctx context.Context, cred oauth.Credential) (oauth.Reading[oauth.User], error) {
	r, err := p.read(ctx, cred, userPath)
	if err != nil {
		return oauth.Reading[oauth.User]{}, err
	}
	kept := keeper{reply: r}
	u := oauth.User{
		Username: kept.whole("username", "username"),
		RealName: oauth.Personal(kept.whole("real_name", "truename")),
		Phone:    oauth.Personal(kept.whole("phone", "phone")),
		Sex:      r.text("sex"),
		Admin:    r.text("is_admin") == "1",
		Created:  p.instant(r.text("created")),
	}
	if u.Masked = kept.masked; r.text("username") == "" {
		return oauth.Reading[oauth.User]{}, p.refusal(oauth.BadResponse, r.code, errAnswer)
	}
	return oauth.Reading[oauth.User]{Data: u, Raw: r.raw, ProviderAsOf: r.asOf(), SourceZone: p.zone.String()}, nil
}

// FetchCompany implements oauth.CompanyFetcher. A person without a company is an answer, not a failure.
func (p *Provider) FetchCompany(ctx context.Context, cred oauth.Credential) (oauth.Reading[oauth.Company], error) {
	r, err := p.read(ctx, cred, companyPath)
	if noCompany(err) {
		raw := []byte("null") // a refusal tells nothing of the account
		return oauth.Reading[oauth.Company]{Data: oauth.Company{None: true}, Raw: raw, SourceZone: p.zone.String()}, nil
	}
	if err != nil {
		return oauth.Reading[oauth.Company]{}, err
	}
	kept := keeper{reply: r}
	c := oauth.Company{
		Name:        kept.whole("name", "company_name"),
		Type:        r.text("company_type"),
		TaxNumber:   oauth.Personal(kept.whole("tax_number", "tax_number")),
		Address:     kept.whole("address", "address"),
		LegalPerson: oauth.Personal(kept.whole("legal_person", "legal_person_name")),
		LegalPhone:  oauth.Personal(kept.whole("legal_phone", "legal_person_phone")),
		Registered:  p.instant(r.text("created")),
		Province:    r.text("province"),
		City:        r.text("city"),
		Zone:        r.text("zone"),
		Phone:       oauth.Personal(kept.whole("phone", "tel_phone")),
	}
	if c.Masked = kept.masked; r.text("company_name", "company_type", "address", "created") == "" {
		return oauth.Reading[oauth.Company]{}, p.refusal(oauth.BadResponse, r.code, errAnswer)
	}
	return oauth.Reading[oauth.Company]{Data: c, Raw: r.raw, ProviderAsOf: r.asOf(), SourceZone: p.zone.String()}, nil
}

// keeper sorts what is whole from what the provider has masked.
type keeper struct {
	reply
	masked map[string]oauth.Masked
}

// whole gives a field's value if it is whole. A masked one is kept under our field's name instead.
func (k *keeper) whole(ours, theirs string) string {
	value := k.text(theirs)
	if !masked(value) {
		return value
	}
	if k.masked == nil {
		k.masked = map[string]oauth.Masked{}
	}
	k.masked[ours] = oauth.NewMasked(value)
	return ""
}
