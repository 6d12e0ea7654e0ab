package database

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// role is what a connected role may do, as far as the walls depend on it.
type role struct {
	Name        string
	Superuser   bool
	BypassRLS   bool
	CreateRole  bool
	Owns        bool     // owns or can create things in our schemas, or owns the database
	Becomes     []string // other roles it can become that are stronger than it, or are the neighbour
	Member      bool     // has what the migrations grant to the role that it should be
	Credentials bool     // can read or write the sealed credentials
}

// CheckServingRole refuses a role under which row-level security would not hold, with a sentence that says why.
func CheckServingRole(ctx context.Context, pool *pgxpool.Pool) error {
	r, err := readRole(ctx, pool, AppRole, PlatformRole)
	if err != nil {
		return err
	}
	return r.refuse("serving", AppRole)
}

// CheckPlatformRole refuses a role for the admins' pages that could do more than read across tenants, the sealed
// credentials above all.
func CheckPlatformRole(ctx context.Context, pool *pgxpool.Pool) error {
	r, err := readRole(ctx, pool, PlatformRole, AppRole)
	if err != nil {
		return err
	}
	if err := r.refuse("platform", PlatformRole); err != nil {
		return err
	}
	if r.Credentials {
		return fmt.Errorf("the platform role %q has a grant on the sealed credentials: revoke it", r.Name)
	}
	return nil
}

func readRole(ctx context.Context, pool *pgxpool.Pool, self, neighbour string) (role, error) {
	rows, err := pool.Query(ctx, `
		WITH me AS (SELECT * FROM pg_roles WHERE rolname = current_user),
		ours AS (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'river')),
		owners AS (
		    SELECT relowner AS oid FROM pg_class WHERE relnamespace IN (SELECT oid FROM ours)
		    UNION SELECT proowner FROM pg_proc WHERE pronamespace IN (SELECT oid FROM ours)
		    UNION SELECT datdba FROM pg_database WHERE datname = current_database())
		SELECT me.rolname, me.rolsuper, me.rolbypassrls, me.rolcreaterole,
		       me.oid IN (SELECT oid FROM owners)
		           OR has_schema_privilege('public', 'CREATE') OR coalesce(bool_or(has_schema_privilege(ours.oid, 'CREATE')), false),
		       ARRAY(SELECT r.rolname::text FROM pg_roles r
		              WHERE r.oid <> me.oid AND pg_has_role(me.oid, r.oid, 'MEMBER')
		                AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolname = $2 OR r.oid IN (SELECT oid FROM owners))
		              ORDER BY r.rolname),
		       EXISTS (SELECT FROM pg_roles r WHERE r.rolname = $1 AND pg_has_role(me.oid, r.oid, 'USAGE')),
		       coalesce(has_any_column_privilege(to_regclass('public.credentials'), 'SELECT, INSERT, UPDATE')
		           OR has_table_privilege(to_regclass('public.credentials'), 'DELETE, TRUNCATE'), false)
		  FROM me LEFT JOIN ours ON true
		 GROUP BY me.oid, me.rolname, me.rolsuper, me.rolbypassrls, me.rolcreaterole`, self, neighbour)
	if err != nil {
		return role{}, fmt.Errorf("database: reading the role: %w", err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[role])
	if err != nil {
		return role{}, fmt.Errorf("database: reading the role: %w", err)
	}
	return r, nil
}

// refuse says the first reason not to work as this role. part is what the role is for, wanted the plain role that the
// migrations grant to.
func (r role) refuse(part, wanted string) error {
	var why string
	switch {
	case r.Superuser:
		why = "is a superuser, for whom row-level security does not hold"
	case r.BypassRLS:
		why = "has BYPASSRLS, so row-level security does not hold for it"
	case r.CreateRole:
		why = "has CREATEROLE, with which it could become another role"
	case len(r.Becomes) > 0:
		why = "can become " + strings.Join(r.Becomes, ", ")
	case r.Owns:
		why = "owns the database or things in it, or can create some"
	case !r.Member:
		why = "has not been granted what " + wanted + " may do"
	default:
		return nil
	}
	return errors.New("the " + part + ` role "` + r.Name + `" ` + why + ": use the plain role " + wanted)
}
