# shellcheck shell=sh
# Sourced by the image's entrypoint at the first start, when only the socket is open.
# roles.sql is the file of tools/stack/conf; passwords are files, never arguments of a pod.
roles_from=${ROLES_FROM:-/run/coffee}
psql -qAtX -v ON_ERROR_STOP=1 -U postgres -d postgres \
    -v order_owner="$(cat "$roles_from/order_owner")" \
    -v order_service="$(cat "$roles_from/order_service")" \
    -v customer_owner="$(cat "$roles_from/customer_owner")" \
    -v customer_service="$(cat "$roles_from/customer_service")" \
    -v temporal="$(cat "$roles_from/temporal")" -f /etc/postgresql/roles.sql
