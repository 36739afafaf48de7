#!/bin/sh
# The two services as a stranger sees them: grpcurl, with nothing but their addresses.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/e2e/lib/http.sh
. lib/http.sh
root=$PWD/../..
run=$TEST_STACK_RUN
grpcurl=${GRPCURL:-${XDG_CACHE_HOME:-$HOME/.cache}/everything/grpcurl-1.9.3/bin/grpcurl}
grpc() { timeout 60 "$grpcurl" -plaintext "$@" 2>&1; }
says() { grpc "$@" >"$scratch/said" && cat "$scratch/said"; }

# lists ADDRESS SERVICE...: reflection names them, and describes each with its methods
lists() {
    address=$1
    shift
    says "$address" list || return 1
    for service in "$@" grpc.health.v1.Health; do
        grep -qx "$service" "$scratch/said" || { echo "$service is not listed" && return 1; }
    done
    for service in "$@"; do
        says "$address" describe "$service" | grep -q '  rpc ' || { echo "$service is not described" && return 1; }
    done
}
the_order_services_are_listed_and_described() {
    lists "$ORDER_SERVICE_ADDR" coffee.order.v1.OrderService coffee.menu.v1.MenuService coffee.shop.v1.ShopService
}
the_customer_services_are_listed_and_described() {
    lists "$CUSTOMER_SERVICE_ADDR" coffee.customer.v1.CustomerService coffee.auth.v1.AuthService
}
a_message_is_described_with_its_fields() {
    says "$ORDER_SERVICE_ADDR" describe coffee.order.v1.PlaceOrderRequest && grep -q 'repeated .* items' "$scratch/said"
}
an_unknown_method_is_unimplemented() {
    # the other daemon's contract, so that only the server can say no
    for address in "$ORDER_SERVICE_ADDR" "$CUSTOMER_SERVICE_ADDR"; do
        other=coffee.customer.v1.CustomerService
        [ "$address" = "$ORDER_SERVICE_ADDR" ] || other=coffee.order.v1.OrderService
        grpc -import-path "$root/proto" -proto "$(proto_of $other)" -d '{}' "$address" "$other/HealthCheck" >"$scratch/said"
        grep -q 'Code: Unimplemented' "$scratch/said" || { cat "$scratch/said" && return 1; }
    done
}
proto_of() { case $1 in *Customer*) echo coffee/customer/v1/customer.proto ;; *) echo coffee/order/v1/order.proto ;; esac; }
both_say_that_they_serve() {
    for health in "$ORDER_SERVICE_ADDR coffee.order.v1.OrderService" "$CUSTOMER_SERVICE_ADDR coffee.customer.v1.CustomerService"; do
        says "${health% *}" "${health#* }/HealthCheck" | grep -q 'SERVING' || return 1
        says "${health% *}" grpc.health.v1.Health/Check | grep -q '"SERVING"' || return 1
        says -d "{\"service\":\"${health#* }\"}" "${health% *}" grpc.health.v1.Health/Check | grep -q '"SERVING"' || return 1
    done
}
a_call_without_identity_is_refused() {
    grpc -d '{}' "$ORDER_SERVICE_ADDR" coffee.order.v1.OrderService/ListQueue >"$scratch/said"
    grep -q 'Code: Unauthenticated' "$scratch/said" || { cat "$scratch/said" && return 1; }
}

# The stack's own ports are set by GRPC_PORT; without it the documents' ports are the defaults.
binary() { sed -n "s/^exec '\(.*\)'$/\1/p" "$run/$1/run"; }
the_port_comes_from_grpc_port() {
    grep -q "^export GRPC_PORT='${ORDER_SERVICE_ADDR##*:}'" "$run/order-service/run" &&
        grep -q "^export GRPC_PORT='${CUSTOMER_SERVICE_ADDR##*:}'" "$run/customer-service/run" || return 1
    [ "${ORDER_SERVICE_ADDR##*:}" != 50051 ] || return 1
    env -i "$(binary order-service)" --print-config | grep -q '^GRPC_PORT=50051' &&
        env -i "$(binary customer-service)" --print-config | grep -q '^GRPC_PORT=5005[12]'
}
every_contract_compiles() {
    mkdir "$scratch/contracts"
    find "$root/proto" -name '*.proto' | sort >"$scratch/files"
    [ "$(wc -l <"$scratch/files")" -ge 10 ] || return 1
    xargs protoc -I "$root/proto" --descriptor_set_out="$scratch/set" <"$scratch/files" &&
        xargs protoc-c -I "$root/proto" --c_out="$scratch/contracts" <"$scratch/files" &&
        [ "$(find "$scratch/contracts" -name '*.pb-c.c' | wc -l)" = "$(wc -l <"$scratch/files")" ]
}

fact every_contract_compiles GRPC-01
fact the_order_services_are_listed_and_described GRPC-01
fact the_customer_services_are_listed_and_described GRPC-01
fact a_message_is_described_with_its_fields GRPC-01
fact an_unknown_method_is_unimplemented GRPC-01
fact both_say_that_they_serve GRPC-02
fact the_port_comes_from_grpc_port GRPC-03
fact a_call_without_identity_is_refused GRPC-24
facts_end
