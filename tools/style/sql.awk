# Every table in SQL is written with its schema. A word after FROM, JOIN, INTO, UPDATE,
# TABLE, REFERENCES or ON (of an index or trigger) must have a dot, unless it is a name
# that a WITH of the same statement made, a system table, a function, or SQL's own grammar. And
# a module's statements name its own schema: `order` or `orders` for the folder order/, with
# what each use case may write beside, and the exceptions of schemas.txt.
function complain(line, why, rule) { print FILENAME ":" line ": " (rule == "" ? "sql-schema" : rule) ": " why; found = 1 }

function check_schema(table, line,    schema, module) {
    if (FILENAME !~ /^(order|customer)-service\// || FILENAME ~ /\/migrations\//) return
    schema = table; sub(/\..*/, "", schema)
    module = FILENAME; sub(/\/[^\/]*$/, "", module)
    if ((module " " schema) in allowed) return
    sub(/^.*\//, "", module)
    if (schema != module && schema != module "s" && schema !~ /^(outbox|idempotency|jobs)$/)
        complain(line, "'" table "' is of another module: ask it through its header", "sql-own-schema")
}

function begin_statement() { parts = 0 }

# Strings go, so that their words are no SQL; $$ bodies stay, they are SQL.
function add_tokens(line,    word) {
    sub(/--.*$/, "", line)
    gsub(/'[^']*'/, "''", line)
    while (match(line, /[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?|[(),;=]/)) {
        word = substr(line, RSTART, RLENGTH)
        line = substr(line, RSTART + RLENGTH)
        token[++parts] = word
        at_line[parts] = FNR
        if (word == ";") { check_statement(); begin_statement() }
    }
}

function upper(i) { return i >= 1 && i <= parts ? toupper(token[i]) : "" }

function check_statement(    i, k, verb, made) {
    for (i in local) delete local[i]
    for (i = 1; i <= parts; i++) # name AS ( : made by WITH
        if (upper(i + 1) == "AS" && (token[i + 2] == "(" || upper(i + 2) ~ /^(NOT|MATERIALIZED)$/)) local[token[i]] = 1
        else if (token[i + 1] == "(" && (upper(i - 1) == "WITH" || upper(i - 1) == "RECURSIVE" || token[i - 1] == ",") && is_with_columns(i)) local[token[i]] = 1
    for (i = 1; i < parts; i++) {
        verb = upper(i)
        if (verb !~ /^(FROM|JOIN|INTO|UPDATE|TABLE|REFERENCES)$/) continue
        if (is_grammar(i, verb)) continue
        k = i + 1
        while (upper(k) ~ /^(ONLY|IF|NOT|EXISTS|LATERAL)$/) k++
        if (token[k] ~ /\./) { check_schema(token[k], at_line[k]); continue }
        if (token[k] == "(" || token[k] ~ /^pg_/ || (token[k] in local) || token[k + 1] == "(" && verb ~ /^(FROM|JOIN)$/) continue
        complain(at_line[k], "'" token[k] "' has no schema")
    }
}

# WITH x(a, b) AS (
function is_with_columns(i,    k) {
    for (k = i + 2; k <= parts && token[k] != ")"; k++) if (token[k] == "(") return 0
    return upper(k + 1) == "AS"
}

function is_grammar(i, verb,    k, depth) {
    if (verb == "UPDATE") return upper(i - 1) ~ /^(DO|FOR|KEY|ON|BEFORE|AFTER|OR|GRANT)$/ || token[i - 1] == "," || upper(i + 1) ~ /^(SET|OF|ON|OR|SKIP|NOWAIT|CASCADE)$/ || token[i + 1] ~ /^[,;)]$/
    if (verb == "INTO") return upper(i - 1) != "INSERT" && upper(i - 1) != "MERGE"
    if (verb == "TABLE") return upper(i - 1) ~ /^(ON|RETURNS)$/ || token[i + 1] == "("
    if (verb == "FROM") {
        if (upper(i - 1) ~ /^(DISTINCT|BOTH|LEADING|TRAILING)$/) return 1
        if (upper(i + 1) ~ /^(PUBLIC|CURRENT_USER)$/) return 1 # REVOKE ... FROM
        for (k = i - 1; k > 0 && depth <= 0; k--) { # extract(epoch FROM x)
            if (token[k] == ")") depth--
            if (token[k] == "(") depth++
        }
        return upper(k) ~ /^(EXTRACT|SUBSTRING|TRIM|OVERLAY|POSITION)$/
    }
    return 0
}

FILENAME == SCHEMAS { if ($0 !~ /^#/) allowed[$1 " " $2] = 1; next }
FNR == 1 { begin_statement() }
{ add_tokens($0) }
END { exit found }
