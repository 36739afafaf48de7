#!/bin/sh
# Waits for Temporal's two databases and brings their schema to the version of the server that is
# about to start: told by the environment (SQL_* for the schema tool, SCHEMA_TOOL). Run by the
# start script of parts/temporal.sh; does nothing when there is nothing to do.
set -u

sql() { # DATABASE STATEMENT
    PGPASSWORD=$SQL_PASSWORD psql -qAtX -v ON_ERROR_STOP=1 -h "$SQL_HOST" -p "$SQL_PORT" -U "$SQL_USER" -d "$1" -c "$2"
}
# Postgres comes up at the same time as we do, and makes our role only then.
until sql temporal_visibility 'SELECT' >/dev/null 2>&1; do
    [ $((waited = ${waited:-0} + 1)) -lt 300 ] || { sql temporal_visibility 'SELECT' && break || exit 1; }
    sleep 0.2
done

update() { # DATABASE FOLDER
    "$SCHEMA_TOOL" --db "$1" setup-schema -v 0.0 &&
        "$SCHEMA_TOOL" --db "$1" update-schema --schema-name "postgresql/v12/$2"
}
update_both() { # its many lines are of use only when it fails
    { update temporal temporal && update temporal_visibility visibility; } >schema.log 2>&1 && return
    tail -n 3 schema.log
    return 1
}
# A server writes its cluster's name before it serves; nothing is lost before that. A database that
# does not answer says nothing of what was served.
has_served() {
    table=$(sql temporal "SELECT to_regclass('cluster_metadata_info')") || return 0
    [ -z "$table" ] && return 1
    count=$(sql temporal 'SELECT count(*) FROM cluster_metadata_info') || return 0
    [ "$count" != 0 ]
}

update_both && exit
has_served && exit 1
# the first time was broken off between two statements: begun anew
for database in temporal temporal_visibility; do
    sql $database 'DROP SCHEMA public CASCADE; CREATE SCHEMA public' || exit
done
update_both
