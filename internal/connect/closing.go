package connect

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/vault"
)

// CloseGrace is how long closing a tenant can be undone.
const CloseGrace = 30 * 24 * time.Hour

// Letter puts a letter to an owner on its way, in the transaction that closes.
type Letter func(tx *models.Tx, letter uuid.UUID) error

// CloseTenant closes a tenant: from now on nobody works in it, and its connections end. Its data key is destroyed after
// CloseGrace, or now. What is left to do is done at once as far as possible, and by due work for the rest.
func (s *Service) CloseTenant(ctx context.Context, st *models.TenantStore, now bool, letter Letter) error {
	key, err := st.Key(ctx)
	if err != nil {
		return err
	}
	version, err := vault.MasterVersion(key)
	if err != nil {
		return err
	}
	e, destroy := models.NewEvent{Kind: "tenant.closed_now"}, s.Now()
	if !now {
		destroy = destroy.Add(CloseGrace)
		e = models.NewEvent{Kind: "tenant.closed", Detail: map[string]any{"until": destroy}}
	}
	if err := st.Close(ctx, destroy, version, e, letter); err != nil {
		return err
	}
	if err := s.SettleClosing(context.WithoutCancel(ctx), st); err != nil {
		s.Log.WarnContext(ctx, "closing goes on in the background", "tenant", st.Tenant(), "error", err)
	}
	return nil
}

// SettleClosing takes the next steps of closing a tenant: it ends the connections, destroys the data key when its time has
// come, and forgets what the providers were told with when they have been. It may be called at any time; jobs does when a
// step is due. Nothing happens to a tenant that was reopened.
func (s *Service) SettleClosing(ctx context.Context, st *models.TenantStore) error {
	c, err := st.Closing(ctx)
	if err != nil {
		return ignore(err, errs.NotFound)
	}
	if c.DestroyedAt != nil {
		return st.RestClosing(ctx)
	}
	connections, _, err := st.Standing(ctx)
	if err != nil {
		return err
	}
	for _, id := range connections {
		err = errors.Join(err, s.Disconnect(ctx, st, id, false)) // one that fails does not keep the others
	}
	if err != nil {
		return err
	}
	if err := ignore(s.destroy(ctx, st), errs.Conflict); err != nil { // its time has not come
		return err
	}
	return st.RestClosing(ctx)
}

// destroy has the data key destroyed. What the providers are still told with moves to a key of its own first.
func (s *Service) destroy(ctx context.Context, st *models.TenantStore) error {
	key, err := st.Key(ctx)
	if err != nil {
		return err
	}
	version, err := vault.MasterVersion(key)
	if err != nil {
		return err
	}
	_, open, err := st.Standing(ctx)
	if err != nil {
		return err
	}
	var parting vault.WrappedKey
	resealed := map[uuid.UUID]vault.Sealed{}
	for _, r := range open {
		at := revocationPlace(st.Tenant(), r.ID, r.Provider)
		plain, err := s.Vault.Open(key, at, r.Sealed)
		if err != nil {
			continue // there is nothing left to tell this provider with
		}
		if parting == nil {
			if parting, err = s.Vault.NewTenantKey(st.Tenant()); err != nil {
				return err
			}
		}
		if resealed[r.ID], err = s.Vault.Seal(parting, at, plain); err != nil {
			return err
		}
	}
	return st.Destroy(ctx, version, parting, resealed, models.NewEvent{Kind: "tenant.key_destroyed"})
}

// ReopenTenant undoes closing. The connections stay disconnected; their data is as it was.
func (s *Service) ReopenTenant(ctx context.Context, st *models.TenantStore) error {
	return st.Reopen(ctx, models.NewEvent{Kind: "tenant.reopened"})
}

// The last line of a receipt begins with this.
const receiptSeal = "signature: "

// SignReceipt ends a text with a line that only this installation can compute.
func (s *Service) SignReceipt(text string) (string, error) {
	text = strings.TrimSpace(text) + "\n"
	sum, err := s.Vault.Hash("receipt", text)
	if err != nil {
		return "", err
	}
	return text + receiptSeal + hex.EncodeToString(sum) + "\n", nil
}

// VerifyReceipt says whether a text is a receipt that SignReceipt has signed, word for word. Line ends and spaces around it
// may have changed on its way.
func (s *Service) VerifyReceipt(text string) (bool, error) {
	text = strings.TrimSpace(strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n"))
	at := strings.LastIndex(text, "\n"+receiptSeal)
	if at < 0 {
		return false, nil
	}
	want, err := s.SignReceipt(text[:at])
	return subtle.ConstantTimeCompare([]byte(want), []byte(text+"\n")) == 1, err
}
