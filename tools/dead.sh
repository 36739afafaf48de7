# shellcheck shell=sh
# ./everything dead [list|replay ID|drop ID] [--of order|customer]
#
# Events that could never be sent, jobs that were given up, and why. `replay ID` puts one back at
# the end of its key's line (after its cause was repaired), or begins the job anew; `drop ID`
# forgets it; ID may be `all`, which is all events.
set -eu
. "$ROOT/tools/stack/all.sh"

service=order action=list id=''
while [ $# -gt 0 ]; do
    case $1 in
    --of) service=${2:?--of needs order or customer} && shift ;;
    list) action=list ;;
    replay | drop)
        [ $# -gt 1 ] || { warn "dead: $1 which one? An ID of the list, or all" && exit 2; }
        action=$1 id=$2 && shift
        ;;
    *) warn "dead: what is '$1'? See ./everything dead --help" && exit 2 ;;
    esac
    shift
done
case $service in order | customer) ;; *) warn "dead: --of is order or customer" && exit 2 ;; esac
kind=event
case $id in
'' | all) ;;
????????-????-????-????-????????????) kind=job ;;
*[!0-9]*) warn "dead: '$id' is no ID of the list" && exit 2 ;;
esac
sql_of() { # SERVICE ARGS...
    database=$(pg_admin_url | sed "s#/postgres\$#/$1_db#")
    shift
    psql -qX -P pager=off -v ON_ERROR_STOP=1 -d "$database" -v id="$id" "$@"
}
sql() { sql_of "$service" "$@"; }
# A job is of one of the two, and its id of no other: whichever has it says so.
job_sql() {
    statement=$(cat)
    for owner in order customer; do echo "$statement" | sql_of $owner "$@"; done
}

case $action-$kind in
list-*)
    sql -v title="Events of $service-service" <<'SQL'
\pset title :title
SELECT id, sink, topic, key, died_at, cause FROM outbox.dead ORDER BY id;
SQL
    for owner in order customer; do
        sql_of $owner -v title="Jobs of $owner-service" <<'SQL'
\pset title :title
SELECT id, kind, left(payload, 40) AS payload, attempts, finished_at AS died_at, last_error AS cause
  FROM jobs.jobs WHERE state = 'dead' ORDER BY finished_at;
SQL
    done
    ;;
replay-job)
    job_sql -At <<'SQL'
UPDATE jobs.jobs SET state = 'waiting', attempts = 0, next_at = now(), finished_at = NULL
 WHERE id::text = :'id' AND state = 'dead' RETURNING 'begins anew: ' || kind || ' ' || payload;
SQL
    ;;
drop-job)
    job_sql -At <<'SQL'
DELETE FROM jobs.jobs WHERE id::text = :'id' AND state = 'dead' RETURNING 'dropped: ' || kind || ' ' || payload;
SQL
    ;;
replay-*)
    sql -At <<'SQL'
WITH back AS (DELETE FROM outbox.dead WHERE :'id' = 'all' OR id::text = :'id' RETURNING *)
INSERT INTO outbox.events (part, sink, topic, key, payload, traceparent, correlation_id)
SELECT part, sink, topic, key, payload, traceparent, correlation_id FROM back ORDER BY id
RETURNING 'back in line: ' || key || ' to ' || topic;
SQL
    ;;
drop-*)
    sql -At <<'SQL'
DELETE FROM outbox.dead WHERE :'id' = 'all' OR id::text = :'id' RETURNING 'dropped: ' || key || ' to ' || topic;
SQL
    ;;
esac
