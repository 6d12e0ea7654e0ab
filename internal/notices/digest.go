package notices

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/i18n"
	"mooring/internal/mail"
	"mooring/internal/models"
)

// SendDigest sends one of the staff what is new since their last one; its job calls it. Nothing new, not wanted any more, or
// gone from the staff: it is done without a letter. Errors and end are as Send's.
func (s *Service) SendDigest(ctx context.Context, st *models.PlatformStore, digest uuid.UUID) (end string, err error) {
	d, err := st.Digest(ctx, digest)
	if errs.CodeOf(err) == errs.NotFound {
		return models.LetterMoot, nil
	}
	if err != nil || d.Status != models.LetterWaiting {
		return d.Status, err
	}
	end = models.LetterMoot
	if d.Wanted && d.IsNews() {
		if end, err = s.post(ctx, s.digestNote(d)); end == "" {
			return "", err
		}
	}
	return end, errors.Join(err, st.FinishDigest(ctx, digest, end))
}

func (s *Service) digestNote(d models.Digest) mail.Note {
	return mail.Note{
		Kind: mail.Digest, To: d.Email, Language: d.Language, TimeZone: d.TimeZone, URL: s.PublicURL + "/admin", Lines: s.digestLines(d),
		About: mail.About{At: d.Since, Until: d.Until, SettingsURL: s.PublicURL + "/settings#digest"},
	}
}

// digestLines says each figure in a sentence with the page that shows it; what is zero is not said.
func (s *Service) digestLines(d models.Digest) (lines []mail.Line) {
	p := s.Words.Printer(d.Language)
	say := func(path, key string, count int, more ...any) {
		if count > 0 {
			lines = append(lines, mail.Line{Text: p.T(key, append(more, "count", count)...), URL: s.PublicURL + path})
		}
	}
	for _, t := range d.Broken {
		say("/admin/providers/"+t.Provider, "digest.broken_"+string(t.State), t.Count, "provider", s.titleOf(p, t.Provider))
	}
	for _, t := range d.Recovered {
		say("/admin/providers/"+t.Provider, "digest.recovered", t.Count, "provider", s.titleOf(p, t.Provider))
	}
	say("/admin/expiring", "digest.expiring", d.Expiring)
	say("/admin/webhooks?state=dead", "digest.dead", d.Dead)
	say("/admin/webhooks?state=parked", "digest.parked", d.Parked)
	say("/admin/endpoints", "digest.undelivered", d.Undelivered)
	say("/admin/mails?state=lost", "digest.unmailed", d.Unmailed)
	say("/admin/tenants", "digest.tenants", d.Tenants)
	return lines
}

func (s *Service) titleOf(p *i18n.Printer, slug string) string {
	d, _, known := s.Describe(slug)
	if title := strings.TrimSpace(d.Title.In(p.Lang())); known && title != "" {
		return title
	}
	return slug
}
