#!/bin/sh
# What ./everything lint asks clang-tidy with: it finds a fault, tells it again from its cache, and
# looks anew at what changed.
# The tree itself is not asked here, `./everything lint tidy` does that before a push: on a fresh
# machine nothing is in the cache, and some 450 files at 0.2 CPU seconds, behind all the generated
# headers for a compiler that no other suite uses, would be a minute or two more of each run.
set -u
# shellcheck source=tests/style/lib/expect.sh
. "$(dirname "$0")/lib/expect.sh"
small_tree() {
    mkdir "$scratch/tree" && cd "$scratch/tree" || return
    cp "$root/.clang-tidy" .
    printf '#define LIMIT 1\n' >limit.h
    printf '#include "limit.h"\nint over(int n);\nint over(int n)\n{\n    if (n > LIMIT)\n        return 1;\n    return 0;\n}\n' >over.c
    printf '[{"directory":"%s","file":"%s/over.c","command":"clang-14 -c %s/over.c"}]' "$PWD" "$PWD" "$PWD" >compile_commands.json
}
tidy() { cd "$scratch/tree" && python3 "$root/tools/lint/tidy.py" . "$scratch/cache" '-clang-analyzer-*' over.c; }
says() { # TEXT...: it finds the fault, and says these things of it
    tidy >"$scratch/said" && return 1
    for text in braces-around-statements "$@"; do grep -qF -- "$text" "$scratch/said" || { cat "$scratch/said" && return 1; }; done
}
a_header_changed() { echo '#define OTHER 2' >>"$scratch/tree/limit.h" && says '1 files, 1 of them anew'; }
a_fault_was_mended() { sed -i 's/if (n > LIMIT)/if (n > LIMIT) {/; s/return 1;/return 1; }/' "$scratch/tree/over.c" && tidy; }
# A cmake and a ninja that know one generated file, by both of its names.
what_is_generated_is_made_also_in_a_folder_with_a_space() {
    tree="$scratch/a tree" bin=$scratch/bin
    mkdir -p "$bin" "$tree/tests/helpers" "$tree/tests/unit" "$tree/tests/integration" "$tree/common" "$tree/gateway" \
        "$tree/order-service" "$tree/customer-service" && cp -r "$root/tools" "$tree" || return
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nif [ "$3" = -t ]; then printf "%%s\\n" x.pb "$PWD/x.pb"; else printf "%%s\\n" "$@" >made; fi\n' >"$bin/ninja"
    printf '#!/bin/sh\n' | tee "$bin/python3" >"$bin/cmake"
    chmod +x "$bin"/*
    PATH=$bin:$PATH EVERYTHING_RUN=$tree/run "$tree/tools/lint.sh" tidy && printf '%s\n' -C build/clang x.pb "$tree/x.pb" | diff - "$tree/made"
}

small_tree || exit 2
expect clang_tidy_finds_a_planted_fault says '1 of them anew'
expect clang_tidy_tells_it_again_without_another_look says '0 of them anew'
expect clang_tidy_looks_again_when_a_header_changed a_header_changed
expect clang_tidy_is_quiet_once_it_is_mended a_fault_was_mended
expect what_is_generated_is_made_also_in_a_folder_with_a_space what_is_generated_is_made_also_in_a_folder_with_a_space
exit $failed
