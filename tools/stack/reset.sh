# shellcheck shell=sh
# ./everything reset [--yes]
#
# Stops everything and deletes its data: databases, topics, workflows, logs, secrets.
# Asks first; without a terminal it needs --yes. Downloads and built tools stay.
set -eu
. "$ROOT/tools/stack/all.sh"
case ${1:-} in '') ;; --yes | -y) YES=1 ;; *) warn "reset: unknown option $1" && exit 2 ;; esac
[ -d "$RUN" ] || { say "There is nothing to delete." && exit 0; }
[ "${YES:-0}" = 1 ] || [ -t 0 ] || die "reset deletes all data in $RUN and there is no terminal to ask on" "./everything reset --yes"
confirm "Delete all data in $RUN (orders, customers, keys)?" || die "nothing was deleted"
"$ROOT/everything" down
data=$(pg_data)
for name in $(process_names); do rm -rf "${RUN:?}/$name"; done
rm -rf "$data" "$SECRETS" "$RUN/log" "$RUN/lock" "$RUN/packages-are-there" "$RUN"/supervisor.pid*
rmdir "$RUN" 2>/dev/null || :
say "Deleted. ./everything up starts from nothing."
