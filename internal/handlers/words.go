package handlers

import (
	"time"

	"mooring/internal/connect"
	"mooring/internal/i18n"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// Words turns what the other rooms know into what a person reads. Pages and the parts of pages embed it.
type Words struct{ *i18n.Printer }

// Say gives a provider's own text.
func (w Words) Say(t oauth.Text) string { return t.In(w.Lang()) }

// Moment is a time for the partial "when": roughly, exactly, and for a machine.
type Moment struct{ Ago, Exact, Stamp string }

// When tells a time.
func (w Words) When(t time.Time) Moment {
	return Moment{Ago: w.Ago(t), Exact: w.DateTime(t), Stamp: w.Stamp(t)}
}

// Badge is a short state: a colour, a sign and a word, because colour alone is not seen by everybody.
type Badge struct{ Class, Icon, Text string }

// EnvironmentBadge tells test from live; nobody must mistake one for the other.
func (w Words) EnvironmentBadge(e oauth.Environment) Badge {
	if e == oauth.Live {
		return Badge{"live", "link", w.T("common.environment_live")}
	}
	return Badge{"test", "tool", w.T("common.environment_test")}
}

// Account is the name that a person recognises an account by.
func (w Words) Account(name, masked string) string {
	if name == "" {
		return w.T("connect.account", "account", masked)
	}
	return w.T("connect.account_named", "name", name, "account", masked)
}

// AccountOf is a connection's account: by what its tenant calls it, if they have given it a name, else by what the provider does.
func (w Words) AccountOf(c models.Connection, name string) string {
	if c.Label == "" {
		return w.Account(name, c.AccountMasked)
	}
	return w.labelled(c.Label, w.T("connect.account", "account", c.AccountMasked))
}

// labelled puts a name of the tenant's own before an account.
func (w Words) labelled(label, account string) string {
	if label == "" {
		return account
	}
	return w.T("reveal.labelled", "label", label, "account", account)
}

// Reason is a trouble in plain words. Who and Next may be empty.
type Reason struct{ What, Who, Next string }

// reasonOf explains why a connection is in trouble: in the provider's own words if it brings some for that code, else in
// ours.
func (w Words) reasonOf(d oauth.Descriptor, reason, code string) Reason {
	return w.explain(d, reason, code, "")
}

// attemptReasonOf explains why a try to connect failed. Unlike a sync, nobody repeats it but the person.
func (w Words) attemptReasonOf(d oauth.Descriptor, reason, code string) Reason {
	return w.explain(d, reason, code, "_attempt")
}

func (w Words) explain(d oauth.Descriptor, reason, code, variant string) Reason {
	if e, ok := d.Explain(oauth.Kind(reason), code); ok {
		return Reason{What: w.Say(e.Cause), Who: w.Say(e.Actor), Next: w.Say(e.Next)}
	}
	key := "reason." + reason
	if !w.Has(key) {
		key = "reason.internal"
	}
	say := func(key string) string {
		if w.Has(key + variant) {
			key += variant
		}
		return w.T(key, "provider", w.Say(d.Title))
	}
	actor := actorOf(reason, d)
	return Reason{What: say(key), Who: say("reason_who." + actor), Next: say("reason_next." + nextOf(reason, actor))}
}

// Who must act on a reason.
const (
	byYou      = "you"
	byProvider = "provider"
	byUs       = "us"
	byNobody   = "nobody"
)

func actorOf(reason string, d oauth.Descriptor) string {
	if connect.Pasted(oauth.Kind(reason), d) {
		return byYou
	}
	switch oauth.Kind(reason) {
	case oauth.NeedsReauth, oauth.Permission, oauth.AccountMismatch, oauth.AuthExpired, "claimed", "account_differs", "security":
		return byYou
	case oauth.Upstream, oauth.BadResponse, oauth.NotFound:
		return byProvider
	case oauth.AuthConfig, oauth.ClockSkew, oauth.Replay, oauth.Signature, oauth.BadRequest, "sealed_broken", "not_offered", "internal", "store_failed":
		return byUs
	}
	return byNobody // denied, expired, interrupted, no_code, rate_limited, ambiguous: doing it again is enough
}

// nextOf names the advice: the reason's own where it needs one, else that of whoever must act.
func nextOf(reason, actor string) string {
	switch reason {
	case "claimed", "account_differs", "permission", "denied", "rate_limited", "sealed_broken", "account_mismatch", "security":
		return reason
	}
	return actor
}
