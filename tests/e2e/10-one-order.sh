#!/bin/sh
# One flat white from the menu to the points, as an app and a barista's screen do it.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/e2e/lib/http.sh
. lib/http.sh

the_menu_lists_drinks_with_prices_and_options() {
    call GET /menu
    status_is 200 && jq -e '.items | length >= 5 and all(.priceCents > 0 and (.customizations | type) == "array")' "$scratch/body"
}
the_menu_says_in_which_currency_it_is() {
    call GET /menu && status_is 200 && jq -e '.currency == "EUR" and (.edition | endswith(".EUR"))' "$scratch/body"
}
an_unchanged_menu_answers_304() {
    call GET /menu >/dev/null
    etag=$(header etag)
    [ -n "$etag" ] && call GET /menu '' '' "If-None-Match: $(echo "$etag" | sed 's/"/\\"/g')" && status_is 304
}
newcomer() { # a customer nobody else orders for: the handle
    who=guest$(date +%s%N | tail -c 9)
    call POST /users '' "{\"handle\":\"$who\",\"email\":\"$who@example.org\",\"password\":\"a good long password\",\"name\":\"Guest\"}" >/dev/null
    status_is 201 && login "$who" 'a good long password'
}
somebody_signs_up_and_in() {
    who=guest$(date +%s%N | tail -c 9)
    call POST /users '' "{\"handle\":\"$who\",\"email\":\"$who@example.org\",\"password\":\"a good long password\",\"name\":\"Guest\"}"
    status_is 201 && jq -e --arg h "$who" '.customer.handle == $h' "$scratch/body" || return 1
    call POST /login '' "{\"handle\":\"$who\",\"password\":\"a good long password\"}"
    status_is 200 && jq -e '.tokenType == "Bearer" and .expiresIn == 900 and .customer.role == "customer"' "$scratch/body" || return 1
    token=$(jq -r .accessToken "$scratch/body")
    call GET /users/me "$token" && status_is 200 || return 1
    call PATCH /users/me "$token" '{"name":"Somebody"}' && status_is 200 || return 1
    call GET /users/me "$token" && jq -e '.name == "Somebody"' "$scratch/body"
}
an_order_is_placed_with_location_and_price() {
    call POST /orders "$(login customer)" "$LATTE" "Idempotency-Key: $(uuid)"
    status_is 201 && [ "$(header location)" = "/orders/$(jq -r .id "$scratch/body")" ] &&
        jq -e '.status == "placed" and .totalCents == 440 and .number > 0 and .items[0].customizations[0].id == "oat-milk"
               and .queuePosition >= 1 and .etaSeconds > 0 and .placedAt and (has("readyAt") | not)' "$scratch/body"
}
the_same_key_gives_the_same_order_and_another_body_422() {
    key=$(uuid)
    call POST /orders "$(login customer)" "$LATTE" "Idempotency-Key: $key" >"$scratch/first" && status_is 201 || return 1
    call POST /orders "$(login customer)" "$LATTE" "Idempotency-Key: $key" >"$scratch/second" && status_is 201 || return 1
    jq -S . "$scratch/first" >"$scratch/a" && jq -S . "$scratch/second" | diff "$scratch/a" - || return 1
    call POST /orders "$(login customer)" '{"items":[{"menuItemId":"espresso","quantity":2}]}' "Idempotency-Key: $key"
    problem_is 422 idempotency_mismatch
}
the_usual_is_one_tap() {
    call GET /customers/me/usual "$(login customer)" && status_is 200 || return 1
    call POST /orders/usual "$(login customer)" '{}' "Idempotency-Key: $(uuid)"
    status_is 201 && jq -e '.items[0].menuItemId == "flat-white"' "$scratch/body"
}
without_a_usual_it_says_so() {
    call POST /orders/usual "$(login customer2)" '{}' "Idempotency-Key: $(uuid)"
    problem_is 404 no_usual
}
the_barista_takes_it_through_to_pickup() {
    id=$(place "$(login customer)") && barista=$(login barista) || return 1
    call GET /queue "$barista" && status_is 200 && jq -e --arg id "$id" '.orders[] | select(.id == $id) | .bucket == "new"' "$scratch/body" || return 1
    call POST "/orders/$id/accept" "$barista" '{}' && status_is 200 && jq -e '.status == "preparing" and .acceptedAt and .preparingAt' "$scratch/body" || return 1
    call POST "/orders/$id/accept" "$barista" '{}' && status_is 200 || return 1 # a double tap
    call POST "/orders/$id/ready" "$barista" '{}' && status_is 200 && jq -e '.status == "ready" and .bucket == "ready"' "$scratch/body" || return 1
    call POST "/orders/$id/undo-ready" "$barista" '{}' && status_is 200 && jq -e '.status == "preparing" and (has("readyAt") | not)' "$scratch/body" || return 1
    call POST "/orders/$id/ready" "$barista" '{}' && status_is 200 || return 1
    call POST "/orders/$id/pickup" "$(login customer)" '{}' && status_is 200 && jq -e '.status == "completed" and .completedAt' "$scratch/body" || return 1
    call POST "/orders/$id/cancel" "$(login customer)" '{}' && problem_is 409 illegal_move && grep -q completed "$scratch/body"
}
points_and_statistics_follow_a_pickup() {
    customer=$(newcomer) && id=$(place "$customer") && barista=$(login barista) || return 1
    for move in accept ready pickup; do call POST "/orders/$id/$move" "$barista" '{}' >/dev/null && status_is 200 || return 1; done
    points_came() { call GET /customers/me/loyalty "$customer" | jq -e ".points == 4 and .ledger[0].orderId == \"$id\""; }
    stats_came() { call GET /customers/me/stats "$customer" | jq -e '.ordersPlaced == 1 and .ordersCompleted == 1 and .spentCents == 440'; }
    within $PATIENCE_S points_came && within $PATIENCE_S stats_came
}
a_declined_order_has_a_reason() {
    id=$(place "$(login customer)") || return 1
    call POST "/orders/$id/decline" "$(login barista)" '{"reason":"We are out of oat milk"}' && status_is 200 || return 1
    call GET "/orders/$id" "$(login customer)" && jq -e '.status == "cancelled" and .cancelReason == "We are out of oat milk"' "$scratch/body"
}
a_customer_cancels_until_it_is_accepted() {
    customer=$(login customer) barista=$(login barista)
    id=$(place "$customer") && call POST "/orders/$id/cancel" "$customer" '{}' && status_is 200 && jq -e '.status == "cancelled"' "$scratch/body" || return 1
    id=$(place "$customer") && call POST "/orders/$id/accept" "$barista" '{}' >/dev/null && call POST "/orders/$id/cancel" "$customer" '{}'
    problem_is 409 illegal_move || return 1
    call POST "/orders/$id/cancel" "$barista" '{"reason":"the grinder broke"}' && status_is 200
}
strangers_see_nothing() {
    id=$(place "$(login customer)") || return 1
    call GET "/orders/$id" "$(login customer2)" && problem_is 404 not_found || return 1
    call POST "/orders/$id/cancel" "$(login customer2)" '{}' && problem_is 404 not_found || return 1
    call GET "/orders/$id" "$(login barista)" && status_is 200 || return 1
    call POST "/orders/$id/accept" "$(login customer)" '{}' && problem_is 403 forbidden
}
history_is_paged_newest_first() {
    customer=$(login customer)
    for _ in 1 2 3; do place "$customer" >/dev/null || return 1; done
    call GET '/orders?pageSize=2' "$customer" >"$scratch/one" && status_is 200 || return 1
    next=$(jq -r .nextPageToken "$scratch/one")
    call GET "/orders?pageSize=2&pageToken=$next" "$customer" >"$scratch/two" && status_is 200 || return 1
    jq -es '(.[0].orders + .[1].orders) as $o | ($o | length) == 4 and ([$o[].id] | unique | length) == 4 and ([$o[].placedAt] == ([$o[].placedAt] | sort | reverse))' \
        "$scratch/one" "$scratch/two" || return 1
    call GET "/orders?pageToken=$next" "$(login customer2)" && problem_is 422 invalid_fields pageToken
}
a_reorder_has_the_same_lines() {
    id=$(place "$(login customer)") && call POST "/orders/$id/reorder" "$(login customer)" '{}' "Idempotency-Key: $(uuid)"
    status_is 201 && jq -e --arg id "$id" '.id != $id and .items[0].menuItemId == "flat-white" and .totalCents == 440' "$scratch/body"
}
the_barista_takes_down_a_walk_in() {
    call POST /orders "$(login barista)" '{"items":[{"menuItemId":"espresso","quantity":1}],"pickupName":"Aunt May"}' "Idempotency-Key: $(uuid)"
    status_is 201 && jq -e '.channel == "pos" and .pickupName == "Aunt May"' "$scratch/body" || return 1
    call POST /orders "$(login customer)" '{"items":[{"menuItemId":"espresso","quantity":1}],"pickupName":"Aunt May"}' "Idempotency-Key: $(uuid)"
    problem_is 403 forbidden
}
a_paused_shop_says_so_before_and_when_one_orders() {
    barista=$(login barista)
    call PUT /shop "$barista" '{"open":false,"note":"Back at ten"}' && status_is 200 || return 1
    call GET /shop && jq -e '.takingOrders == false and .note == "Back at ten"' "$scratch/body"
    said=$?
    call POST /orders "$(login customer)" "$LATTE" "Idempotency-Key: $(uuid)"
    problem_is 409 shop_closed
    refused=$?
    call PUT /shop "$barista" '{"open":true}' && status_is 200 && [ $said$refused = 00 ] && place "$(login customer)"
}
a_price_change_is_seen_at_once() {
    admin=$(login admin)
    call PATCH /menu/mocha "$admin" '{"priceCents":431}' && status_is 200 || return 1
    call GET /menu && jq -e '.items[] | select(.id == "mocha") | .priceCents == 431' "$scratch/body" || return 1
    call PATCH /menu/mocha "$admin" '{"priceCents":430}' && status_is 200 || return 1
    call PATCH /menu/mocha "$(login customer)" '{"priceCents":1}' && problem_is 403 forbidden
}
an_admin_who_saw_an_older_menu_changes_nothing() {
    admin=$(login admin)
    call GET /menu && seen="If-Match: $(header etag | sed 's/"/\\"/g')" || return 1
    call PATCH /menu/mocha "$admin" '{"priceCents":432}' "$seen" && status_is 200 || return 1
    call PATCH /menu/mocha "$admin" '{"priceCents":433}' "$seen" && problem_is 412 precondition_failed || return 1
    call DELETE /menu/mocha "$admin" '' "$seen" && problem_is 412 precondition_failed || return 1
    call GET /menu/mocha && jq -e '.priceCents == 432' "$scratch/body" || return 1
    call PATCH /menu/mocha "$admin" '{"priceCents":430}' && status_is 200
}
an_admin_adds_changes_and_removes_a_drink() {
    admin=$(login admin) name="Test $(date +%s%N | tail -c 9)"
    call POST /menu "$admin" "{\"name\":\"$name\",\"priceCents\":300,\"kind\":\"coffee\",\"customizationIds\":[\"oat-milk\"]}" "Idempotency-Key: $(uuid)" && status_is 201 || return 1
    drink=$(jq -r .id "$scratch/body")
    [ "$(header location)" = "/menu/$drink" ] && call GET "/menu/$drink" && status_is 200 || return 1
    call PUT "/menu/$drink/available" "$(login barista)" '{"available":false}' && jq -e '.available == false' "$scratch/body" || return 1
    call POST /orders "$(login customer)" "{\"items\":[{\"menuItemId\":\"$drink\",\"quantity\":1}]}" "Idempotency-Key: $(uuid)" && problem_is 422 sold_out 'items[0].menuItemId' || return 1
    call DELETE "/menu/$drink" "$admin" && status_is 204 && call GET "/menu/$drink" && problem_is 404 not_found
}

