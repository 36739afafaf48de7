#!/bin/sh
# What was given up, event, letter or job, is listed with its cause, goes on after a replay, and can
# be dropped; and what is given up is not what somebody mends in time.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/e2e/lib/http.sh
. lib/http.sh
everything=$PWD/../../everything
database=${TEST_PG_ADMIN_URL%/*}/order_db
sql() { psql -qAtX -v ON_ERROR_STOP=1 -d "$database" -c "$1"; }
plant() { # ID KEY
    sql "INSERT INTO outbox.dead (id, part, sink, topic, key, payload, created_at, cause)
         VALUES ($1, 0, 'kafka', 'menu.updated', '$2', '{}', now(), 'planted by a test')"
}

a_dead_event_is_listed_with_its_cause() {
    plant 900000001 dead-one && "$everything" dead list | grep 'dead-one.*planted by a test'
}
a_replayed_event_is_sent() {
    "$everything" dead replay 900000001 | grep 'back in line: dead-one' || return 1
    it_went() { [ "$(sql "SELECT count(*) FROM outbox.events WHERE key = 'dead-one'")" = 0 ]; }
    within $PATIENCE_S it_went && ! "$everything" dead list | grep dead-one
}
a_dropped_event_is_gone() {
    plant 900000002 dead-two && "$everything" dead drop 900000002 | grep 'dropped: dead-two' || return 1
    [ "$(sql "SELECT count(*) FROM outbox.dead WHERE key = 'dead-two'")" = 0 ]
}

a_photos_job_that_was_given_up_is_listed_and_dropped() {
    job=$(cat /proc/sys/kernel/random/uuid)
    sql "INSERT INTO jobs.jobs (id, kind, payload, state, finished_at, last_error)
         VALUES ('$job', 'photo.sizes', '$job', 'dead', now(), 'planted by a test')"
    "$everything" dead list | grep "$job.*planted by a test" || return 1
    "$everything" dead drop "$job" | grep "dropped: photo.sizes $job" || return 1
    [ "$(sql "SELECT count(*) FROM jobs.jobs WHERE id = '$job'")" = 0 ]
}

somebody_new() { # their id and token in customer, token
    who=guest$(date +%s%N | tail -c 9)
    call POST /users '' "{\"handle\":\"$who\",\"email\":\"$who@example.org\",\"password\":\"a good long password\",\"name\":\"Guest\"}" >/dev/null
    status_is 201 && customer=$(jq -r .customer.id "$scratch/body") && token=$(login "$who" 'a good long password')
}
# Somebody new, for whom an OrderCompleted of 5.00 became a letter, twice.
letters_of_a_newcomer() {
    somebody_new || return 1
    order=$(uuid) at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    printf '{"id":"%s","v":1,"type":"OrderCompleted","at":"%s","orderId":"%s","data":{"id":"%s","customerId":"%s","totalCents":500}}' \
        "$(uuid)" "$at" "$order" "$order" "$customer" >"$scratch/letter"
    for time in once twice; do
        kcat -P -b "$KAFKA_BROKERS" -t dead.letters -k "$order" -H topic=order.completed -H group=customer-service \
            -H "cause=planted, $time" -H status=INTERNAL "$scratch/letter" || return 1
    done
}
id_of() { "$everything" dead list | sed -n "s/^ *\(letter-[0-9]*\) .*$order.*planted, $1\$/\1/p"; }
points_are() { call GET /customers/me/loyalty "$token" | jq -e ".points == $1"; }

a_letter_that_is_replayed_counts_once() {
    letters_of_a_newcomer && first=$(id_of once) && second=$(id_of twice) && [ -n "$first" ] && [ -n "$second" ] || return 1
    for letter in "$first" "$second"; do
        "$everything" dead replay "$letter" | grep "published again: $order to order.completed" || return 1
    done
    within $PATIENCE_S points_are 5 || return 1
    kcat -C -e -q -o beginning -b "$KAFKA_BROKERS" -t order.completed -f '%k %s\n' | grep "^$order" >"$scratch/came"
    [ "$(grep -cF "$order $(cat "$scratch/letter")" "$scratch/came")" = 2 ] || return 1
    sleep 1
    points_are 5 && call GET /customers/me/stats "$token" | jq -e '.ordersCompleted == 1'
}
a_letter_that_was_replayed_or_dropped_is_not_listed() {
    letters_of_a_newcomer || return 1
    "$everything" dead replay "$(id_of once)" | grep published && "$everything" dead drop "$(id_of twice)" | grep "dropped: $order" || return 1
    ! "$everything" dead list | grep "$order" || return 1
    [ "$("$everything" dead replay letters | grep -c "$order")" = 0 ]
}

customer_sql() { psql -qAtX -v ON_ERROR_STOP=1 -d "${TEST_PG_ADMIN_URL%/*}/customer_db" -c "$1"; }
failed_inside() { # how many attempts at order.completed ended with a fault of ours
    port=$(sed -n "s/^export METRICS_PORT='\(.*\)'$/\1/p" "$TEST_STACK_RUN/customer-service/run")
    curl -s --max-time 5 "http://127.0.0.1:$port/metrics" |
        awk '/^kafka_consumed_total.*topic="order.completed".*INTERNAL/ { n = $2 } END { print n + 0 }'
}
points_that_the_database_refused_come_once_it_is_mended() {
    somebody_new && id=$(place "$token") && barista=$(login barista) || return 1
    before=$(failed_inside)
    customer_sql 'REVOKE INSERT ON loyalty.ledger FROM customer_service' || return 1
    for move in accept ready pickup; do call POST "/orders/$id/$move" "$barista" '{}' >/dev/null; done
    it_failed() { [ "$(failed_inside)" -gt "$before" ]; }
    within $PATIENCE_S it_failed
    failed=$?
    customer_sql 'GRANT INSERT ON loyalty.ledger TO customer_service' && [ $failed = 0 ] || return 1
    within $PATIENCE_S points_are 4 && ! "$everything" dead list | grep "$id"
}

fact a_dead_event_is_listed_with_its_cause
fact a_replayed_event_is_sent
fact a_dropped_event_is_gone
fact a_photos_job_that_was_given_up_is_listed_and_dropped
fact a_letter_that_is_replayed_counts_once
fact a_letter_that_was_replayed_or_dropped_is_not_listed
fact points_that_the_database_refused_come_once_it_is_mended
facts_end
