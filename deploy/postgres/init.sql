-- Makes the three roles and the database, once, as the superuser. The passwords come from files, never from this one.
-- The roles cannot become one another: no memberships, no CREATEROLE. Everything else is the migrations' matter.
\set ON_ERROR_STOP on
\set owner_password    `cat "${MOORING_SECRETS:-/run/secrets}/owner_password"`
\set app_password      `cat "${MOORING_SECRETS:-/run/secrets}/app_password"`
\set platform_password `cat "${MOORING_SECRETS:-/run/secrets}/platform_password"`

CREATE ROLE mooring_owner    LOGIN BYPASSRLS PASSWORD :'owner_password';    -- migrates and backs up; never serves
CREATE ROLE mooring_app      LOGIN           PASSWORD :'app_password';      -- serves merchants
CREATE ROLE mooring_platform LOGIN           PASSWORD :'platform_password'; -- serves the platform's admins

CREATE DATABASE mooring OWNER mooring_owner;
REVOKE ALL ON DATABASE mooring FROM PUBLIC;
GRANT CONNECT ON DATABASE mooring TO mooring_app, mooring_platform;
