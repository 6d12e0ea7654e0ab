package connect

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/oauth"
)

// exportPart is how many rows are held at once.
const exportPart = 200

// Export is what a tenant takes along.
type Export struct {
	Personal bool   // values about persons whole, not masked
	Readme   string // in the reader's language
}

// export is one at work.
type export struct {
	Export
	service *Service
	store   *models.TenantStore
	conns   []models.Connection
	byID    map[uuid.UUID]models.Connection
}

// sheet is one kind of rows; it becomes a CSV and a JSON file.
type sheet struct {
	name    string
	columns []string
	rows    func(ctx context.Context, emit func(row []string) error) error
}

// Export writes everything that the tenant has as a ZIP, part by part: nothing of it is stored. That it is done, and whether
// with personal values, is in the history before the first byte leaves. What the provider itself masks stays so.
func (s *Service) Export(ctx context.Context, st *models.TenantStore, e Export, begin func() io.Writer) error {
	x := &export{Export: e, service: s, store: st, byID: map[uuid.UUID]models.Connection{}}
	var err error
	if x.conns, _, err = st.Connections(ctx); err != nil {
		return err
	}
	for _, c := range x.conns {
		x.byID[c.ID] = c
	}
	if err := st.Record(ctx, models.NewEvent{Kind: "tenant.exported", Detail: map[string]any{"personal": e.Personal}}); err != nil {
		return err
	}
	archive := zip.NewWriter(begin())
	readme, err := archive.Create("README.txt")
	if err != nil {
		return fmt.Errorf("connect: exporting: %w", err)
	}
	if _, err := io.WriteString(readme, e.Readme); err != nil {
		return fmt.Errorf("connect: exporting: %w", err)
	}
	for _, sh := range x.sheets() {
		if err := sh.write(ctx, archive); err != nil {
			return fmt.Errorf("connect: exporting %s: %w", sh.name, err)
		}
	}
	return archive.Close()
}

func (sh sheet) write(ctx context.Context, archive *zip.Writer) error {
	file, err := archive.Create(sh.name + ".csv")
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	_, _ = out.WriteString("\ufeff" + csvLine(sh.columns)) // without the mark, spreadsheets take UTF-8 for something else
	if err := sh.rows(ctx, func(row []string) error {
		_, err := out.WriteString(csvLine(row))
		return err
	}); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if file, err = archive.Create(sh.name + ".json"); err != nil {
		return err
	}
	out = bufio.NewWriter(file)
	between := "[\n"
	if err := sh.rows(ctx, func(row []string) error {
		_, _ = out.WriteString(between)
		between = ",\n"
		return sh.writeObject(out, row)
	}); err != nil {
		return err
	}
	if between == "[\n" {
		_, _ = out.WriteString("[")
	}
	_, _ = out.WriteString("\n]\n")
	return out.Flush()
}

// writeObject keeps the columns' order, which a map would lose.
func (sh sheet) writeObject(out *bufio.Writer, row []string) error {
	for i, column := range sh.columns {
		name, _ := json.Marshal(column)
		value, err := json.Marshal(row[i])
		if err != nil {
			return err
		}
		lead := ", "
		if i == 0 {
			lead = "{"
		}
		if _, err := out.WriteString(lead + string(name) + ": " + string(value)); err != nil {
			return err
		}
	}
	return out.WriteByte('}')
}

func (x *export) sheets() []sheet {
	about := []string{"connection_id", "provider", "fetched_at", "as_of"}
	kind := func(name string, block oauth.Block, fields ...string) sheet {
		return sheet{name: name, columns: append(append([]string{}, about...), fields...), rows: x.blockRows(block, fields)}
	}
	return []sheet{
		{"connections", []string{"id", "provider", "environment", "account", "state", "state_since", "created_at", "synced_at", "ends_at"}, x.connectionRows},
		kind("merchant", oauth.BlockMerchant, "id", "name", "status", "gateways"),
		kind("company", oauth.BlockCompany, "name", "type", "tax_number", "province", "city", "zone", "address", "phone",
			"legal_person", "legal_phone", "registered", "none"),
		kind("user", oauth.BlockUser, "id", "username", "real_name", "phone", "email", "admin", "verification_type", "verification_level", "created"),
		kind("wallets", oauth.BlockWallet, "currency", "available", "frozen", "total", "credit_line", "worth", "worth_currency"),
		kind("wallet_flow", oauth.BlockWalletFlow, "id", "kind", "order_no", "gateway", "amount", "currency", "status", "reason", "occurred_at"),
		{"versions", []string{"connection_id", "provider", "block", "version", "changed_at", "fetched_at", "item", "field", "value"}, x.versionRows},
		{"events", []string{"id", "at", "kind", "connection_id", "actor_kind", "actor_id", "detail"}, x.eventRows},
		{"people", []string{"id", "role", "since"}, x.peopleRows},
	}
}

