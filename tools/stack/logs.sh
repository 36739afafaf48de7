# shellcheck shell=sh
# ./everything logs [NAME...] [-f] [-n LINES] [--order ID]
#
# The logs of all processes, or of those named, each line with its process in front.
#
#   -f           follow
#   -n LINES     how many of each (20)
#   --order ID   every line of the daemons about that order, by time: lines that hold its
#                id, and lines of the same requests (trace ids)
set -eu
. "$ROOT/tools/stack/all.sh"

names='' follow='' lines=20 order=''
while [ $# -gt 0 ]; do
    case $1 in
    -f | --follow) follow=-f ;;
    -n) lines=${2:?-n needs a number} && shift ;;
    --order) order=${2:?--order needs an id} && shift ;;
    --order=*) order=${1#*=} ;;
    -*) warn "logs: unknown option $1" && exit 2 ;;
    *) is_process "$1" || { warn "logs: no process is called $1; there are: $(process_list)" && exit 2; }
        names="$names $1" ;;
    esac
    shift
done
names=${names:-$(process_names)}

files=''
for name in $names; do
    [ ! -f "$RUN/$name/log" ] || files="$files $name/log"
done
[ -n "$files" ] || die "there are no logs in $RUN" "./everything up"
cd "$RUN"

if [ -n "$order" ]; then
    for name in $names; do
        [ ! -f "$RUN/$name/log.1" ] || files="$files $name/log.1"
    done
    traces=$(mktemp)
    trap 'rm -f "$traces"' EXIT
    # shellcheck disable=SC2086
    { echo "$order" && grep -hF -- "$order" $files | sed -n 's/.*"trace_id":"\([0-9a-f]\{32\}\)".*/\1/p'; } | sort -u >"$traces"
    # "at" comes first on each line and sorts as text
    # shellcheck disable=SC2086
    grep -hF -f "$traces" $files | sort -u
    exit 0
fi

# One tail for all; its headings become the name in front of each line.
# shellcheck disable=SC2086
tail -v -n "$lines" $follow $files | awk '
    /^==> .*\/log <==$/ { name = $2; sub(/\/log$/, "", name); next }
    $0 != "" { printf "%-17s %s\n", name, $0; fflush() }'
