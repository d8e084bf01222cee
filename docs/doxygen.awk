# What Doxygen reads in place of a header. In Primer's headers one comment stands above a family of
# functions, such as the overloads of one, and behind members in one declaration: here each of them
# has it. (Of a long comment, a function below the first gets the first paragraph.) What is deleted or
# left to the compiler needs no comment, so it is left out. Line numbers stay.
/^[ \t]*\/\/\/ / {
    if (!commenting) { text = ""; whole = 0 }
    commenting = 1
    inside = 0
    line = $0
    sub(/^[ \t]*\/\/\/ /, "", line)
    if (line ~ /^ /) whole = 1          # an indented formula ends the paragraph
    if (!whole) text = text " " line
    print
    next
}
/^[ \t]*\/\//  { inside = 0; if ($0 ~ /^[ \t]*\/\/\/$/) whole = 1; print; next }
/^[ \t]*$/     { inside = 0; family = ""; commenting = 0; print; next }
/= (default|delete);$/ { commenting = 0; print ""; next }
/^ *[A-Za-z0-9:]+ [a-z_]+( = [0-9]+)?, [a-z_]+( = [0-9]+)?; *\/\/\/</ {    # two members
    type = $1
    match($0, /; *\/\/\/</)
    comment = " /**<" substr($0, RSTART + RLENGTH) " */ "
    split(substr($0, 1, RSTART - 1), members, ", ")
    print members[1] ";" comment type " " members[2] ";" comment
    next
}
{
    line = $0
    if (line ~ /^ *(struct|class|enum) /) { family = ""; text = "" }
    head = line                          # without the body, in which "=" means nothing to us
    sub(/\) ((const|noexcept|&&) )*\{.*$/, ")", head)
    if (!inside && line !~ /^ *(template|requires|return|if|for|using|friend|~[A-Za-z]+\(\)|virtual ~[A-Za-z]+\(\)) ?/ && head !~ /= [^()]*$/ &&
        match(line, /(operator *[^ (]+|operator\(\)|[A-Za-z_][A-Za-z0-9_]*)\(/)) {
        name = substr(line, RSTART, RLENGTH - 1)
        if (commenting) family = name
        else if (family != "" && line !~ /\/\/\/<| (override|final)[ ;]/)
            line = "/** " (name == family ? "" : "As `" family "`:") text " */ " line
    }
    if (line !~ /^ *(template <.*>|requires .*[^;])$/) commenting = 0
    code = $0
    sub(/ *\/\/.*/, "", code)
    inside = code !~ /[;{}:>]$/
    print line
}
# SPDX-License-Identifier: MIT