func (x *export) connectionRows(_ context.Context, emit func([]string) error) error {
	for _, c := range x.conns {
		if err := emit([]string{c.ID.String(), c.Provider, string(c.Environment), c.AccountMasked, string(c.State), stamp(c.StateSince),
			stamp(c.CreatedAt), stampOf(c.SyncedAt), stampOf(c.EndsAt)}); err != nil {
			return err
		}
	}
	return nil
}

// each opens the versions of a block, or of all, and gives them in order. What does not open any more has no items.
func (x *export) each(ctx context.Context, block oauth.Block, newest bool, use func(c models.Connection, version int64, b BlockView) error) error {
	q := models.ExportQuery{Block: block, Newest: newest, Limit: exportPart}
	for {
		key, err := x.store.Key(ctx) // for each part: the tenant's data key may turn while somebody downloads
		if err != nil {
			return err
		}
		list, err := x.store.ExportSnapshots(ctx, q)
		if err != nil {
			return err
		}
		for _, snapshot := range list {
			c, known := x.byID[snapshot.ConnectionID]
			if !known {
				continue // made while this was under way
			}
			if err := use(c, snapshot.Version, x.service.openBlock(c, key, snapshot)); err != nil {
				return err
			}
		}
		if len(list) < exportPart {
			return nil
		}
		q.After = list[len(list)-1]
	}
}

func (x *export) blockRows(block oauth.Block, fields []string) func(context.Context, func([]string) error) error {
	return func(ctx context.Context, emit func([]string) error) error {
		return x.each(ctx, block, true, func(c models.Connection, _ int64, b BlockView) error {
			for _, item := range x.items(b) {
				row := []string{c.ID.String(), c.Provider, stamp(b.FetchedAt), stamp(b.ProviderAsOf)}
				for _, field := range fields {
					row = append(row, item.get(field))
				}
				if err := emit(row); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func (x *export) versionRows(ctx context.Context, emit func([]string) error) error {
	return x.each(ctx, "", false, func(c models.Connection, version int64, b BlockView) error {
		for i, item := range x.items(b) {
			for _, f := range item {
				if err := emit([]string{c.ID.String(), c.Provider, string(b.Block), strconv.FormatInt(version, 10), stamp(b.ChangedAt),
					stamp(b.FetchedAt), strconv.Itoa(i + 1), f.name, f.value}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (x *export) eventRows(ctx context.Context, emit func([]string) error) error {
	before := uuid.Nil
	for {
		events, err := x.store.Events(ctx, before, exportPart)
		if err != nil {
			return err
		}
		for _, e := range events {
			detail, err := json.Marshal(e.Detail)
			if err != nil {
				return err
			}
			if err := emit([]string{e.ID.String(), stamp(e.CreatedAt), e.Kind, idOf(e.ConnectionID), string(e.ActorKind), idOf(e.ActorID),
				string(detail)}); err != nil {
				return err
			}
		}
		if len(events) < exportPart {
			return nil
		}
		before = events[len(events)-1].ID
	}
}

func (x *export) peopleRows(ctx context.Context, emit func([]string) error) error {
	people, err := x.store.ExportPeople(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		if err := emit([]string{p.UserID.String(), string(p.Role), stamp(p.CreatedAt)}); err != nil {
			return err
		}
	}
	return nil
}

// stamp writes a moment for machines; none is empty.
func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

func stampOf(at *time.Time) string {
	if at == nil {
		return ""
	}
	return stamp(*at)
}

func idOf(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return id.String()
}
