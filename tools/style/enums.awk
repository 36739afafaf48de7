# Prints every enumerator of the C files it is given.
/^ *(typedef )?enum( [a-z_0-9]+)? \{/ { in_enum = 1; line = $0; sub(/^[^{]*\{/, "", line); $0 = line }
in_enum {
    line = $0
    gsub(/\/\*.*\*\//, "", line)
    ended = sub(/\}.*$/, "", line)
    count = split(line, parts, ",")
    for (i = 1; i <= count; i++) {
        sub(/^ */, "", parts[i]); sub(/[ =].*$/, "", parts[i])
        if (parts[i] ~ /^[A-Z][A-Z0-9_]+$/) print parts[i]
    }
    if (ended) in_enum = 0
}
