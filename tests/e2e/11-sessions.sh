#!/bin/sh
# Signed in on two devices: what each may, and how it ends.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/e2e/lib/http.sh
. lib/http.sh

who=guest$(date +%s%N | tail -c 9)
sign_up() {
    call POST /users '' "{\"handle\":\"$who\",\"email\":\"$who@example.org\",\"password\":\"a good long password\",\"name\":\"Guest\"}" >/dev/null
    status_is 201
}
on_device() { # NAME: tokens in $scratch/NAME
    call POST /login '' "{\"handle\":\"$who\",\"password\":\"${2:-a good long password}\",\"deviceId\":\"$1\"}" >"$scratch/$1"
    status_is 200
}
access() { jq -r .accessToken "$scratch/$1"; }
refresh() { call POST /token/refresh '' "{\"refreshToken\":\"$(jq -r .refreshToken "$scratch/$1")\",\"deviceId\":\"$1\"}"; }

is_revoked() { call GET /users/me "$(access "$1")" && problem_is 401 token_revoked; } # once the message came

a_session_that_is_revoked_ends_at_once() {
    sign_up && on_device phone && on_device tablet || return 1
    call GET /sessions "$(access phone)" && jq -e '.sessions | length == 2 and ([.[] | select(.current)] | length) == 1' "$scratch/body" || return 1
    tablet=$(jq -r '.sessions[] | select(.deviceId == "tablet") | .id' "$scratch/body")
    call GET /users/me "$(access tablet)" && status_is 200 || return 1 # it is known as good now
    call DELETE "/sessions/$tablet" "$(access phone)" && status_is 204 || return 1
    within $PATIENCE_S is_revoked tablet || return 1
    refresh tablet && [ "$(cat "$scratch/status")" = 401 ] && call GET /users/me "$(access phone)" && status_is 200
}
nobody_revokes_somebody_elses_session() {
    call GET /sessions "$(access phone)" >/dev/null && phone=$(jq -r '.sessions[0].id' "$scratch/body")
    call DELETE "/sessions/$phone" "$(login customer2)" && problem_is 404 not_found
}
a_refresh_token_is_good_once() {
    on_device watch || return 1
    refresh watch >"$scratch/new" && status_is 200 || return 1
    jq -e '.accessToken and .refreshToken' "$scratch/new" || return 1
    jq -re .accessToken "$scratch/new" | cut -d. -f2 | tr '_-' '/+' | base64 -d 2>/dev/null | grep -o '"exp":[0-9]*,"iat":[0-9]*' |
        tr -dc '0-9,' | awk -F, '{ exit $1 - $2 != 900 }' || return 1
    cp "$scratch/watch" "$scratch/stolen"
    cp "$scratch/new" "$scratch/watch"
    refresh watch >"$scratch/newer" && status_is 200 || return 1 # the successor was used: the first is spent
    call POST /token/refresh '' "{\"refreshToken\":\"$(jq -r .refreshToken "$scratch/stolen")\",\"deviceId\":\"watch\"}" && status_is 401 || return 1
    call POST /token/refresh '' "{\"refreshToken\":\"$(jq -r .refreshToken "$scratch/newer")\",\"deviceId\":\"watch\"}" && status_is 401
}
signing_out_ends_access_and_refresh() {
    on_device kiosk && call POST /logout '' "{\"refreshToken\":\"$(jq -r .refreshToken "$scratch/kiosk")\"}" && status_is 204 || return 1
    within $PATIENCE_S is_revoked kiosk && refresh kiosk && status_is 401
}
a_new_password_ends_the_other_sessions() {
    on_device laptop || return 1
    call PUT /users/me/password "$(access phone)" '{"currentPassword":"not this one","newPassword":"another long password"}' && problem_is 401 bad_credentials || return 1
    call PUT /users/me/password "$(access phone)" '{"currentPassword":"a good long password","newPassword":"another long password"}' && status_is 204 || return 1
    within $PATIENCE_S is_revoked laptop || return 1
    on_device desk 'another long password'
}
registered() { # NAME DIGITS: the id of a device of that session
    call POST /devices "$(access "$1")" "{\"apns\":{\"token\":\"$(printf "$2%.0s" $(seq 32))\",\"environment\":\"sandbox\"}}" | jq -re .id
}
a_device_is_forgotten_with_its_session() {
    on_device desk 'another long password' && on_device shelf 'another long password' || return 1
    lost=$(registered shelf a1) && kept=$(registered desk b2) || return 1
    call POST /logout '' "{\"refreshToken\":\"$(jq -r .refreshToken "$scratch/shelf")\"}" && status_is 204 || return 1
    call DELETE "/devices/$lost" "$(access desk)" && problem_is 404 not_found || return 1
    call DELETE "/devices/$kept" "$(access desk)" && status_is 204
}
# SEC-09: too long where bytes are counted; a line of its own in what one daemon tells another
a_device_id_that_cannot_be_kept_whole_is_refused() {
    for id in "$(printf 'ä%.0s' $(seq 33))" 'desk\nlamp'; do
        call POST /login '' "{\"handle\":\"$who\",\"password\":\"another long password\",\"deviceId\":\"$id\"}" && problem_is 422 invalid_fields deviceId || return 1
    done
}

fact a_session_that_is_revoked_ends_at_once AUTH-24
fact nobody_revokes_somebody_elses_session
fact a_refresh_token_is_good_once AUTH-02
fact signing_out_ends_access_and_refresh
fact a_new_password_ends_the_other_sessions
fact a_device_is_forgotten_with_its_session PUSH-02
fact a_device_id_that_cannot_be_kept_whole_is_refused SEC-09
facts_end
