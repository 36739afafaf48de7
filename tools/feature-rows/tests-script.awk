# Which check of a script carries which row: an id counts for the checks named in its
# paragraph. They are known from the last run; without one, or where none is named, the
# whole script stands for them (test "*").
function note(id, block,    i, any) {
    for (i = 1; i <= checks[path]; i++)
        if (index(block, check[path, i])) { print path "\t" check[path, i] "\t" id; any = 1 }
    if (!any) print path "\t*\t" id
}
function finish_block(    rest, id) {
    rest = block
    delete seen
    while (match(rest, /[A-Z][A-Z0-9]*-[A-Z]?[0-9]+/)) {
        id = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
        if (!(id in seen)) note(id, block)
        seen[id] = 1
    }
    block = ""
}
FILENAME == RESULTS { if (NF >= 4) check[$4, ++checks[$4]] = $3; next }
FNR == 1 { finish_block(); path = FILENAME }
/^[ \t]*$/ { finish_block(); next }
{ block = block "\n" $0 }
END { finish_block() }
