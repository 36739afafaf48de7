#!/bin/sh
# The two databases of a running shop: who may connect, what is in them, how many connections it takes.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/e2e/lib/http.sh
. lib/http.sh
root=$PWD/../..
run=$TEST_STACK_RUN
admin() { psql -qAtX -v ON_ERROR_STOP=1 -d "${TEST_PG_ADMIN_URL%/*}/$1" -c "$2"; } # DATABASE STATEMENT
as() { # ROLE DATABASE STATEMENT
    PGPASSWORD=$(cat "$run/secrets/$1") psql -qAtX -v ON_ERROR_STOP=1 -h "$DB_HOST" -p "$DB_PORT" -U "$1" -d "$2" -c "$3"
}

owns() { # ROLE DATABASE: is that pair one of the design?
    case $1/$2 in
    order_*/order_db | customer_*/customer_db | temporal/temporal | temporal/temporal_visibility) ;;
    *) return 1 ;;
    esac
}
each_role_reaches_its_own_database_only() {
    for role in order_service order_owner customer_service customer_owner temporal; do
        for database in order_db customer_db temporal temporal_visibility postgres; do
            reached=no expected=no
            ! as $role $database 'SELECT 1' >/dev/null 2>&1 || reached=yes
            ! owns $role $database || expected=yes
            [ $reached = $expected ] || { echo "$role reaches $database: $reached" && return 1; }
        done
    done
}
a_runtime_role_is_neither_superuser_nor_owner() {
    [ "$(admin postgres "SELECT count(*) FROM pg_roles WHERE rolname ~ '^(order|customer)_' AND
        (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)")" = 0 ] || return 1
    for service in order customer; do
        [ "$(admin ${service}_db "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
            WHERE r.rolname = '${service}_service'")" = 0 ] || return 1
        ! as ${service}_service ${service}_db 'CREATE SCHEMA mine' 2>/dev/null || return 1
    done
    ! as order_service order_db 'ALTER TABLE orders.orders ADD more int' 2>/dev/null || return 1
    ! as order_service order_db 'TRUNCATE orders.order_events' 2>/dev/null || return 1
    as order_service order_db 'SELECT count(*) FROM orders.orders'
}
nothing_reaches_into_another_database() {
    for database in order_db customer_db; do
        foreign=$(admin $database "SELECT (SELECT count(*) FROM pg_extension WHERE extname ~ 'dblink|fdw')
            + (SELECT count(*) FROM pg_foreign_server) + (SELECT count(*) FROM pg_subscription)")
        [ "$foreign" = 0 ] || return 1
    done
    ! (cd "$root" && grep -rnEi 'dblink|_fdw|foreign (server|table)' --include='*.sql' --include='*.[ch]' \
        common order-service customer-service gateway tools) || return 1
    # the names of one daemon's schemas are in no statement of the other
    ! (cd "$root" && grep -rnE '\b(customer|auth|favourite|loyalty)\.[a-z_]+' --include='*.sql' order-service) || return 1
    ! (cd "$root" && grep -rnE '\b(menu|orders)\.[a-z_]+' --include='*.sql' customer-service)
}

has_tables() { # DATABASE TABLE...: order_items is a view (docs/adr/0019)
    tables_of=$1
    shift
    admin "$tables_of" "SELECT table_name FROM information_schema.tables
        WHERE table_schema !~ '^(pg_|information)' ORDER BY 1" >"$scratch/tables"
    cat "$scratch/tables"
    for table in "$@"; do grep -qx "$table" "$scratch/tables" || { echo "no $table" && return 1; }; done
}
the_order_tables_are_there() { has_tables order_db orders order_items menu_items customizations; }
the_customer_tables_are_there() { has_tables customer_db customers favorites stats; }

binary() { sed -n "s/^exec '\(.*\)'$/\1/p" "$run/$1/run"; }
environment() { grep '^export ' "$run/$1/run"; }
schema_of() { pg_dump --schema-only -d "${TEST_PG_ADMIN_URL%/*}/$1" | grep -vE '^(--|\\(un)?restrict |$)'; }
migrating_again_changes_nothing() {
    for service in order customer; do
        schema_of ${service}_db >"$scratch/before" || return 1
        (
            eval "$(environment $service-service)"
            env DB_OWNER_USER=${service}_owner DB_OWNER_PASSWORD="$(cat "$run/secrets/${service}_owner")" \
                "$(binary $service-service)" --migrate
        ) || return 1
        schema_of ${service}_db | diff "$scratch/before" - || return 1
        [ "$(wc -l <"$scratch/before")" -gt 50 ] || return 1
    done
}

# Neither the keys of identities nor the role that reads and writes are for who migrates.
migrating_needs_the_owner_of_the_database_alone() {
    for service in order customer; do
        (
            eval "$(environment $service-service)"
            env -i DB_HOST="$DB_HOST" DB_PORT="$DB_PORT" DB_NAME="$DB_NAME" DB_OWNER_USER=${service}_owner \
                DB_OWNER_PASSWORD="$(cat "$run/secrets/${service}_owner")" "$(binary $service-service)" --migrate
        ) || return 1
        if env -i "$(binary $service-service)" >"$scratch/bare" 2>&1; then return 1; fi
        grep -q 'IDENTITY_KEYS_FILE: not set' "$scratch/bare" || return 1
    done
}

# The first document's local values, where one role is owner and user.
it_runs_with_the_local_values_of_the_documents() {
    admin postgres "DROP DATABASE IF EXISTS orderdb (FORCE)" && admin postgres "DROP ROLE IF EXISTS orderuser" &&
        admin postgres "CREATE ROLE orderuser LOGIN PASSWORD 'orderpass'" &&
        admin postgres "CREATE DATABASE orderdb OWNER orderuser" || return 1
    (
        eval "$(environment order-service)"
        env DB_NAME=orderdb DB_USER=orderuser DB_PASSWORD=orderpass DB_OWNER_USER=orderuser \
            DB_OWNER_PASSWORD=orderpass "$(binary order-service)" --migrate
    ) || return 1
    PYTHONPATH=lib python3 - <<'PYTHON'
import replica
one = replica.Replica("order-service", DB_NAME="orderdb", DB_USER="orderuser", DB_PASSWORD="orderpass")
code = one.end()
assert code == 0, (code, one.log()[-2000:])
PYTHON
    rc=$?
    admin postgres "DROP DATABASE orderdb (FORCE)" && admin postgres "DROP ROLE orderuser" && return $rc
}

backends() { # ROLE: how many connections, until the file `enough` is there; the most goes to `most`
    most=0
    while [ ! -e "$scratch/enough" ]; do
        now=$(admin postgres "SELECT count(*) FROM pg_stat_activity WHERE usename = '$1'")
        [ "$now" -le "$most" ] || most=$now
        echo "$most" >"$scratch/most"
        sleep 0.05
    done
}
# After a stall a pool closes its connections and opens others, and Postgres may not have ended the old ones: of three.
a_thousand_requests_take_ten_connections_at_most() {
    id=$(place "$(login customer)") || return 1
    for _ in 1 2 3; do
        ! a_thousand_requests || return 0
    done
    return 1
}
a_thousand_requests() {
    rm -f "$scratch/enough"
    backends order_service &
    counter=$!
    curl -sS --parallel --parallel-max 40 --max-time 300 -H "Authorization: Bearer $(login customer)" \
        -w '%{http_code}\n' -o /dev/null "$HTTP_URL/orders/$id#[1-1000]" >"$scratch/codes" 2>&1
    : >"$scratch/enough"
    wait $counter
    sort "$scratch/codes" | uniq -c
    echo "$(cat "$scratch/most") connections"
    [ "$(cat "$scratch/most")" -le 10 ] && [ "$(cat "$scratch/most")" -ge 2 ] && [ "$(grep -cx 200 "$scratch/codes")" -ge 500 ]
}
three_replicas_of_each_stay_under_the_servers_limit() { python3 lib/connections.py; }

# shellcheck disable=SC2046
all_of_postgres() { kill "-$1" "$postmaster" $(pgrep -P "$postmaster"); } # SIGNAL
# A backend may have come, or gone, while they were counted.
postgres_stands_still() {
    all_of_postgres STOP
    [ "$(ps -o stat= -p "$postmaster" --ppid "$postmaster" | grep -cv '^[TZ]')" = 0 ]
}
# Stopped, not killed: its connections stay open and say nothing, as in the worst fault.
the_gateway_is_well_without_postgres() {
    postmaster=$(cut -d' ' -f1 "$run/postgres/pid")
    within $PATIENCE_S postgres_stands_still
    stood=$?
    within 20 "$root/build/stack/probe" http 127.0.0.1 "$(sed -n "s/^export METRICS_PORT='\(.*\)'$/\1/p" "$run/gateway/run")" /healthz
    probed=$?
    asked=$(curl -sS --max-time 30 -o /dev/null -w '%{http_code}' "$HTTP_URL/healthz") # once: it is never a 503
    all_of_postgres CONT
    echo "stood $stood, probed $probed, asked $asked"
    [ "$stood $probed $asked" = '0 0 200' ] || return 1
    ! ldd "$(binary gateway)" | grep libpq
}
each_key_in_valkey_has_its_owners_prefix() {
    # the daemons may still mend their connections after the fact before this one
    within $PATIENCE_S place "$(login customer)" && call GET /menu >/dev/null && call GET /queue "$(login barista)" >/dev/null || return 1
    PYTHONPATH=lib python3 - <<'PYTHON'
import shop
keys = shop.valkey("--scan")
others = [key for key in keys if not key.startswith(("server:", "order:", "customer:"))]
assert keys and not others, others
PYTHON
}

fact each_role_reaches_its_own_database_only DATA-01
fact a_runtime_role_is_neither_superuser_nor_owner DATA-01
fact nothing_reaches_into_another_database DATA-02
fact it_runs_with_the_local_values_of_the_documents DATA-03
fact the_order_tables_are_there DATA-04
fact the_customer_tables_are_there DATA-05
fact migrating_again_changes_nothing DATA-04 DATA-05
fact migrating_needs_the_owner_of_the_database_alone DATA-04 DATA-05
fact a_thousand_requests_take_ten_connections_at_most DATA-06
fact three_replicas_of_each_stay_under_the_servers_limit DATA-07
fact the_gateway_is_well_without_postgres GW-01
fact each_key_in_valkey_has_its_owners_prefix CACHE-01
facts_end
