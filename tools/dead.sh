# shellcheck shell=sh
# ./everything dead [list|replay ID|drop ID] [--of order|customer]
#
# Events that could never be sent, letters (events that their hearer could never handle, in Kafka's
# topic dead.letters), jobs that were given up, and why. After its cause was repaired, `replay ID`
# puts an event back at the end of its key's line, begins a job anew, or publishes a letter to its
# topic again, the same event with the same id and key: who hears the topic hears it again, and
# counts an id once. `drop ID` forgets it. ID may be `all`, which is all events, or `letters`,
# which is all letters, in their order.
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
letters) kind=letter ;;
letter-?*[!0-9]* | letter-[!0-9]*) warn "dead: '$id' is no ID of the list" && exit 2 ;;
letter-?*) kind=letter ;;
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

# What nobody settled of the topic dead.letters becomes an array in $letters, the oldest first.
# Nothing can be taken out of a topic: a letter is settled by a mark that follows it, a message
# whose header "settled" is the letter's offset.
letters=$RUN/dead-letters.$$
trap 'rm -f "$letters" "$letters".*' EXIT
fetch_letters() {
    timeout 120 kcat -C -e -q -J -o beginning -b "$KAFKA_BROKERS" -t dead.letters >"$letters.all" || return 1
    jq -s 'map(((.headers // []) as $h
            | [range(0; $h | length; 2) | {key: $h[.], value: $h[. + 1]}] | from_entries) + {offset, ts, key})
        | (reduce .[] as $l ({}; if $l.settled then .[$l.settled] = true else . end)) as $settled
        | map(select(.topic and $settled[.offset | tostring] == null))' "$letters.all" >"$letters"
}
publish() { # TOPIC KEY FILE OPTIONS...: what the file has, one message
    to=$1 key=$2 file=$3
    shift 3
    kcat -P -b "$KAFKA_BROKERS" -t "$to" -k "$key" -X topic.partitioner=murmur2_random -X acks=all \
        -X message.timeout.ms=10000 "$@" "$file"
}
replay_letter() { # OFFSET TOPIC KEY TRACEPARENT CORRELATION_ID
    kcat -C -e -q -b "$KAFKA_BROKERS" -t dead.letters -p 0 -o "$1" -c 1 -f %s >"$letters.one" &&
        publish "$2" "$3" "$letters.one" -H "traceparent=$4" -H "correlation-id=$5" -H content-type=application/json &&
        echo "published again: $3 to $2"
}
drop_letter() { echo "dropped: $3 to $2"; }
settle() { # OFFSET TOPIC KEY ...; one that fails does not stop the others
    echo "$action" >"$letters.mark"
    if "${action}_letter" "$@" && publish dead.letters "$3" "$letters.mark" -p 0 -H "settled=$1"; then
        return
    fi
    warn "dead: letter-$1 stays: Kafka did not take it"
    status=1
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
    fetch_letters || die "no letters: Kafka at $KAFKA_BROKERS does not show them" "./everything status"
    LETTERS=$letters sql <<'SQL'
\pset title 'Letters'
\set letters `cat "$LETTERS"`
SELECT 'letter-' || "offset" AS id, "group" AS hearer, topic, key, to_timestamp(ts / 1000) AS died_at, cause
  FROM json_to_recordset(:'letters') AS x("offset" bigint, "group" text, topic text, key text, ts bigint, cause text)
 ORDER BY x."offset";
SQL
    ;;
*-letter)
    fetch_letters || die "Kafka at $KAFKA_BROKERS does not show its letters" "./everything status"
    status=0
    eval "$(jq -r --arg id "$id" '.[] | select($id == "letters" or $id == "letter-\(.offset)")
        | "settle " + ([.offset, .topic, .key // "", .traceparent // "", ."correlation-id" // ""] | @sh)' "$letters")"
    exit $status
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
