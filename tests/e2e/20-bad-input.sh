#!/bin/sh
# Input of every bad kind: a clear problem, the field's path, and nothing changed. GW-06, ORD-02
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/e2e/lib/http.sh
. lib/http.sh

customer=$(login customer)
count_orders() { call GET '/orders?pageSize=1' "$customer" | jq -r '.orders[0].id'; }
refused() { # BODY STATUS CODE [FIELD]
    call POST /orders "$customer" "$1" "Idempotency-Key: $(uuid)" >/dev/null
    problem_is "$2" "$3" "${4:-}" || { echo "for: $1" && return 1; }
}

each_broken_rule_names_its_field() {
    newest=$(count_orders)
    refused '{"items":[{"menuItemId":"motor-oil","quantity":1}]}' 422 invalid_fields 'items[0].menuItemId' &&
        refused '{}' 422 invalid_fields items &&
        refused '{"items":[]}' 422 invalid_fields items &&
        refused '{"items":[{"menuItemId":"espresso","quantity":0}]}' 422 invalid_fields 'items[0].quantity' &&
        refused '{"items":[{"menuItemId":"espresso","quantity":51}]}' 422 invalid_fields 'items[0].quantity' &&
        refused '{"items":[{"menuItemId":"espresso","quantity":-1}]}' 422 invalid_fields 'items[0].quantity' &&
        refused '{"items":[{"menuItemId":"espresso","quantity":"two"}]}' 422 invalid_fields 'items[0].quantity' &&
        refused '{"items":[{"menuItemId":"espresso","quantity":1.5}]}' 422 invalid_fields 'items[0].quantity' &&
        refused '{"items":[{"menuItemId":"espresso","quantity":1,"customizationIds":["oat-milk"]}]}' 422 invalid_fields 'items[0].customizationIds[0]' &&
        refused '{"items":[{"menuItemId":"flat-white","quantity":1,"customizationIds":["oat-milk","soy-milk"]}]}' 422 invalid_fields 'items[0].customizationIds[1]' &&
        refused '{"items":[{"menuItemId":"espresso","quantity":1,"priceCents":1}]}' 422 invalid_fields 'items[0].priceCents' &&
        refused '{"items":[{"menuItemId":"espresso","quantity":1}],"surprise":true}' 422 invalid_fields surprise &&
        refused "{\"items\":[{\"menuItemId\":\"espresso\",\"quantity\":1,\"note\":\"$(head -c 300 /dev/zero | tr '\0' x)\"}]}" 422 invalid_fields 'items[0].note' &&
        refused '{"items":[{"menuItemId":"espresso","quantity":1,"note":"a\u0000b"}]}' 422 invalid_fields 'items[0].note' || return 1
    [ "$(count_orders)" = "$newest" ]
}
fifty_one_lines_are_too_many() {
    lines=$(yes '{"menuItemId":"espresso","quantity":1}' | head -51 | paste -sd,)
    refused "{\"items\":[$lines]}" 422 invalid_fields items || return 1
    lines=$(yes '{"menuItemId":"espresso","quantity":1}' | head -50 | paste -sd,)
    call POST /orders "$customer" "{\"items\":[$lines]}" "Idempotency-Key: $(uuid)" >/dev/null && status_is 201
}
fifty_lines_with_all_that_goes_together_fit_and_long_notes_beside_do_not() {
    newest=$(count_orders)
    all='"almond-milk","large","vanilla","caramel","hazelnut","extra-hot","extra-shot","decaf"'
    line="{\"menuItemId\":\"caramel-macchiato\",\"quantity\":1,\"customizationIds\":[$all]"
    lines=$(yes "$line,\"note\":\"$(head -c 200 /dev/zero | tr '\0' x)\"}" | head -50 | paste -sd,)
    refused "{\"items\":[$lines]}" 422 invalid_fields items && [ "$(count_orders)" = "$newest" ] || return 1
    lines=$(yes "$line}" | head -50 | paste -sd,)
    call POST /orders "$customer" "{\"items\":[$lines]}" "Idempotency-Key: $(uuid)" >/dev/null && status_is 201
}
what_cannot_be_parsed_is_400() {
    refused '{"items":' 400 bad_request && refused 'hello' 400 bad_request && refused '[1]' 400 bad_request &&
        refused '{"items":[{"menuItemId":"espresso","quantity":1}]}x' 400 bad_request &&
        refused "$(printf '{"note":"\377\376"}')" 400 bad_request &&
        refused "$(printf '[%.0s' $(seq 40))" 400 bad_request
}
too_large_a_body_is_413() {
    head -c 70000 /dev/zero | tr '\0' ' ' >"$scratch/big"
    curl -sS --max-time 10 -X POST -H "Authorization: Bearer $customer" -H 'Content-Type: application/json' --data-binary "@$scratch/big" \
        -D "$scratch/headers" -o "$scratch/body" -w '%{http_code}' "$HTTP_URL/orders" >"$scratch/status"
    problem_is 413 too_large
}
another_content_type_is_415() {
    curl -sS --max-time 10 -X POST -H "Authorization: Bearer $customer" -H 'Content-Type: text/plain' --data 'x' \
        -D "$scratch/headers" -o "$scratch/body" -w '%{http_code}' "$HTTP_URL/orders" >"$scratch/status"
    problem_is 415 unsupported_media
}
an_unknown_path_is_404_and_a_wrong_method_405_with_allow() {
    call GET /coffee/please && problem_is 404 not_found || return 1
    call DELETE /orders "$customer" && problem_is 405 method_not_allowed || return 1
    header allow | grep -q POST
}
a_bad_id_is_refused_and_an_unknown_one_404() {
    call GET /orders/17 "$customer" && problem_is 422 invalid_fields id || return 1
    call GET "/orders/$(uuid)" "$customer" && problem_is 404 not_found
}
no_token_or_a_bad_one_is_401_with_a_challenge() {
    call GET /orders && problem_is 401 unauthenticated && header www-authenticate | grep -qi bearer || return 1
    call GET /orders not-a-token && problem_is 401 unauthenticated || return 1
    call GET /orders "$(echo "$customer" | sed 's/.$/A/')x" && problem_is 401 unauthenticated
}
wrong_passwords_are_401_and_say_no_more() {
    call POST /login '' '{"handle":"nobody-at-all","password":"whatever it is"}' >"$scratch/one"
    problem_is 401 bad_credentials || return 1
    call POST /login '' '{"handle":"driver","password":"whatever it is"}' >"$scratch/two"
    problem_is 401 bad_credentials || return 1
    jq 'del(.correlationId)' "$scratch/one" >"$scratch/a" && jq 'del(.correlationId)' "$scratch/two" | diff "$scratch/a" -
}
a_weak_password_and_a_taken_handle_are_told() {
    call POST /users '' '{"handle":"shorty","email":"s@example.org","password":"short","name":"S"}' && problem_is 422 weak_password || return 1
    call POST /users '' '{"handle":"customer","email":"c2@example.org","password":"a good long password","name":"C"}' && problem_is 409 handle_taken
}
a_bad_idempotency_key_is_refused() {
    call POST /orders "$customer" "$LATTE" "Idempotency-Key: $(head -c 300 /dev/zero | tr '\0' k)"
    [ "$(cat "$scratch/status")" = 400 ] || [ "$(cat "$scratch/status")" = 422 ]
}
every_answer_has_a_correlation_id() {
    call GET /menu '' '' 'X-Correlation-Id: my-own-id-17' >/dev/null && [ "$(header x-correlation-id)" = my-own-id-17 ] || return 1
    call GET /coffee/please >/dev/null && [ "$(header x-correlation-id)" = "$(jq -r .correlationId "$scratch/body")" ]
}

fact each_broken_rule_names_its_field ORD-02
fact fifty_one_lines_are_too_many
fact fifty_lines_with_all_that_goes_together_fit_and_long_notes_beside_do_not ORD-02
fact what_cannot_be_parsed_is_400
fact too_large_a_body_is_413
fact another_content_type_is_415
fact an_unknown_path_is_404_and_a_wrong_method_405_with_allow
fact a_bad_id_is_refused_and_an_unknown_one_404
fact no_token_or_a_bad_one_is_401_with_a_challenge
fact wrong_passwords_are_401_and_say_no_more
fact a_weak_password_and_a_taken_handle_are_told
fact a_bad_idempotency_key_is_refused
fact every_answer_has_a_correlation_id GW-06
facts_end
