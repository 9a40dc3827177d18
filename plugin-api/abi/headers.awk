# SPDX-License-Identifier: Apache-2.0
#
# Reads the public C headers and prints what they declare, one thing on a line, fields split by tabs:
#
#   file      HEADER                          the comment that begins the header
#   define    HEADER  NAME      VALUE         a macro ("" as value: not a plain constant)
#   enum      HEADER  NUMBER                  a list of constants
#   constant  HEADER  NAME      VALUE  NUMBER one of them, and the number of its list
#   typedef   HEADER  NAME      TYPE
#   handle    HEADER  NAME                    an incomplete struct
#   struct    HEADER  NAME
#   member    HEADER  STRUCT  NAME  TYPE      a number, pointer or array
#   function  HEADER  STRUCT  NAME  RETURNS  PARAMETERS
#
# and after each the comment, as the last field; the line breaks of it are \n. Everything that guards
# or documents the ABI goes by this list, so what is not understood is an error, never skipped.
# Usage: awk -f headers.awk HEADER...

BEGIN {
  for (i = 1; i < ARGC; ++i) read_header(ARGV[i])
  exit failed
}

function complain(what) {
  printf "%s:%d: %s\n", path, line, what > "/dev/stderr"
  failed = 1
  position = length(text) + 1
}

function trim(s) {
  gsub(/[ \t\n]+/, " ", s)
  sub(/^ /, "", s)
  sub(/ $/, "", s)
  return s
}

# The words of a comment; line breaks stay.
function words(comment, count, lines, i, s, out) {
  sub(/^\/\*+/, "", comment)
  sub(/\*+\/$/, "", comment)
  count = split(comment, lines, "\n")
  for (i = 1; i <= count; ++i) {
    s = lines[i]
    if (i > 1) sub(/^[ \t]*\*?/, "", s)
    sub(/[ \t]+$/, "", s)
    out = out (i > 1 ? "\\n" : "") s
  }
  gsub(/\t/, " ", out)
  while (sub(/^(\\n| )/, "", out)) continue
  while (sub(/(\\n| )$/, "", out)) continue
  return out
}

function flat(comment) {
  gsub(/\\n/, " ", comment)
  return trim(comment)
}

# Prints are kept back by one, so that a comment behind a thing still finds it.
function put(kind, rest, comment) {
  flush_item()
  item = kind "\t" header "\t" rest
  item_comment = comment
  item_line = line
}

function flush_item() {
  if (item != "") print item "\t" item_comment
  item = ""
}

function take_pending(comment) {
  comment = pending
  pending = ""
  return comment
}

