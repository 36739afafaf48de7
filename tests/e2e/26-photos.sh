#!/bin/sh
# A photo of a drink: put, made small in the background, seen by anybody, shown on a lock screen. What is seen
# is opened by a decoder that is none of ours.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
problem=$(mktemp)
venv=$("$here/../../tools/venv.sh" Pillow 11.3.0 2>"$problem") || {
    echo "skip a_photo_is_seen_in_three_sizes (Pillow cannot be fetched: $(tail -n 1 "$problem"))"
    rm -f "$problem"
    exit 0
}
rm -f "$problem"
exec "$venv/bin/python" "$here/lib/photos.py"
