# SPDX-License-Identifier: Apache-2.0
#
# Turns what headers.awk prints of one interface into its reference page in Markdown.
# Usage: headers.awk HEADER | awk -v page=store -f page.awk

BEGIN { FS = "\t" }

# A comment as running text in Markdown, its names set as code.
function prose(comment) {
  gsub(/\\n/, " ", comment)
  gsub(/ +/, " ", comment)
  gsub(/\*/, "\\*", comment)
  gsub(/</, "\\&lt;", comment)
  return comment
}

# The same for a cell of a table.
function cell(comment) {
  comment = prose(comment)
  gsub(/\|/, "\\|", comment)
  return comment
}

function tag_of(comment) {
  match(comment, /\[[a-z]+\]$/)
  return substr(comment, RSTART + 1, RLENGTH - 2)
}

function untagged(comment) {
  sub(/ *\[[a-z]+\]$/, "", comment)
  return comment
}

function first_sentence(comment, end) {
  end = match(comment, /\. [A-Z`*]/)
  return end ? substr(comment, 1, end) : comment
}

function errors_of(comment, end) {
  if (!match(comment, /Errors: /)) return ""
  comment = substr(comment, RSTART + 8)
  end = match(comment, /\. [A-Z]/)
  if (end) comment = substr(comment, 1, end - 1)
  sub(/\.$/, "", comment)
  return comment
}

# The comment that begins a header: paragraphs, numbered points, and lines set apart as they are.
function chapter(comment, count, lines, i, s, fenced, out) {
  count = split(comment, lines, /\\n/)
  for (i = 1; i <= count; ++i) {
    s = lines[i]
    if (s ~ /^     / && !fenced) { out = out "\n```\n"; fenced = 1 }
    if (s !~ /^     / && fenced) { out = out "```\n\n"; fenced = 0 }
    if (fenced) {
      sub(/^     /, "", s)
      out = out s "\n"
    } else if (s ~ /^ *[0-9]+\. /) {
      sub(/^ +/, "", s)
      out = out "\n" prose(s) "\n"
    } else {
      sub(/^ +/, "", s)
      out = out prose(s) "\n"
    }
  }
  if (fenced) out = out "```\n"
  return out
}

function value_of(value) {
  gsub(/\(|\)|uint64_t/, "", value)
  sub(/u$/, "", value)
  return value == "" ? "" : "`" value "`"
}

$1 == "file" {
  if ($2 == "version.h") versions = chapter($3)
  else { title = $2; introduction = chapter($3) }
  next
}

$1 == "define" {
  constants = constants "| `" $3 "` | " value_of($4) " | " cell($5) " |\n"
  next
}

$1 == "enum" {
  heading = first_sentence(prose($4))
  rest = substr(prose($4), length(heading) + 2)
  sub(/\.$/, "", heading)
  lists = lists "\n### " heading "\n" (rest == "" ? "" : "\n" rest "\n") "\n| constant | value | meaning |\n|---|---|---|\n"
  next
}

$1 == "constant" { lists = lists "| `" $3 "` | `" $4 "` | " cell($6) " |\n"; next }
$1 == "typedef" { handles = handles "| `" $3 "` | " cell($5) " It is an `" $4 "`. |\n"; next }
$1 == "handle" { handles = handles "| `" $3 "` | " cell($4) " |\n"; next }

$1 == "struct" {
  order[++structs] = $3
  about[$3] = prose($4)
  next
}

$1 == "member" {
  members[$3] = members[$3] "| `" $4 "` | `" $5 "` | " cell($6) " |\n"
  next
}

$1 == "function" {
  comment = $7
  gsub(/\\n/, " ", comment)
  gsub(/ +/, " ", comment)
  tag = tag_of(comment)
  comment = untagged(comment)
  functions[$3] = functions[$3] "| [`" $4 "`](#" $3 "-" $4 ") | " tag " | " cell(first_sentence(comment)) " | " \
                  cell(errors_of(comment)) " |\n"
  details[$3] = details[$3] "\n<a id=\"" $3 "-" $4 "\"></a>\n#### `" $4 "`\n\n```c\n" $5 " " $4 "(" $6 ");\n```\n\n" \
                prose(comment) " Thread rule: **" tag "**.\n"
}

END {
  print "# Reference: `" title "`\n"
  print "Made of `plugin-api/include/cyberbackup/" title "` by `scripts/plugin-api-pages`; change the header, not this"
  print "page." (page == "base" ? "" : " The conventions of [`base.h`](base.md) hold here too.") "\n"
  print introduction
  if (versions != "") print "## Version\n\n" versions
  print "## Functions and structs"
  for (i = 1; i <= structs; ++i) {
    s = order[i]
    print "\n### `" s "`\n\n" about[s]
    if (members[s] != "") print "\n| member | type | meaning |\n|---|---|---|\n" members[s]
    if (functions[s] != "") {
      print "| function | thread | what it does | errors |\n|---|---|---|---|\n" functions[s] details[s]
    }
  }
  if (handles != "") print "\n## Types\n\n| type | meaning |\n|---|---|\n" handles
  if (constants != "") print "\n## Macros\n\n| macro | value | meaning |\n|---|---|---|\n" constants
  if (lists != "") print "\n## Constants\n" lists
}
