#!/bin/sh
# Devices, Live Activities, preferences and shifts through HTTP.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/e2e/lib/http.sh
. lib/http.sh

customer=$(login customer)
barista=$(login barista)
other=$(login customer2)
token=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
apns="{\"apns\":{\"token\":\"$token\",\"environment\":\"sandbox\"}}"
register() { call POST /devices "$1" "$2" >/dev/null && status_is 201 && jq -r .id "$scratch/body"; }

# PUSH-02
a_device_is_registered_and_unregistered() {
    id=$(register "$customer" "$apns") && [ "$(register "$customer" "$apns")" = "$id" ] || return 1
    call DELETE "/devices/$id" "$other" >/dev/null && problem_is 404 not_found || return 1
    call DELETE "/devices/$id" "$customer" >/dev/null && status_is 204 || return 1
    call DELETE "/devices/$id" "$customer" >/dev/null && problem_is 404 not_found
}
a_device_that_cannot_be_reached_is_refused() {
    for body in '{}' '{"apns":{"token":"xyz","environment":"sandbox"}}' \
        "{\"apns\":{\"token\":\"$token\",\"environment\":\"moon\"}}" \
        '{"web":{"endpoint":"http://127.0.0.1/","p256dh":"x","auth":"y"}}'; do
        call POST /devices "$customer" "$body" >/dev/null
        problem_is 422 invalid_fields || { echo "for: $body" && return 1; }
    done
}
a_live_activity_belongs_to_a_device_of_ones_own() {
    id=$(register "$customer" "$apns") || return 1
    body="{\"deviceId\":\"$id\",\"token\":\"$token\"}"
    call POST /live-activities "$customer" "$body" >/dev/null && status_is 201 || return 1
    call POST /live-activities "$other" "$body" >/dev/null && problem_is 404 not_found || return 1
    call DELETE "/devices/$id" "$customer" >/dev/null && status_is 204
}
# PUSH-18 SEC-08: at once, before any event of it can have come; staff may see the order, and yet it is not theirs
a_live_activity_is_of_an_order_of_ones_own() {
    id=$(register "$customer" "$apns") || return 1
    order=$(call POST /orders "$customer" '{"items":[{"menuItemId":"flat-white","quantity":1}]}' "Idempotency-Key: $(uuid)" | jq -r .id)
    body="{\"orderId\":\"$order\",\"deviceId\":\"$id\",\"token\":\"$token\"}"
    call POST /live-activities "$customer" "$body" >/dev/null && status_is 201 || return 1
    body="{\"orderId\":\"$(uuid)\",\"deviceId\":\"$id\",\"token\":\"$token\"}"
    call POST /live-activities "$customer" "$body" >/dev/null && problem_is 404 not_found || return 1
    for who in "$other" "$barista"; do
        theirs=$(register "$who" "$(echo "$apns" | tr 0123456789 1234567890)") || return 1
        body="{\"orderId\":\"$order\",\"deviceId\":\"$theirs\",\"token\":\"$token\"}"
        call POST /live-activities "$who" "$body" >/dev/null && problem_is 404 not_found || return 1
        call DELETE "/devices/$theirs" "$who" >/dev/null
    done
    call POST "/orders/$order/cancel" "$customer" '{}' >/dev/null && call DELETE "/devices/$id" "$customer" >/dev/null
}
a_shift_is_a_baristas() {
    call PUT /baristas/me/shift "$customer" '{"onShift":true}' >/dev/null && status_is 403 || return 1
    call PUT /baristas/me/shift "$barista" '{"onShift":true}' | jq -e '.onShift and .since' || return 1
    call PUT /baristas/me/shift "$barista" '{"onShift":false}' | jq -e '.onShift == false and (has("since") | not)'
}
preferences_are_kept() {
    call PUT /users/me/preferences "$other" '{"orders":false,"promotions":true}' >/dev/null && status_is 200 || return 1
    call GET /users/me/preferences "$other" | jq -e '.orders == false and .promotions == true' || return 1
    call PUT /users/me/preferences "$other" '{"orders":true,"promotions":false}' >/dev/null && status_is 200
}

fact a_device_is_registered_and_unregistered PUSH-02
fact a_device_that_cannot_be_reached_is_refused
fact a_live_activity_belongs_to_a_device_of_ones_own
fact a_live_activity_is_of_an_order_of_ones_own PUSH-18 SEC-08
fact a_shift_is_a_baristas
fact preferences_are_kept
facts_end
