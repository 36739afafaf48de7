# docs/FEATURES.md out of: the results of the last run, the document as it was, who carries
# which row, and the rows. See tools/features.
BEGIN { FS = "\t" }

FILENAME == RESULTS { # pass|fail|skip SUITE NAME [PROGRAM or FILE]
    split($0, part, " ")
    where = part[4]
    worse(where SUBSEP part[3], part[1])
    worse(where SUBSEP "*", part[1])
    next
}
FILENAME == BEFORE { # | id | P | state | requirement | tests |
    if (split($0, part, / \| /) >= 5 && $0 ~ /^\| [A-Z]/) {
        id = part[1]; sub(/^\| /, "", id)
        old_state[id] = part[3]
        tests = part[5]; sub(/ \|$/, "", tests)
        old_tests[id] = tests
    }
    next
}
FILENAME == CARRIED { carry($3, $1, $2); next }
/^## / { section = substr($0, 4); sections++; title[sections] = section; next }
/^#/ { next }
{
    rows++
    id_of[rows] = $1; priority[rows] = $2; requirement[rows] = $3; of_section[rows] = sections
    known[$1] = 1
    prefix = $1; sub(/-.*/, "", prefix); prefixes[prefix] = 1
}

# skip < pass < fail: one failing result is what counts
function worse(key, result) {
    if (!(key in said) || said[key] == "skip" || result == "fail") said[key] = result
}
function carry(id, where, test) {
    if ((id, where, test) in carried) return
    carried[id, where, test] = 1
    carrier[id, ++carriers[id]] = where SUBSEP test
    mentioned[id] = where
}
# A script stands for its checks: their names are known only after a run.
function name_of(key,    part) {
    split(key, part, SUBSEP)
    return part[1] ~ /\// ? part[1] : part[2]
}
function tests_of(id,    i, text, name, names, listed) {
    for (i = 1; i <= carriers[id]; i++) {
        name = name_of(carrier[id, i])
        if (name in listed) continue
        listed[name] = 1
        if (++names <= 3) text = text (names > 1 ? ", " : "") "`" name "`"
    }
    return text (names > 3 ? ", " names - 3 " more" : "")
}
function state_of(id,    i, passed, unknown) {
    if (!carriers[id]) return "no test yet"
    for (i = 1; i <= carriers[id]; i++) {
        if (said[carrier[id, i]] == "fail") return "failing"
        if (said[carrier[id, i]] == "pass") passed++
        else unknown++
    }
    if (!unknown) return "done"
    if (old_tests[id] == tests_of(id)) return old_state[id]
    return "not run"
}

END {
    for (id in mentioned) {
        prefix = id; sub(/-.*/, "", prefix)
        if ((prefix in prefixes) && !(id in known)) {
            print mentioned[id] ": features: no row is called " id > "/dev/stderr"
            exit 1
        }
    }
    for (r = 1; r <= rows; r++) {
        state[r] = state_of(id_of[r])
        count[priority[r], state[r]]++; all[priority[r]]++
        section_count[of_section[r], state[r]]++; section_all[of_section[r]]++
    }
    print "# Features\n"
    print "What the system must do, and what is known to work. Written by `tools/features` from the ids"
    print "that tests carry and the results of the last run: do not edit. *done*: every test that carries"
    print "the row's id passed; *failing*: one failed; *not run*: there is a test, and no result of it yet.\n"
    print "| | rows | done | failing | not run | no test yet |"
    print "| --- | --- | --- | --- | --- | --- |"
    for (p = 1; p <= 3; p++) print counts("P" p)
    print ""
    print "P1: the main flow and what it stands on. P2: named by the documents that it began with, food delivery and\nall (adr/0001). P3: called optional by them.\n"
    for (s = 1; s <= sections; s++) print "- " title[s] ": " section_count[s, "done"] + 0 " of " section_all[s] " done"
    for (r = 1; r <= rows; r++) {
        if (of_section[r] != of_section[r - 1]) {
            print "\n## " title[of_section[r]] "\n"
            print "| id | P | state | requirement | tests |\n| --- | --- | --- | --- | --- |"
        }
        print "| " id_of[r] " | " priority[r] " | " state[r] " | " requirement[r] " | " tests_of(id_of[r]) " |"
    }
}
function counts(p) {
    return "| " p " | " all[p] + 0 " | " count[p, "done"] + 0 " | " count[p, "failing"] + 0 " | " count[p, "not run"] + 0 " | " count[p, "no test yet"] + 0 " |"
}