tag_of_menu() { # HAS or LACKS the drink: its ETag as a header of the next call
    call GET /menu >/dev/null && status_is 200 >&2 || return 1
    jq -e --arg id "$drink" --arg has "$1" 'any(.items[]; .id == $id) == ($has == "HAS")' "$scratch/body" >&2 || return 1
    echo "If-None-Match: $(header etag | sed 's/"/\\"/g')"
}
season() { # FIELD BEFORE AFTER [AHEAD]: around the moment that the field names, the menu BEFORE is not the one AFTER
    ahead=${4:-8} # seconds: time enough for the two calls before it, else again with more
    moment=$(($(date +%s) + ahead))
    call POST /menu "$(login admin)" "{\"name\":\"Season $(date +%s%N | tail -c 9)\",\"priceCents\":300,\"kind\":\"coffee\",
        \"$1\":\"$(date -u -d "@$moment" +%Y-%m-%dT%H:%M:%SZ)\"}" "Idempotency-Key: $(uuid)" && status_is 201 || return 1
    drink=$(jq -r .id "$scratch/body") || return 1
    tag=$(tag_of_menu "$2")
    tagged=$?
    if [ "$(date +%s)" -ge "$moment" ] && [ "$ahead" -lt 32 ]; then
        call DELETE "/menu/$drink" "$(login admin)" && season "$1" "$2" "$3" $((2 * ahead))
        return
    fi
    [ $tagged = 0 ] || return 1
    while [ "$(date +%s)" -le "$moment" ]; do sleep 0.2; done
    call GET /menu '' '' "$tag" >/dev/null && status_is 200 && tag_of_menu "$3" || return 1
    call DELETE "/menu/$drink" "$(login admin)" && status_is 204
}
a_season_is_seen_to_begin_and_to_end_by_whoever_has_the_menu() { season validFrom LACKS HAS && season validTo HAS LACKS; }

