#!/bin/sh
# The API against its own description: schemathesis walks /openapi.json as each role. EXAMPLES=200 is a long form.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/e2e/lib/http.sh
. lib/http.sh

venv=$(../../tools/venv.sh schemathesis 4.32.5 2>"$scratch/pip") || {
    echo "skip the_api_is_as_described (schemathesis cannot be fetched: $(tail -n 1 "$scratch/pip"))"
    exit 0
}

order_db=${TEST_PG_ADMIN_URL%/*}/order_db
# An admin's calls may empty the menu and close the shop: both are put back.
keep_menu() {
    psql -qAtX -v ON_ERROR_STOP=1 -d "$order_db" >/dev/null 2>&1 <<'SQL'
DROP SCHEMA IF EXISTS kept CASCADE;
CREATE SCHEMA kept;
CREATE TABLE kept.items AS TABLE menu.menu_items;
CREATE TABLE kept.customizations AS TABLE menu.customizations;
CREATE TABLE kept.pairs AS TABLE menu.menu_item_customizations;
CREATE TABLE kept.shop AS TABLE orders.shop;
SQL
}
restore_menu() { # prints what went wrong
    psql -qAtX -v ON_ERROR_STOP=1 -d "$order_db" 2>&1 >/dev/null <<'SQL' | grep ERROR
BEGIN;
DELETE FROM menu.menu_item_customizations;
DELETE FROM menu.menu_items;
DELETE FROM menu.customizations;
INSERT INTO menu.menu_items SELECT * FROM kept.items;
INSERT INTO menu.customizations SELECT * FROM kept.customizations;
INSERT INTO menu.menu_item_customizations SELECT * FROM kept.pairs;
UPDATE orders.shop s SET (open, paused_until, note) = (SELECT open, paused_until, note FROM kept.shop);
DROP SCHEMA kept CASCADE;
COMMIT;
SQL
}

AT_ONCE=40
# Streams do not end, and the role and password of an account are not to be changed.
not_walked='^/orders/\{id\}/events$|^/ws/|^/users/\{id\}/role$|^/users/me/password$'
walk_once() { # TOKEN EXAMPLES SEED PHASES
    timeout --kill-after=5 800 "$venv/bin/python3" -m schemathesis.cli run "$HTTP_URL/openapi.json" -H "Authorization: Bearer $1" \
        --exclude-path-regex "$not_walked" --phases "$4" -n "$2" --seed "$3" \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,missing_required_header,ignored_auth \
        --suppress-health-check all --request-timeout 30 --continue-on-failure --no-color --generation-database none >"$scratch/walk" 2>&1
    walked=$?
    [ $walked = 0 ] || { tail -n 3 "$scratch/walk" && sed -n '/FAILURES/,/WARNINGS/{/./p}' "$scratch/walk" | cut -c1-300 | head -n 17; }
    call GET /users/me "$1" >/dev/null && status_is 200 && [ $walked = 0 ] && grep "generated, " "$scratch/walk" >>"$scratch/counts"
}
# Nothing was found but 503 and 504: one process stood still for longer than a call may take.
it_stalled() {
    sed -n '/= FAILURES =/,/= WARNINGS =/s/^\(- .*\|\[[0-9]*\]\).*/\1/p' "$scratch/walk" >"$scratch/found"
    grep -qx '\[50[34]\]' "$scratch/found" && ! grep -q '= ERRORS =' "$scratch/walk" &&
        ! grep -vxE -e '- ST[0-9]+ Server error|\[50[34]\]' "$scratch/found"
}
walk_some() {
    for _ in 1 2 3; do
        walk_once "$@" && return
        it_stalled || return 1
    done
    return 1
}
# Some at a time, each with a token of its own: a token lasts 15 minutes, and after that all would be 401.
walk() { # HANDLE
    left=${EXAMPLES:-6} seed=${SEED:-1} phases=examples,coverage,fuzzing
    while [ "$left" -gt 0 ]; do
        some=$((left < AT_ONCE ? left : AT_ONCE))
        walk_some "$(login "$1")" "$some" "$seed" "$phases" || return 1
        left=$((left - some)) seed=$((seed + 1)) phases=fuzzing
    done
}
a_customer_gets_what_is_described() { cd "$scratch" && walk customer; }
a_barista_gets_what_is_described() { cd "$scratch" && walk barista; }
an_admin_gets_what_is_described() { cd "$scratch" && walk admin; }

keep_menu || exit 1
fact a_customer_gets_what_is_described GW-02
fact a_barista_gets_what_is_described GW-02
fact an_admin_gets_what_is_described GW-02
[ -z "$(restore_menu)" ] || { echo 'not ok the_menu_is_put_back' && exit 1; }
sed 's/^ */  /' "$scratch/counts" 2>/dev/null
facts_end