function read_header(name, l, c, two) {
  path = name
  header = name
  sub(/.*\//, "", header)
  text = ""
  while ((getline l < path) > 0) text = text l "\n"
  close(path)
  if (text == "") { line = 0; complain("cannot be read or is empty"); return }
  position = 1
  line = 1
  context = "top"
  buffer = ""
  pending = ""
  comments = 0
  introduced = 0
  introduction = ""
  skipping = 0
  start_of_line = 1
  while (position <= length(text)) {
    c = substr(text, position, 1)
    two = substr(text, position, 2)
    if (c == "\n") {
      ++line
      ++position
      if (substr(text, position, 1) == "\n" && introduced) pending = ""
      start_of_line = 1
      if (buffer != "") buffer = buffer " "
    } else if (c == "#" && start_of_line) {
      read_directive()
    } else if (skipping) {
      ++position
      start_of_line = 0
    } else if (two == "/*") {
      read_comment()
    } else if (c == " " || c == "\t") {
      ++position
      if (buffer != "") buffer = buffer " "
    } else {
      start_of_line = 0
      ++position
      read_character(c)
    }
  }
  if (trim(buffer) != "" || context != "top") complain("ends in the middle of something")
  flush_item()
}

function read_comment(rest, end, comment, first_line) {
  rest = substr(text, position)
  end = index(rest, "*/")
  if (end == 0) { complain("a comment has no end"); return }
  comment = substr(rest, 1, end + 1)
  first_line = line
  line += gsub(/\n/, "\n", comment)
  position += end + 1
  comment = words(comment)
  if (!introduced) {
    if (++comments == 2) introduction = comment  # the first is the licence
    return
  }
  if (comment ~ /^---/) return
  if (context == "enum" && trim(buffer) != "") {
    inner = comment
  } else if (item != "" && item_line == first_line) {
    if (item_comment == "") item_comment = comment
  } else {
    pending = comment
  }
}

# The comment before all code is about the header.
function introduce() {
  if (!introduced) print "file\t" header "\t" introduction
  introduced = 1
}

# A line of the preprocessor, with the lines that continue it.
function read_directive(end, rest, directive, comment, parts) {
  introduce()
  directive = ""
  comment = ""
  for (;;) {
    rest = substr(text, position)
    end = index(rest, "\n")
    directive = directive substr(rest, 1, end - 1)
    position += end
    ++line
    if (directive !~ /\\$/) break
    directive = substr(directive, 1, length(directive) - 1)
  }
  start_of_line = 1
  if (match(directive, /\/\*.*\*\//)) {
    comment = words(substr(directive, RSTART, RLENGTH))
    directive = substr(directive, 1, RSTART - 1)
  }
  directive = trim(directive)
  if (directive ~ /^#(if|ifdef|ifndef)/) {
    ++depth
    if (directive ~ /__cplusplus/) { skipping = 1; skip_depth = depth }
  } else if (directive ~ /^#else/) {
    if (skipping && depth == skip_depth) skipping = 0
  } else if (directive ~ /^#endif/) {
    if (skipping && depth == skip_depth) skipping = 0
    --depth
  } else if (!skipping && directive ~ /^#define /) {
    read_define(substr(directive, 9), comment)
  } else if (!skipping && directive !~ /^#include /) {
    complain("a directive that is not known here: " directive)
  }
}

function read_define(definition, comment, name, value) {
  name = definition
  sub(/[ (].*/, "", name)
  if (name ~ /_H$/) return
  value = trim(substr(definition, length(name) + 1))
  if (value ~ /^\(/ && definition ~ /^[A-Za-z_0-9]+\(/) value = ""
  if (value ~ /__attribute__/) value = ""
  if (comment == "") comment = take_pending()
  pending = ""
  put("define", name "\t" value, comment)
  item_line = line - 1
}

function read_character(c) {
  introduce()
  if (context == "top") {
    if (c == "{") open_brace()
    else if (c == ";") end_of_declaration()
    else if (c == "}") complain("a brace too many")
    else begin_or_add(c)
  } else if (context == "enum") {
    if (c == "," || c == "}") end_of_constant()
    if (c == "}") context = "after enum"
    else if (c != ",") begin_or_add(c)
  } else if (context == "struct") {
    if (c == ";") end_of_member()
    else if (c == "}") { if (trim(buffer) != "") complain("a member has no end"); buffer = ""; context = "after struct" }
    else if (c == "{") complain("a struct or union inside a struct")
    else begin_or_add(c)
  } else if (c == ";") {
    if (context == "after struct" && trim(buffer) != owner) complain("the struct " owner " is called " trim(buffer))
    if (context == "after enum" && trim(buffer) != "") complain("an enum with a name")
    buffer = ""
    context = "top"
    pending = ""
  } else {
    buffer = buffer c
  }
}

function begin_or_add(c) {
  if (buffer == "") { comment_of = take_pending(); inner = "" }
  buffer = buffer c
}

function open_brace(declaration) {
  declaration = trim(buffer)
  buffer = ""
  if (declaration ~ /^typedef struct [a-z_0-9]+$/) {
    owner = substr(declaration, 16)
    context = "struct"
    put("struct", owner, comment_of)
    item_line = -1
  } else if (declaration == "enum") {
    context = "enum"
    put("enum", ++enums, comment_of)
    item_line = -1
  } else {
    complain("neither a struct nor a list of constants: " declaration)
  }
}

function end_of_constant(constant, value) {
  constant = trim(buffer)
  buffer = ""
  if (constant == "") return
  if (constant !~ /^[A-Z_0-9]+ = -?[0-9]+$/) { complain("a constant without a number: " constant); return }
  value = constant
  sub(/.* /, "", value)
  sub(/ =.*/, "", constant)
  put("constant", constant "\t" value "\t" enums, inner != "" ? inner : comment_of)
}

function end_of_declaration(declaration, parts, count) {
  declaration = trim(buffer)
  buffer = ""
  if (declaration ~ /^typedef struct ([a-z_0-9]+) [a-z_0-9]+$/) {
    split(declaration, parts, " ")
    if (parts[3] != parts[4]) complain("two names for one struct: " declaration)
    put("handle", parts[4], comment_of)
  } else if (declaration ~ /^typedef [a-z_0-9]+ [a-z_0-9]+$/) {
    split(declaration, parts, " ")
    put("typedef", parts[3] "\t" parts[2], comment_of)
  } else {
    complain("a declaration of an unknown kind: " declaration)
  }
}

function end_of_member(declaration, name, type) {
  declaration = trim(buffer)
  buffer = ""
  if (match(declaration, /\(\*[a-z_0-9]+\)\(/)) {
    name = substr(declaration, RSTART + 2, RLENGTH - 4)
    type = trim(substr(declaration, 1, RSTART - 1))
    sub(/.*\(\*[a-z_0-9]+\)\(/, "", declaration)
    if (declaration !~ /^[^()]*\)$/) { complain("parameters that are not plain: " name); return }
    put("function", owner "\t" name "\t" type "\t" substr(declaration, 1, length(declaration) - 1), comment_of)
  } else if (match(declaration, /[a-z_0-9]+(\[[^]]*\])?$/) && declaration !~ /[(),:]/) {
    name = substr(declaration, RSTART, RLENGTH)
    type = trim(substr(declaration, 1, RSTART - 1))
    if (match(name, /\[.*/)) { type = type substr(name, RSTART); name = substr(name, 1, RSTART - 1) }
    if (type == "") { complain("a member without a type: " name); return }
    put("member", owner "\t" name "\t" type, comment_of)
  } else {
    complain("a member of an unknown kind: " declaration)
  }
}
