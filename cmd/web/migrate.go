package main

import (
	"context"
	"fmt"

	"mooring/internal/config"
	"mooring/internal/database"
)

type migrateCmd struct{}

// Run carries out "web migrate".
func (migrateCmd) Run(ctx context.Context, w world) (err error) {
	c, err := load(w.lookup, config.Owning)
	if err != nil {
		return err
	}
	at, err := visitDatabase(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = at.stop(context.WithoutCancel(ctx)) }()
	applied, err := database.Migrate(ctx, at.owner.Reveal())
	if err != nil {
		return err
	}
	switch applied {
	case 0:
		fmt.Fprintln(w.stdout, "The database is up to date.")
	case 1:
		fmt.Fprintln(w.stdout, "1 migration applied; the database is up to date.")
	default:
		fmt.Fprintf(w.stdout, "%d migrations applied; the database is up to date.\n", applied)
	}
	return nil
}