fact the_menu_lists_drinks_with_prices_and_options GW-05 MENU-01 SCN-A1
fact the_menu_says_in_which_currency_it_is
fact an_unchanged_menu_answers_304
fact somebody_signs_up_and_in AUTH-04 CUST-02
fact an_order_is_placed_with_location_and_price GW-04 ORD-01
fact the_same_key_gives_the_same_order_and_another_body_422 ORD-24
fact the_usual_is_one_tap GW-12 FAV-01 SCN-A2
fact without_a_usual_it_says_so
fact the_barista_takes_it_through_to_pickup ORD-04 ORD-05 ORD-06 ORD-12 ORD-28
fact points_and_statistics_follow_a_pickup CUST-03 CUST-04 EVT-12
fact a_declined_order_has_a_reason
fact a_customer_cancels_until_it_is_accepted
fact strangers_see_nothing ORD-11
fact history_is_paged_newest_first
fact a_reorder_has_the_same_lines ORD-16
fact the_barista_takes_down_a_walk_in ORD-18
fact a_paused_shop_says_so_before_and_when_one_orders
fact a_price_change_is_seen_at_once CACHE-08 MENU-03
fact an_admin_who_saw_an_older_menu_changes_nothing MENU-03
fact an_admin_adds_changes_and_removes_a_drink MENU-04
fact a_season_is_seen_to_begin_and_to_end_by_whoever_has_the_menu MENU-04
facts_end
