# shellcheck shell=sh
# Every part of the stack, in one place to source.
# shellcheck source=tools/stack/lib.sh
. "$ROOT/tools/stack/lib.sh"
# shellcheck source=tools/stack/settings.sh
. "$STACK/settings.sh"
# shellcheck source=tools/stack/install.sh
. "$STACK/install.sh"
# shellcheck source=tools/stack/keys.sh
. "$STACK/keys.sh"
# shellcheck source=tools/stack/go.sh
. "$STACK/go.sh"
for part in postgres valkey kafka temporal apns payment daemons; do
    # shellcheck source=/dev/null
    . "$STACK/parts/$part.sh"
done
# shellcheck source=tools/stack/processes.sh
. "$STACK/processes.sh"
