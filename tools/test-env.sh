#!/bin/sh
# eval "$(tools/test-env.sh)": tells integration tests where the servers of a running stack
# are (EVERYTHING_RUN and EVERYTHING_PORT_BASE choose the stack).
#
# DB_* is an empty database of the tests' own, test_db, whose owner is also its user;
# ORDER_DB_* and CUSTOMER_DB_* are those of the daemons; TEST_PG_ADMIN_URL is a superuser's
# conninfo, for tests that make databases. VALKEY_USER may do everything.
# shellcheck disable=SC2153
set -eu
ROOT=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tools/stack/all.sh
. "$ROOT/tools/stack/all.sh"
[ -s "$SECRETS/postgres" ] || die "there is no stack in $RUN" "./everything up --without daemons"

make_test_database() {
    psql -qAtX -v ON_ERROR_STOP=1 -d "$(pg_admin_url)" -v password="$(secret postgres)" <<'SQL'
SELECT 'CREATE ROLE test_owner LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'test_owner') \gexec
ALTER ROLE test_owner PASSWORD :'password';
SELECT 'CREATE DATABASE test_db OWNER test_owner' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'test_db') \gexec
SQL
}

make_test_database >/dev/null
setting TEST_PG_ADMIN_URL "$(pg_admin_url)"
setting DB_HOST "$DB_HOST"
setting DB_PORT "$DB_PORT"
setting DB_NAME test_db
setting DB_USER test_owner
setting DB_PASSWORD "$(secret postgres)"
for service in order customer; do
    prefix=$(echo "$service" | tr '[:lower:]' '[:upper:]')
    setting "${prefix}_DB_NAME" "${service}_db"
    setting "${prefix}_DB_USER" "${service}_service"
    setting "${prefix}_DB_PASSWORD" "$(secret "${service}_service")"
    setting "${prefix}_DB_OWNER_USER" "${service}_owner"
    setting "${prefix}_DB_OWNER_PASSWORD" "$(secret "${service}_owner")"
done
setting VALKEY_HOST "$VALKEY_HOST"
setting VALKEY_PORT "$VALKEY_PORT"
setting VALKEY_USER "$(valkey_user admin)"
setting VALKEY_PASSWORD "$(valkey_password admin)"
setting KAFKA_BROKERS "$KAFKA_BROKERS"
setting TEMPORAL_HOST "$TEMPORAL_HOST"
setting TEMPORAL_PORT "$TEMPORAL_PORT"
setting TEMPORAL_HTTP_PORT "$TEMPORAL_HTTP_PORT"
setting IDENTITY_KEYS_FILE "$SECRETS/identity.keys"
setting PAGE_TOKEN_KEY_FILE "$SECRETS/page-token.key"
setting JWT_KEYS_DIR "$SECRETS/jwt"
setting HTTP_URL "http://127.0.0.1:$HTTP_PORT"
setting ORDER_SERVICE_ADDR "127.0.0.1:$ORDER_GRPC_PORT"
setting CUSTOMER_SERVICE_ADDR "127.0.0.1:$CUSTOMER_GRPC_PORT"
setting TEST_STACK_RUN "$RUN"
