# Wraps comments that are wider than 100 columns, which clang-format leaves alone; prints
# the file. A paragraph without a wide line stays as it is, and so do lines of a sample
# (indented by two or more). A wide comment behind code moves above it.
function columns(line) { gsub(/[\200-\277]/, "", line); return length(line) }
function is_wide(line) { return length(line) > 100 && columns(line) > 100 }

# One paragraph of words, as lines below 'first' and then 'next_'; 'tail' ends the last one.
function wrap(words, first, next_, tail,    count, word, i, line, length_) {
    count = split(words, word, " ")
    line = first
    length_ = columns(first)
    for (i = 1; i <= count; i++) {
        # " */" stays with the last word
        if (length_ + columns(word[i]) + (i == count ? columns(tail) : 0) > 100) {
            sub(/ $/, "", line)
            print line
            line = next_
            length_ = columns(next_)
        }
        line = line word[i] " "
        length_ += columns(word[i]) + 1
    }
    sub(/ $/, "", line)
    print line tail
}

function body_of(line) { sub(/^ *(\/\*|\*)/, "", line); sub(/ *\*\/$/, "", line); sub(/^ /, "", line); return line }

# lines 1..n of block[], the first begins with the opening, the last ends with the close
function put_block(n,    i, k, any, words, prefix, last, wide) {
    for (i = 1; i <= n; i++) any = any || is_wide(block[i])
    if (!any) { for (i = 1; i <= n; i++) print block[i]; return }
    match(block[1], /^ */)
    indent = substr(block[1], 1, RLENGTH)
    for (i = 1; i <= n; i = k) {
        words = body_of(block[i]); wide = is_wide(block[i]); k = i + 1
        if (words ~ /^( |$|-|\|)/ && !wide) { print block[i]; continue }
        while (k <= n && body_of(block[k]) !~ /^( |$|-|\|)/) { wide = wide || is_wide(block[k]); words = words " " body_of(block[k]); k++ }
        last = k > n
        if (!wide) { for (; i < k; i++) print block[i]; continue }
        wrap(words, indent (i == 1 ? "/* " : " * "), indent " * ", last ? " */" : "")
    }
}

in_block {
    block[++size] = $0
    if ($0 ~ /\*\//) { in_block = 0; put_block(size) }
    next
}
/clang-format off/ { by_hand = 1 }
/clang-format on/ { by_hand = 0 }
by_hand { print; next }
/^ *\/\*/ && (!/\*\// || /\*\/$/) {
    size = 1
    block[1] = $0
    if ($0 ~ /\*\//) put_block(1)
    else in_block = 1
    next
}
is_wide($0) && /[^ ] +\/\* [^*]*\*\/$/ && !/^ *#/ {
    match($0, / +\/\* [^*]*\*\/$/)
    code = substr($0, 1, RSTART - 1)
    words = substr($0, RSTART); sub(/^ *\/\* /, "", words); sub(/ *\*\/$/, "", words)
    match(code, /^ */)
    indent = substr(code, 1, RLENGTH)
    wrap(words, indent "/* ", indent " * ", " */")
    print code
    next
}
{ print }
