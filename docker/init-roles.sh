#!/bin/sh
# Runs once, on an empty data volume: the two roles, their rights and the extensions.
# The owner makes tables in migrations; the application reads and writes rows and alters nothing.
set -eu

secret() { cat "${SECRETS_DIR:-/run/secrets}/$1"; }

# passwords travel by the environment and psql's own quoting, never on a command line
OWNER_PASSWORD=$(secret owner_password) APP_PASSWORD=$(secret app_password) \
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
    --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:-docflow}" <<'SQL'
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
CREATE ROLE docflow_owner LOGIN PASSWORD :'owner_password'; -- leaks: ok (a variable of psql)
CREATE ROLE docflow_app LOGIN PASSWORD :'app_password'; -- leaks: ok (a variable of psql)
SELECT current_database() AS base \gset
ALTER DATABASE :"base" OWNER TO docflow_owner;
REVOKE ALL ON DATABASE :"base" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"base" TO docflow_app;
ALTER SCHEMA public OWNER TO docflow_owner;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION btree_gist;
CREATE EXTENSION btree_gin;
CREATE EXTENSION unaccent;
SQL
