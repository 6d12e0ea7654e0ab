package config

import (
	"log/slog"
	"net/mail"
	"net/netip"
	"strings"

	"mooring/internal/secret"
)

// list splits at commas and white space.
func (r *reader) list(name string) []string {
	value, _ := r.env.Lookup(name)
	return strings.FieldsFunc(value, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r' })
}

func (r *reader) prefixes(name string) []netip.Prefix {
	var out []netip.Prefix
	for _, item := range r.list(name) {
		p, ok := prefix(item)
		if !ok {
			r.fault(name, "networks separated by commas, for example 10.0.0.0/8,192.0.2.7")
			return nil
		}
		out = append(out, p)
	}
	return out
}

// prefix reads a network or one address.
func prefix(text string) (netip.Prefix, bool) {
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		return netip.PrefixFrom(ip, ip.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	return p, err == nil
}

func (r *reader) allowlist(name string) []string {
	items := r.list(name)
	if r.env.CheckOutbound != nil && r.env.CheckOutbound(items) != nil {
		r.fault(name, "networks or host:port separated by commas, for example 10.1.0.0/16,provider.test:443")
		return nil
	}
	return items
}

func (r *reader) mail() (smtp secret.String, from string) {
	smtp, source, _ := r.hidden("SMTP_URL")
	from = r.text("MAIL_FROM", "")
	if from != "" {
		if _, err := mail.ParseAddress(from); err != nil {
			r.fault("MAIL_FROM", "a mail address, for example Mooring <mooring@example.com>")
			from = ""
		}
	}
	if smtp.IsEmpty() {
		return smtp, from
	}
	if from == "" {
		if !r.faulty("MAIL_FROM") {
			r.fault("MAIL_FROM", "the sender's mail address, needed when SMTP_URL is set")
		}
		return smtp, from
	}
	if r.env.CheckMail != nil && r.env.CheckMail(smtp, from) != nil {
		r.fault(source, "an address like smtps://user:password@mail.example.com:465 or smtp://mail.example.com:587")
		return secret.String{}, from
	}
	return smtp, from
}

func (r *reader) log() (level slog.Level, format string) {
	switch strings.ToLower(r.text("LOG_LEVEL", "info")) {
	case "debug":
		level = slog.LevelDebug
	case "info":
	case "warn":
		level = slog.LevelWarn
	case "error":
		level = slog.LevelError
	default:
		r.fault("LOG_LEVEL", "debug, info, warn or error")
	}
	format = strings.ToLower(r.text("LOG_FORMAT", "json"))
	if format != "json" && format != "text" {
		r.fault("LOG_FORMAT", "json or text")
		format = "json"
	}
	return level, format
}
