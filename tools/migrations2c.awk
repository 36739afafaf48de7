# Turns NNNN_name.sql files, in the order of their numbers, into one C table of migrations.
# A line '-- include common/outbox/migrations/0001_outbox.sql' stands for that file: a text
# that several daemons share is as frozen as their own once it was applied.
#
# awk -f tools/migrations2c.awk order-service/migrations/*.sql > migrations.h
function die(why) { print FILENAME ": " why > "/dev/stderr"; failed = 1; exit 1 }
function add(line) {
    gsub(/\\/, "\\\\", line)
    gsub(/"/, "\\\"", line)
    gsub(/\?/, "\\?", line)
    printf "     \"%s\\n\"\n", line
}
function include(file, line, got, any) {
    while ((got = (getline line < file)) > 0) { add(line); any = 1 }
    close(file)
    if (got < 0 || !any) die("cannot include " file)
}
function begin(    base, number) {
    base = FILENAME
    sub(/.*\//, "", base)
    sub(/\.sql$/, "", base)
    if (base !~ /^[0-9][0-9][0-9][0-9]_[a-z0-9_]+$/) die("a migration is called NNNN_name.sql")
    number = substr(base, 1, 4) + 0
    if (number <= last) die("number " number " stands after " last)
    last = number
    root = FILENAME
    if (!sub(/[^\/]+\/migrations\/[^\/]+$/, "", root)) root = ""
    if (opened) print "    },"
    opened = 1
    printf "    {%d, \"%s\",\n", number, substr(base, 6)
}
BEGIN {
    print "/* Made by tools/migrations2c.awk. */\n#include \"common/db/migrate.h\"\n"
    print "static const struct migration migrations[] __attribute__((unused)) = {"
}
FNR == 1 { begin() }
/^-- include / { include(root $3); next }
{ add($0) }
END {
    if (failed) exit 1
    if (opened) print "    },"
    print "};"
}
