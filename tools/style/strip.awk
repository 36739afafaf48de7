# strip(line): a line of C without its comments, and with its strings and characters
# emptied; #include lines are kept. A // comment is told as "//" at the end.
function begin_strip() { in_comment = 0 }

function strip(line,    out, at, mark, close_at) {
    if (in_comment || line ~ /["'\/]/) {
        if (line ~ /^#include/) return line
        out = ""
        while (line != "") {
            if (in_comment) {
                close_at = index(line, "*/")
                if (!close_at) return out
                line = substr(line, close_at + 2)
                in_comment = 0
                continue
            }
            at = match(line, /\/\*|\/\/|"|'/)
            if (!at) return out line
            mark = substr(line, at, RLENGTH)
            out = out substr(line, 1, at - 1)
            line = substr(line, at + RLENGTH)
            if (mark == "/*") in_comment = 1
            else if (mark == "//") return out "//"
            else { out = out mark mark; line = after_quote(line, mark) }
        }
        return out
    }
    return line
}

# What follows the closing quote; a backslash hides the character after it.
function after_quote(line, mark,    i, c) {
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (c == "\\") i++
        else if (c == mark) return substr(line, i + 1)
    }
    return ""
}
