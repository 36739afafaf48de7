# Which C test carries which row: `program TAB test TAB id` a line.
function program_of(path) {
    sub(/^tests\//, "", path); sub(/\.c$/, "", path); gsub(/[\/-]/, "_", path)
    return path
}
function note(ids,    id) {
    while (match(ids, /[A-Z][A-Z0-9]*-[A-Z]?[0-9]+/)) {
        id = substr(ids, RSTART, RLENGTH); ids = substr(ids, RSTART + RLENGTH)
        if (test != "") print program "\t" test "\t" id
        else if (at_top) top = top " " id
        else pending = pending " " id
    }
}
function comment_of(line,    at) {
    if (!in_comment) { if (!(at = index(line, "/*"))) return ""; line = substr(line, at + 2) }
    in_comment = !index(line, "*/")
    return line
}
FNR == 1 { program = program_of(FILENAME); at_top = 1; in_comment = 0; test = top = pending = "" }
/^#include/ { at_top = 0 }
{ note(comment_of($0)) }
/^START_TEST\(/ {
    test = $0; sub(/^START_TEST\(/, "", test); sub(/\).*$/, "", test)
    note(pending " " top)
    pending = ""
}
/^END_TEST/ { test = "" }
