# shellcheck shell=sh
# ./everything dead [list|replay ID|drop ID] [--of order|customer]
#
# Events that could never be sent, and why. `replay ID` puts one back at the end of its
# key's line (after its cause was repaired), `drop ID` forgets it; ID may be `all`.
set -eu
. "$ROOT/tools/stack/all.sh"

service=order action=list id=''
while [ $# -gt 0 ]; do
    case $1 in
    --of) service=${2:?--of needs order or customer} && shift ;;
    list) action=list ;;
    replay | drop) action=$1 id=${2:?which one? an ID of the list, or all} && shift ;;
    *) warn "dead: what is '$1'? See ./everything dead --help" && exit 2 ;;
    esac
    shift
done
case $service in order | customer) ;; *) warn "dead: --of is order or customer" && exit 2 ;; esac
case $id in '' | all) ;; *[!0-9]*) warn "dead: '$id' is no ID of the list" && exit 2 ;; esac
sql() { psql -qX -P pager=off -v ON_ERROR_STOP=1 -d "$(pg_admin_url | sed "s#/postgres\$#/${service}_db#")" -v id="$id" "$@"; }

case $action in
list)
    sql <<'SQL'
SELECT id, sink, topic, key, died_at, cause FROM outbox.dead ORDER BY id;
SQL
    ;;
replay)
    sql -At <<'SQL'
WITH back AS (DELETE FROM outbox.dead WHERE :'id' = 'all' OR id::text = :'id' RETURNING *)
INSERT INTO outbox.events (part, sink, topic, key, payload, traceparent, correlation_id)
SELECT part, sink, topic, key, payload, traceparent, correlation_id FROM back ORDER BY id
RETURNING 'back in line: ' || key || ' to ' || topic;
SQL
    ;;
drop)
    sql -At <<'SQL'
DELETE FROM outbox.dead WHERE :'id' = 'all' OR id::text = :'id' RETURNING 'dropped: ' || key || ' to ' || topic;
SQL
    ;;
esac
