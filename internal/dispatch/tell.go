package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
)

// message is what an endpoint is sent.
type message struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"` // when it happened, not when it is told
	Data      data   `json:"data"`
}

// data tells an event. All of it comes from the event's detail by name: a detail that is added for a page some day does
// not leave the house by itself.
type data struct {
	TenantID     string   `json:"tenant_id,omitempty"`
	TenantName   string   `json:"tenant_name,omitempty"`
	ConnectionID string   `json:"connection_id,omitempty"`
	Provider     string   `json:"provider,omitempty"`
	Account      string   `json:"account,omitempty"` // masked
	State        string   `json:"state,omitempty"`
	Reason       string   `json:"reason,omitempty"`
	Code         string   `json:"code,omitempty"`
	Since        string   `json:"since,omitempty"`
	Days         *int     `json:"days,omitempty"`
	At           string   `json:"at,omitempty"`
	Block        string   `json:"block,omitempty"`
	Fields       []string `json:"fields,omitempty"`
}

// Tell makes a delivery of the event for each endpoint that wants it. Telling twice is telling once.
func (s *Service) Tell(ctx context.Context, st *models.TenantStore, event uuid.UUID) error {
	a, err := st.Announcement(ctx, event)
	if errs.CodeOf(err) == errs.NotFound {
		return nil // the tenant was erased meanwhile
	}
	if err != nil || !a.Wanted || !offered(a.Kind) {
		return err
	}
	body, err := compose(st.Tenant(), a)
	if err != nil {
		return err
	}
	return st.QueueDeliveries(ctx, a, string(body), func(delivery uuid.UUID) models.Statement {
		return s.Queue.DeliverJob(st.Tenant(), delivery)
	})
}

// compose writes an event as the bytes that are signed.
func compose(tenant uuid.UUID, a models.Announcement) ([]byte, error) {
	d := data{
		TenantID: tenant.String(), TenantName: a.Tenant, State: stateAfter(a.Kind),
		Provider: text(a.Detail["provider"]), Account: text(a.Detail["account"]), Reason: text(a.Detail["reason"]), Code: text(a.Detail["code"]),
		Since: text(a.Detail["since"]), At: text(a.Detail["at"]), Block: text(a.Detail["block"]),
	}
	if a.ConnectionID != nil {
		d.ConnectionID = a.ConnectionID.String()
	}
	if days, ok := a.Detail["days"].(float64); ok { // what JSON makes of every number
		whole := int(days)
		d.Days = &whole
	}
	fields, _ := a.Detail["fields"].([]any)
	for _, field := range fields {
		if name := text(field); name != "" {
			d.Fields = append(d.Fields, name)
		}
	}
	return message{Type: a.Kind, Timestamp: a.CreatedAt.UTC().Format(time.RFC3339), Data: d}.bytes()
}

// bytes writes a message as it is read by people too: an & is an &.
func (m message) bytes() ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(m); err != nil {
		return nil, fmt.Errorf("dispatch: writing %s: %w", m.Type, err)
	}
	return bytes.TrimSpace(text.Bytes()), nil
}

// stateAfter is the connection's state that an event leaves behind, where the kind alone says it.
func stateAfter(kind string) string {
	switch kind {
	case "connection.connected", "connection.reconnected", "connection.recovered":
		return string(models.Connected)
	case "connection.needs_you":
		return string(models.NeedsYou)
	case "connection.disconnected":
		return string(models.Disconnected)
	}
	return ""
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

// messageID names an event to receivers, on every try of every delivery of it.
func messageID(event uuid.UUID) string { return "msg_" + event.String() }
