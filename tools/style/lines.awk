# Reads rules.txt, then holds each line of each file against it. The other half of
# this program is strip.awk (what of a C line is code) and c.awk (what spans lines).
function complain(rule, line, why) { print FILENAME ":" line ": " rule ": " why; found = 1 }

function read_rule(line,    word, rest) {
    if (line ~ /^(#|$)/) return
    word = line; sub(/ .*/, "", word)
    rest = substr(line, length(word) + 2)
    if (word == "rule") { rules++; name[rules] = rest; except[rules] = ""; code[rules] = ""; text[rules] = "" }
    gsub(/<</, "(^|[^A-Za-z0-9_])", rest)
    if (word == "in") where[rules] = rest
    if (word == "not") except[rules] = rest
    if (word == "code") code[rules] = rest
    if (word == "text") text[rules] = rest
    if (word == "why") why[rules] = rest
}

# Which rules hold for this file: asked once a file, not once a line.
function pick_rules(path,    i) {
    picked = 0
    for (i = 1; i <= rules; i++)
        if (path ~ where[i] && !(except[i] != "" && path ~ except[i]) && (code[i] == "" || is_c))
            pick[++picked] = i
}

FILENAME == RULES { read_rule($0); next }
FNR == 1 { is_c = FILENAME ~ /\.[ch]$/; pick_rules(FILENAME); if (is_c) begin_c() }
{
    if (is_c) stripped = strip($0)
    for (p = 1; p <= picked; p++) {
        i = pick[p]
        if (text[i] != "" ? $0 ~ text[i] : stripped ~ code[i]) complain(name[i], FNR, why[i])
    }
}
is_c { check_c(stripped) }
END { exit found }
