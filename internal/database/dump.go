package database

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Dump gives the schema of a database as SQL for readers: tables, comments, policies and grants of schema public, in
// pg_dump's order, without what changes from one pg_dump to the next.
func Dump(ctx context.Context, ownerURL string) (string, error) {
	config, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return "", fmt.Errorf("database: the address is malformed: %w", err)
	}
	p, err := findPrograms(ctx, 0)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, p.path("pg_dump"), "--schema-only", "--schema=public", "--no-owner") //nolint:gosec // a program that we found
	cmd.Env = []string{
		"PGHOST=" + config.Host, "PGPORT=" + strconv.Itoa(int(config.Port)), "PGDATABASE=" + config.Database,
		"PGUSER=" + config.User, "PGPASSWORD=" + config.Password, // arguments would be everybody's to read
	}
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("database: pg_dump: %w: %s", err, exit.Stderr)
	}
	if err != nil {
		return "", fmt.Errorf("database: pg_dump: %w", err)
	}
	return normalise(string(out)), nil
}

// normalise drops comments, session settings, pg_dump's own commands and the schema that is always there, and keeps one
// empty line between statements.
func normalise(dump string) string {
	dump = regexp.MustCompile(`(?m)^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\.*|CREATE SCHEMA public;|COMMENT ON SCHEMA public .*)$`).ReplaceAllString(dump, "")
	dump = regexp.MustCompile(`\n{3,}`).ReplaceAllString(dump, "\n\n")
	return strings.TrimSpace(dump) + "\n"
}
