#!/bin/sh
# What ./everything secrets made, as the Secrets that the manifests name, on stdout:
#   k8s/secrets.sh | kubectl apply -f -
#   k8s/secrets.sh --apns AuthKey_ABC.p8 | kubectl apply -f -     Apple's key too (components/apns)
# Each pod gets the few files that it needs. Nothing is written to disk; never commit it.
set -eu
apns=''
[ "${1:-}" != --apns ] || { apns=${2:?--apns needs the .p8 file from Apple} && shift 2; }
from=${1:-$(dirname "$0")/../.run/secrets}
[ -s "$from/identity.keys" ] || { echo "no keys in $from: ./everything secrets makes them" >&2 && exit 1; }

secret() { # NAME FILE...
    name=$1
    shift
    for file in "$@"; do
        set -- "$@" "--from-file=$from/$file"
        shift
    done
    echo ---
    kubectl create secret generic "$name" --namespace everything --dry-run=client -o yaml "$@"
}

secret postgres postgres order_owner order_service customer_owner customer_service temporal
secret valkey valkey_admin valkey_server valkey_order valkey_customer
secret temporal temporal
secret server valkey_server identity.keys
secret order-service order_service valkey_order identity.keys page-token.key
secret order-service-owner order_owner
secret customer-service customer_service valkey_customer identity.keys vapid.pem
secret customer-service-owner customer_owner
set -- jwt/current.pem jwt/next.pem
[ ! -s "$from/jwt/previous.pem" ] || set -- "$@" jwt/previous.pem
secret customer-service-jwt "$@"
[ -z "$apns" ] || {
    echo ---
    kubectl create secret generic customer-service-apns --namespace everything --dry-run=client -o yaml \
        "--from-file=apns.p8=$apns"
}
