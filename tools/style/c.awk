# The rules of C that need more than one line: lengths, header guards, mutable state,
# ctx first, private headers, switches over our enums. It relies on our format (functions
# begin and end in column 1), which clang-format sees to.
function begin_c() {
    begin_strip()
    c_file = FILENAME
    c_folder = FILENAME; sub(/\/[^\/]*$/, "", c_folder)
    c_name = FILENAME; sub(/^.*\//, "", c_name); sub(/\.[ch]$/, "", c_name)
    is_header = FILENAME ~ /\.h$/
    is_ours = FILENAME ~ /^(common|gateway|order-service|customer-service)\//
    seen_include = body_from = linked = by_hand = 0
    struct_open = ""
    guard = toupper(FILENAME); gsub(/[^A-Z0-9]/, "_", guard)
    guard_state = is_header ? "ifndef" : ""
    for (indent in own_switch) delete own_switch[indent]
}

function check_c(line) {
    check_top(line)
    if (line ~ /^#include/) check_include(line)
    if (line ~ /\/\/$/) complain("comment-form", FNR, "comments are /* */")
    if ($0 ~ /clang-format off/) by_hand = 1 # a table laid out by hand may be wide
    if ($0 ~ /clang-format on/) by_hand = 0
    if (!by_hand && !is_row($0) && is_long($0)) complain("line-length", FNR, "over 100 columns")
    if (is_header && guard_state != "") check_guard(line)
    if (is_header && is_ours) check_prototype(line)
    if (is_ours) check_mutable(line)
    check_function(line)
    check_switch(line)
}

# A row of a table, which clang-format aligns however wide it gets.
function is_row(line) { return line ~ /^ .*},$/ || line ~ /^ +[{[].*}$/ }

function is_long(line,    plain) {
    if (length(line) <= 100) return 0
    plain = line
    gsub(/[\200-\277]/, "", plain) # the later bytes of a UTF-8 character take no column
    return length(plain) > 100
}

# The first line is a comment that says what the file is for; a test may have its
# links line before it.
function check_top(line) {
    if (FNR == 1 && $0 !~ /^\/\* /)
        complain("file-comment", 1, "a file begins with a comment: what it is for")
    if (FNR == 2 && linked && $0 !~ /^\/\* /)
        complain("file-comment", 2, "a file begins with a comment: what it is for")
    linked = FNR == 1 && $0 ~ /^\/\* links: .*\*\/$/
}

function check_include(line,    path, folder, base, sql) {
    path = line; sub(/^#include [<"]/, "", path); sub(/[>"].*$/, "", path)
    if (!seen_include++ && FILENAME ~ /\.c$/ && ((c_folder "/" c_name ".h") in exists) &&
        path !~ "^" c_folder "/")
        complain("own-header-first", FNR, "a file includes its own header first, so that this compiles alone")
    if (!is_ours) return
    folder = path; if (!sub(/\/[^\/]*$/, "", folder)) folder = c_folder
    base = path; sub(/^.*\//, "", base)
    if (base ~ /_store\.h$/ && folder != c_folder)
        complain("store-private", FNR, "a store is private to its folder")
    if (base ~ /_sql\.h$/) {
        sql = base; sub(/_sql\.h$/, ".sql", sql)
        if (!((c_folder "/" sql) in exists))
            complain("sql-private", FNR, "the SQL of another folder")
        else if (c_folder !~ /^common\// && FILENAME !~ /_store\.c$/)
            complain("sql-private", FNR, "only a store includes SQL")
    }
}

function check_guard(line) {
    if (line !~ /^#/ && line !~ /[^ ]/) return
    if (guard_state == "ifndef") {
        if (line != "#ifndef " guard) complain("header-guard", FNR, "the guard of this header is " guard)
        guard_state = "define"
    } else {
        if (line != "#define " guard) complain("header-guard", FNR, "the guard of this header is " guard)
        guard_state = ""
    }
}

# enum status f(struct ctx *ctx, ...), or f(struct parser *parser, ...) where that has its
# ctx inside. The lists of status.h are no work that can fail.
function check_prototype(line) {
    if (line !~ /^enum status [a-z0-9_]+\(/ || FILENAME == "common/base/status.h") return
    if (line !~ /^enum status [a-z0-9_]+\((const )?struct [a-z0-9_]+ \*/ || line ~ /, (const )?struct ctx \*/)
        complain("ctx-first", FNR, "ctx is the first parameter of what can fail")
}

# State that outlives a call and can change: a table of mutable.txt names the few there are.
function check_mutable(line,    variable) {
    if (struct_open != "") {
        if (line ~ /^}/) { variable = line; sub(/^} *[*]*/, "", variable); told_mutable(variable); struct_open = "" }
        return
    }
    if (line ~ /^( *static|_Thread_local|__thread|_Atomic)/) {
        if (line ~ /^ *static inline/ || (line ~ /\(/ && line !~ /[=;].*\(/ && line !~ /\(\*/)) return
        if (line ~ /^ *static (const )?(struct|union)( [a-z_0-9]+)? \{$/) {
            if (line !~ /const/) struct_open = "static"
            return
        }
        variable = line; sub(/ *(=|;|\[).*$/, "", variable)
        if (variable ~ /\*/ ? variable ~ /\* *const / : variable ~ /(^| )const /) return
        if (line !~ /[=;]/ && line !~ /\[/) return
        sub(/^.*[ *]/, "", variable)
        told_mutable(variable)
    } else if (line ~ /^(struct|enum|int|bool|char|long|unsigned|size_t|int64_t|uint64_t|pthread_[a-z]+_t)[a-z_0-9 *]* [*]*[a-z_0-9]+( =.*|;|\[.*)$/ &&
               line !~ /\(/ && line !~ /^(struct|enum) [a-z_0-9]+;$/) {
        variable = line; sub(/ *(=|;|\[).*$/, "", variable); sub(/^.*[ *]/, "", variable)
        told_mutable(variable)
    }
}

function told_mutable(variable) {
    sub(/[^A-Za-z0-9_].*$/, "", variable)
    if (variable == "loaded" && FILENAME ~ /\/config\.c$/) return
    if ((FILENAME " " variable) in allowed) return
    complain("mutable-state", FNR, "'" variable "' is mutable and outlives its call; tools/style/mutable.txt lists the exceptions")
}

function check_function(line) {
    if (line == "{") body_from = FNR
    if (line ~ /^}/ && body_from) {
        if (FNR - body_from - 1 > 60)
            complain("function-length", body_from, "a function of " (FNR - body_from - 1) " lines; at most 60")
        body_from = 0
    }
}

# Labels stand in the column of their switch. Enumerators of ours were collected in the
# first pass, see enums.awk.
function check_switch(line,    column, label) {
    if (line !~ /^ *(switch|case|default)/) return
    match(line, /^ */); column = RLENGTH
    if (line ~ /^ *switch/) { own_switch[column] = 0; default_at[column] = 0 }
    if (line ~ /^ *case /) {
        label = line; sub(/^ *case /, "", label); sub(/:.*$/, "", label)
        if ((label in enumerator) || label ~ /^(ST|PROBLEM)_/) own_switch[column] = 1
    }
    if (line ~ /^ *default:/) default_at[column] = FNR
    if (own_switch[column] && default_at[column]) {
        complain("switch-default", default_at[column], "no default in a switch over an enum: the compiler finds the forgotten case")
        default_at[column] = 0
    }
}

FILENAME == FILES { exists[$0] = 1; next }
FILENAME == ENUMS { enumerator[$0] = 1; next }
FILENAME == MUTABLE { if ($0 !~ /^#/ && NF > 2) allowed[$1 " " $2] = 1; next }
