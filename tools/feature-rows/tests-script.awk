# Which check of a script carries which row: an id counts for the checks named in its line, or
# else for those named in its paragraph. They are known from the last run; without one, or where
# none is named, the whole script stands for them (test "*"). Results are filed under the script
# that ran: an id in lib/one_key.py belongs to the script beside lib/ that calls lib/one_key.py.
function told(where, id, text,    i, any) {
    for (i = 1; i <= checks[where]; i++)
        if (names(text, check[where, i])) { print where "\t" check[where, i] "\t" id; any = 1 }
    return any
}
# as a whole word: one check's name may begin as another's
function names(text, word,    at, rest) {
    rest = text
    while (at = index(rest, word)) {
        if (substr(rest, at + length(word), 1) !~ /[A-Za-z0-9_]/ &&
            (at == 1 || substr(rest, at - 1, 1) !~ /[A-Za-z0-9_]/)) return 1
        rest = substr(rest, at + length(word))
    }
    return 0
}
function note(where, id, line, block) {
    if (!told(where, id, line) && !told(where, id, block)) print where "\t*\t" id
}
function note_line(path, line, block,    rest, id, i) {
    rest = line
    while (match(rest, /[A-Z][A-Z0-9]*-[A-Z]?[0-9]+/)) {
        id = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
        for (i = 1; i <= callers[path]; i++) note(caller[path, i], id, line, block)
        if (!callers[path]) note(path, id, line, block)
    }
}
function finish_block(    n, i, line) {
    n = split(block, line, "\n")
    for (i = 1; i <= n; i++) {
        if (line[i] !~ /[A-Z][A-Z0-9]*-[A-Z]?[0-9]+/) continue
        lines++; path_of[lines] = path; line_of[lines] = line[i]; block_of[lines] = block
    }
    block = ""
}
function note_call(line,    called, i) {
    if (!match(line, /lib\/[A-Za-z0-9_]+\.(py|js|sh)/)) return
    called = path
    sub(/[^\/]*$/, "", called)
    called = called substr(line, RSTART, RLENGTH)
    for (i = 1; i <= callers[called]; i++) if (caller[called, i] == path) return
    caller[called, ++callers[called]] = path
}
FILENAME == RESULTS { if (NF >= 4) check[$4, ++checks[$4]] = $3; next }
FNR == 1 { finish_block(); path = FILENAME }
!/^[ \t]*#/ && !/^[ \t]*\. / { note_call($0) } # what is only read in (. lib/x.sh) runs nothing
/^[ \t]*$/ { finish_block(); next }
{ block = block (block == "" ? "" : "\n") $0 }
END {
    finish_block()
    for (i = 1; i <= lines; i++) note_line(path_of[i], line_of[i], block_of[i])
}
