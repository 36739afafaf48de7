# shellcheck shell=sh
# ./everything order ID|NUMBER
#
# One order on one screen, to answer "where is it, and why is it stuck": the row, what
# happened to it, where its workflow and its money are, what waits in the outbox, and what of it could never
# be sent. NUMBER is today's short number.
set -eu
. "$ROOT/tools/stack/all.sh"

[ $# = 1 ] || { warn "order: which one? ./everything order ID, or today's NUMBER" && exit 2; }
case $1 in
*[!0-9a-fA-F-]*) warn "order: $1 is neither an id nor a number" && exit 2 ;;
esac
sql() { PGOPTIONS='-c client_min_messages=warning' psql -qX -P pager=off -P footer=off -d "$(pg_url order_db)" "$@"; }
pg_url() { pg_admin_url | sed "s#/postgres\$#/$1#"; }

case $1 in
????????-????-????-????-????????????) id=$1 ;;
*[!0-9]*) warn "order: $1 is neither an id nor a number" && exit 2 ;;
*) id=$(sql -At -v number="$1" <<'SQL'
SELECT id FROM orders.orders WHERE number = :'number'::int ORDER BY placed_at DESC LIMIT 1;
SQL
    ) ;;
esac
# as the database writes it: by capitals neither rows of the outbox nor the workflow are found
id=$(sql -At -v id="$id" <<'SQL'
SELECT id FROM orders.orders WHERE id = nullif(:'id', '')::uuid;
SQL
) || exit 1
[ -n "$id" ] || die "there is no order $1" "./everything order ID, with the id from Location: or from 'GET /orders?scope=all'"

sql -v id="$id" <<'SQL'
\pset title 'Order'
SELECT id, number, status, version AS seq, total_cents, placed_at, accept_by, collect_by, cancel_reason
  FROM orders.orders WHERE id = :'id'::uuid \gx
\pset title 'What happened'
SELECT seq, type, at, actor, trace_id FROM orders.order_events WHERE order_id = :'id'::uuid ORDER BY seq;
\pset title 'Its payment (in -ing for long: the provider does not answer)'
SELECT hold_id, state, amount_cents, captured_cents, refunded_cents, failure_code, changed_at
  FROM payment.payments WHERE order_id = :'id'::uuid;
\pset title 'Waiting in the outbox (none is good)'
SELECT sink, topic, created_at, now() - created_at AS waits FROM outbox.events WHERE key = :'id' ORDER BY id;
\pset title 'Never to be sent (none is good)'
SELECT sink, topic, cause, died_at FROM outbox.dead WHERE key = :'id' ORDER BY id;
\pset title 'Why it may look stuck'
SELECT CASE
    WHEN p.state = 'failed' AND p.captured_cents > 0
        THEN 'it is over: ' || status || ', but the provider refused to give the money back: mend the cause, then reset its '
             || 'workflow to the task that scheduled ReturnPayment (docs/adr/0020-payments.md), or see to it at the provider'
    WHEN p.state = 'failed' AND untouched
        THEN 'it is over: ' || status || ', but the provider refused to take the money, and the hold may be open: mend the '
             || 'cause, then reset its workflow, if it has ended, to its last task, or see to the hold at the provider'
    WHEN p.state IN ('authorized', 'capturing', 'voiding', 'refunding') AND untouched
        THEN 'it is over: ' || status || ', but its money is neither taken nor given back: if its workflow is gone, '
             || 'see to the hold at the payment provider'
    WHEN p.state IN ('captured', 'settled') AND status = 'cancelled' AND untouched
        THEN 'it is over: cancelled: ' || cancel_reason || ', and paid all the same: right only if nobody collected it '
             || 'and PICKUP_TIMEOUT_REFUND=0; else give the money back at the payment provider'
    WHEN status IN ('completed', 'cancelled') THEN 'it is over: ' || status || coalesce(nullif(': ' || cancel_reason, ': '), '')
    WHEN status = 'placed' AND accept_by < now() THEN 'nobody accepted in time: its workflow cancels it, or else the sweep within about a minute'
    WHEN status = 'placed' THEN 'it waits for a barista, until ' || accept_by
    WHEN status = 'ready' AND collect_by < now() THEN 'nobody came for it: its workflow cancels it, or else the sweep within about a minute'
    WHEN status = 'ready' THEN 'it waits to be picked up, until ' || collect_by
    ELSE 'it is being made since ' || coalesce(preparing_at, accepted_at)
    END AS answer
  FROM orders.orders o
  LEFT JOIN payment.payments p ON p.order_id = o.id AND status IN ('completed', 'cancelled') -- else its workflow is at it
 CROSS JOIN LATERAL (SELECT greatest(completed_at, cancelled_at, p.changed_at) < now() - interval '1 hour' AS untouched) u
 WHERE o.id = :'id'::uuid;
SQL
# The workflow, by Temporal's HTTP door; the step is asked of a worker, so one must run.
flow=http://$TEMPORAL_HOST:$TEMPORAL_HTTP_PORT/api/v1/namespaces/default/workflows/order-$id
ask_temporal() { curl -s --max-time 5 "$@" 2>/dev/null; }
current_step() {
    ask_temporal -X POST -H 'Content-Type: application/json' "$flow/query/current_step" \
        -d "{\"execution\":{\"workflowId\":\"order-$id\"},\"query\":{\"queryType\":\"current_step\"}}" |
        jq -sr '.[0].queryResult[0] // "no worker answers"' # -s: also of nothing at all
}
show_workflow() {
    described=$(ask_temporal "$flow") || { echo 'Temporal is away: what the workflow must know waits in the outbox' && return; }
    echo "$described" | jq -re '.workflowExecutionInfo | values |
        "order-'"$id"'  \(.status | ltrimstr("WORKFLOW_EXECUTION_STATUS_") | ascii_downcase)  \(.historyLength) events"' ||
        { echo 'there is none: what is to start it waits in the outbox, or comes with its next change' && return; }
    echo "step: $(current_step)"
    echo "$described" | jq -r '.pendingActivities[]? |
        "under way: \(.activityType.name), attempt \(.attempt // 1)\(if .lastFailure then ": " + .lastFailure.message else "" end)"'
}
echo Workflow
show_workflow
echo
say "its log lines: ./everything logs --order $id"
