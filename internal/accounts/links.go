package accounts

import (
	"context"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/mail"
	"mooring/internal/models"
)

// queueLink stores a link and puts its mail on the way, in one transaction. A mailbox that has had its share gets no
// more, and the caller is not told: known and unknown mailboxes have the same share.
func (s *Service) queueLink(ctx context.Context, link models.Link, life time.Duration) error {
	allowed, err := s.allowed(ctx, check{s.Limits.MailAddressee, "mail to", []string{link.Email}})
	if err != nil || !allowed {
		return err
	}
	return s.Store.CreateLink(ctx, link, life, func(tx *models.Tx) error {
		return s.Queue.EnqueueMail(ctx, tx, link.ID)
	})
}

// MailLink puts the mail of a link on its way in the transaction that made it.
func (s *Service) MailLink(ctx context.Context, tx *models.Tx, link uuid.UUID) error {
	return s.Queue.EnqueueMail(ctx, tx, link)
}

// SendLink sends the mail of a link; the mail job calls it. The token is made now and only its hash is kept, so no
// queue, table or backup ever holds one that works. A link that was used, has expired or belongs to nobody sends
// nothing and is done; an error asks for another try. end is one of models' ends of a letter.
func (s *Service) SendLink(ctx context.Context, id uuid.UUID) (end string, err error) {
	link, err := s.Store.PendingLink(ctx, id)
	if errs.CodeOf(err) == errs.NotFound {
		return models.LetterMoot, nil
	}
	if err != nil {
		return "", err
	}
	if link.Purpose == models.ResetLink && link.UserID == nil {
		return models.LetterMoot, nil // somebody asked for an address that has no account
	}
	if !s.MailConfigured {
		s.Log.WarnContext(ctx, "mail not sent: SMTP_URL is not set", "link", id, "purpose", link.Purpose, "to", mail.MaskAddress(link.Email))
		return models.LetterNotSent, nil
	}
	note, err := s.note(ctx, link)
	if errs.CodeOf(err) == errs.NotFound {
		return models.LetterMoot, nil // an invitation that was accepted or revoked meanwhile
	}
	if err != nil {
		return "", err
	}
	letter, err := s.Letters.Compose(note)
	if err != nil {
		return "", err
	}
	return models.LetterSent, s.Sender.Send(ctx, letter)
}

// note says what the mail is about, with a fresh token where it needs one.
func (s *Service) note(ctx context.Context, link models.Link) (mail.Note, error) {
	if link.Purpose == models.InvitationLink {
		return s.inviteNote(ctx, link)
	}
	n := mail.Note{To: link.Email, Language: link.Language, SignInURL: s.PublicURL + "/login"}
	if link.Purpose == models.KnownLink {
		n.Kind, n.URL = mail.Known, s.PublicURL+"/forgot"
		return n, nil
	}
	if link.Purpose == models.ClosedLink {
		n.Kind, n.URL = mail.Closed, s.PublicURL+"/closed"
		return n, nil
	}
	if link.Purpose == models.AlarmLink {
		n.Kind, n.URL = mail.Alarm, s.PublicURL+"/admin/approvals"
		return n, nil
	}
	token, hash := newToken()
	if _, err := s.Store.MintLink(ctx, link.ID, hash); err != nil {
		return mail.Note{}, err
	}
	n.Kind, n.URL, n.Life = mail.SignUp, s.PublicURL+"/signup/"+token.Reveal(), SignUpLife
	if link.Purpose == models.ResetLink {
		n.Kind, n.URL, n.Life = mail.Reset, s.PublicURL+"/reset/"+token.Reveal(), ResetLife
	}
	return n, nil
}
