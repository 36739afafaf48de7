# shellcheck shell=sh
# ./everything demo [--orders N]
#
# A morning rush, played on the running shop: customers order through HTTP (some with one
# tap), baristas accept, make and hand out, now and then somebody changes their mind. Each
# line is one thing that happened. 100 orders unless --orders says otherwise.
set -eu
. "$ROOT/tools/stack/all.sh"

orders=100
while [ $# -gt 0 ]; do
    case $1 in
    --orders) orders=${2:-} && shift $(($# > 1)) ;;
    *) warn "demo: unknown option $1" && exit 2 ;;
    esac
    shift
done
case $orders in '' | 0* | *[!0-9]*) warn "demo: --orders needs a number, not '$orders'" && exit 2 ;; esac
url=http://127.0.0.1:$HTTP_PORT
command -v jq >/dev/null || die "jq is missing" "./everything up installs it"
curl -sf --max-time 5 "$url/readyz" >/dev/null || die "the shop is not up" "./everything up"
play=$(mktemp -d)
trap 'rm -rf "$play"' EXIT

is_passing() { # "CODE RETRY_AFTER": time will mend it, and there is time
    [ "$(date +%s)" -lt "$patience_ends" ] || return
    case $1 in
    503* | 504*) ;;
    409*) grep -qE '"code":"(in_flight|busy)"' "$play/answer" ;;
    *) false ;;
    esac
}
api() { # METHOD PATH [TOKEN] [BODY]: asks again when the shop had no time for it, which each of these calls bears
    key=$(cat /proc/sys/kernel/random/uuid) patience_ends=$(($(date +%s) + 60))
    while :; do
        said=$(curl -s --max-time 10 -X "$1" "$url$2" ${3:+-H "Authorization: Bearer $3"} -H 'Content-Type: application/json' \
            -H "Idempotency-Key: $key" ${4:+--data "$4"} -o "$play/answer" -w '%{http_code} %header{retry-after}') || return
        case $said in 429*) ;; *) is_passing "$said" || break ;; esac
        wait_s=${said#* }
        line "the shop asks for patience: on in ${wait_s:=1} s" >&2
        sleep "$wait_s"
    done
    cat "$play/answer"
}
token() {
    api POST /login '' "{\"handle\":\"$1\",\"password\":\"coffee-demo\"}" |
        jq -re .accessToken || die "$1 cannot sign in" "./everything up with DEMO=1 makes the demo accounts"
}
line() { printf '%6.1f s  %s\n' "$(echo "$(date +%s%N) $began" | awk '{ print ($1 - $2) / 1e9 }')" "$*"; }

began=$(date +%s%N)
say "Opening the shop: five people sign in."
for who in customer customer2 barista barista2 admin; do token "$who" >"$play/$who"; done
api GET /menu | jq -r '.items[] | select(.available) | .id' >"$play/menu"
drinks=$(wc -l <"$play/menu")

# A number below $1, the same play each time.
seed=7
dice() { seed=$(((seed * 1103515245 + 12345) % 2147483648)) && rolled=$((seed / 65536 % ${1:-2})); }

order_one() { # WHO: one order, its id and number on stdout
    dice 4
    if [ "$1" = customer ] && [ "$rolled" = 0 ]; then
        api POST /orders/usual "$(cat "$play/$1")" '{}'
    else
        dice "$drinks"
        drink=$(sed -n "$((rolled + 1))p" "$play/menu")
        dice 2
        api POST /orders "$(cat "$play/$1")" "{\"items\":[{\"menuItemId\":\"$drink\",\"quantity\":$((rolled + 1))}]}"
    fi
}
move() { # WHO ID MOVE
    api POST "/orders/$2/$3" "$(cat "$play/$1")" '{}' | jq -r 'if .status and (.status | type) == "string" then .status else "refused: " + .detail end'
}
made=0 cancelled=0 failed=0
n=0
while [ $n -lt "$orders" ]; do
    n=$((n + 1))
    case $((n % 5)) in 0) who="admin" ;; 1 | 3) who=customer ;; *) who=customer2 ;; esac
    barista=barista
    [ $((n % 2)) = 0 ] || barista=barista2
    order_one "$who" >"$play/order"
    if ! id=$(jq -re .id "$play/order"); then
        failed=$((failed + 1))
        line "$who was refused: $(jq -r '.detail // .title' "$play/order")"
        continue
    fi
    text=$(jq -r '"#\(.number)  \(.items | map("\(.quantity) \(.name)") | join(", "))  \(.totalCents / 100) \(.currency)"' "$play/order")
    dice 12
    if [ "$rolled" = 0 ]; then
        line "$text  for $who: changed their mind: $(move "$who" "$id" cancel)"
        cancelled=$((cancelled + 1))
        continue
    fi
    accepted=$(move "$barista" "$id" accept)
    ready=$(move "$barista" "$id" ready)
    got=$(move "$who" "$id" pickup)
    [ "$got" = completed ] && made=$((made + 1)) || failed=$((failed + 1))
    line "$text  for $who by $barista: $accepted, $ready, $got"
done
sleep 1
say ''
say "$made orders made, $cancelled cancelled, $failed failed, in $((($(date +%s%N) - began) / 1000000000)) s."
for who in customer customer2 admin; do
    say "$who: $(api GET /customers/me/loyalty "$(cat "$play/$who")" | jq -r '"\(.points) points, \(.tier)"'), $(api GET /customers/me/stats "$(cat "$play/$who")" | jq -r '"\(.ordersCompleted) orders, \(.spentCents / 100) spent"')"
done
say "Where one of them is: ./everything order $(jq -r .number "$play/order")"
[ $failed = 0 ]
