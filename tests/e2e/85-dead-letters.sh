#!/bin/sh
# An event that could never be sent is listed with its cause, goes out after a replay, and can be dropped.
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

fact a_dead_event_is_listed_with_its_cause
fact a_replayed_event_is_sent
fact a_dropped_event_is_gone
fact a_photos_job_that_was_given_up_is_listed_and_dropped
facts_end
