# shellcheck shell=sh
# ./everything inbox [--follow] [--password PASSWORD] HANDLE
#
# What HANDLE was told, the newest last: alerts, and the steps of Live Activities. It is read at
# GET /inbox, as a person who signs in; without a password it is that of the demonstration's
# accounts. `--follow` goes on until Ctrl-C.
set -eu
. "$ROOT/tools/stack/all.sh"

follow=0 handle='' password=coffee-demo
while [ $# -gt 0 ]; do
    case $1 in
    --follow | -f) follow=1 ;;
    --password) password=${2:?--password needs one} && shift ;;
    -*) warn "inbox: unknown option $1" && exit 2 ;;
    *) handle=$1 ;;
    esac
    shift
done
[ -n "$handle" ] || { warn "inbox: whose? ./everything inbox HANDLE" && exit 2; }
url=http://127.0.0.1:$HTTP_PORT
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# secrets go to curl by files, which no list of processes shows
sign_in() {
    jq -n --arg handle "$handle" --arg password "$password" '$ARGS.named' >"$scratch/login"
    curl -sS --max-time 10 -H 'Content-Type: application/json' -d "@$scratch/login" "$url/login" >"$scratch/answer" ||
        die "the gateway does not answer at $url" "./everything up"
    jq -er '.accessToken | strings | "header = \"Authorization: Bearer \(.)\""' "$scratch/answer" >"$scratch/curlrc" 2>/dev/null ||
        die "$handle cannot sign in: $(jq -r '.detail // .title' "$scratch/answer")" "--password"
}
fetch() { curl -s --max-time 10 -K "$scratch/curlrc" -w '%{http_code}' -o "$scratch/page" "$url/inbox?pageSize=100"; }

# Prints what was not there before.
show() {
    touch "$scratch/seen"
    jq -r --rawfile seen "$scratch/seen" '.notices | reverse[] | select(.id as $id | $seen | contains($id) | not) |
        [.id, .createdAt[0:19], .kind, .orderId[-12:],
         if .kind == "alert" then "\(.title): \(.body)" else "\(.activity): \(.stage), \(.progress) %" end] | @tsv' \
        "$scratch/page" >"$scratch/news"
    cut -f 1 "$scratch/news" >>"$scratch/seen"
    cut -f 2- "$scratch/news" | while IFS="$(printf '\t')" read -r at kind order text; do
        printf '%s  %-12s  …%s  %s\n' "$at" "$kind" "$order" "$text"
    done
}

sign_in
while :; do
    case $(fetch) in
    200) show ;;
    401) sign_in ;; # the token has run out
    000 | 503) [ "$follow" = 1 ] || die "the gateway does not answer at $url" "./everything status" ;;
    429) sleep 10 ;;
    *) die "GET /inbox: $(jq -r '.detail // .title' "$scratch/page")" ;;
    esac
    [ "$follow" = 1 ] || break
    sleep 2
done
