# Blanks comments, strings and character constants, so that patterns see code only; lines keep their numbers.
# Prints "path:line:code". -v strings=1: the strings alone.
FNR == 1 { inside = 0 }
{
    text = $0; code = ""
    while (length(text) > 0) {
        if (inside) {
            end = index(text, "*/")
            if (!end) break
            text = substr(text, end + 2); inside = 0
            continue
        }
        two = substr(text, 1, 2); one = substr(text, 1, 1)
        if (two == "/*") { inside = 1; text = substr(text, 3) }
        else if (two == "//") break
        else if (one == "\"" || one == "'") {
            for (i = 2; i <= length(text) && substr(text, i, 1) != one; i++)
                if (substr(text, i, 1) == "\\") i++
            code = code (strings ? substr(text, 1, i) " " : one one)
            text = substr(text, i + 1)
        } else { if (!strings) code = code one; text = substr(text, 2) }
    }
    print FILENAME ":" FNR ":" code
}
