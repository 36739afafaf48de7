# Prints `file:line path` for each of our paths between backticks and each local link.
BEGIN {
    ours = "`(common|gateway|order-service|customer-service|proto|tests|tools|docs|cmake)/[A-Za-z0-9_./-]+`"
    links = "\\]\\([A-Za-z0-9_./-]+\\)"
}
{
    rest = $0
    while (match(rest, ours "|" links)) {
        path = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        folder = FILENAME
        if (!sub(/[^\/]*$/, "", folder)) folder = ""
        if (path ~ /^\]/) path = folder substr(path, 3)
        gsub(/[`)]/, "", path)
        print FILENAME ":" FNR, path
    }
}
