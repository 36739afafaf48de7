#!/bin/sh
# What brings Temporal's schema up to date begins anew only where it knows that no server has ever
# served: psql and the schema tool are stand-ins here, which write down what they were asked.
set -u
# shellcheck source=tests/style/lib/expect.sh
. "$(dirname "$0")/lib/expect.sh"

mkdir "$scratch/bin"
cat >"$scratch/bin/psql" <<'STUB'
#!/bin/sh
for statement in "$@"; do :; done
echo "$statement" >>asked
case $statement in
*to_regclass*) [ "$SERVED" != unknown ] || exit 2; [ "$SERVED" = no-table ] || echo cluster_metadata_info ;;
*count*) case $SERVED in yes) echo 1 ;; no) echo 0 ;; *) exit 1 ;; esac ;;
esac
STUB
printf '#!/bin/sh\nexit 1\n' >"$scratch/bin/schema-tool"
chmod +x "$scratch/bin/psql" "$scratch/bin/schema-tool"

asked_to_drop() { # SERVED
    cd "$scratch" && rm -f asked
    PATH=$scratch/bin:$PATH SERVED=$1 SQL_HOST=h SQL_PORT=1 SQL_USER=u SQL_PASSWORD=p SCHEMA_TOOL=$scratch/bin/schema-tool \
        sh "$root/tools/stack/conf/temporal-schema.sh"
    cat asked
    grep -q 'DROP SCHEMA' asked
}
keeps() { ! asked_to_drop "$1"; }

expect a_schema_that_no_server_has_ever_used_is_begun_anew asked_to_drop no
expect a_schema_without_its_tables_is_begun_anew asked_to_drop no-table
expect a_schema_that_has_served_is_kept keeps yes
expect a_schema_that_cannot_be_looked_at_is_kept keeps unknown
exit $failed
