# SPDX-License-Identifier: Apache-2.0
#
# Turns what headers.awk prints into a C89 program that prints the layout of everything public: values
# of constants, and offset, size and type of each member. The program fails when the listed members do
# not fill their struct: then there is padding, or the list lacks a member.
# Usage: headers.awk ... | awk -f layout.awk > layout.c

BEGIN { FS = "\t" }

# Growable structs are never passed or held by value: then their size would be fixed for ever.
function pointed_to(type) {
  if (!(type in structs)) return
  print type " is used by value" > "/dev/stderr"
  failed = 1
  exit 1
}

# "const void* buf, size_t cap" without the names.
function types(parameters, count, list, i, out) {
  if (parameters == "void") return "void"
  count = split(parameters, list, /, */)
  for (i = 1; i <= count; ++i) {
    if (list[i] !~ /[ *][a-z_0-9]+$/) { print "parameter without a name: " parameters > "/dev/stderr"; failed = 1; exit 1 }
    sub(/ ?[a-z_0-9]+$/, "", list[i])
    pointed_to(list[i])
    out = out (i > 1 ? ", " : "") list[i]
  }
  return out
}

function statement(s) { body = body "  " s "\n" }

function end_struct() {
  if (open == "") return
  statement("check(\"" open "\", \"the end\", end, sizeof(" open "));")
  open = ""
}

function listed(name, type) {
  statement("check(\"" open "\", \"" name "\", end, offsetof(" open ", " name "));")
  statement("end = offsetof(" open ", " name ") + sizeof(((" open "*)0)->" name ");")
  statement("printf(\"" open "." name " @%lu +%lu " type "\\n\", (unsigned long)offsetof(" open ", " name \
            "), (unsigned long)sizeof(((" open "*)0)->" name "));")
}

$1 == "file" { end_struct(); headers = headers "#include \"cyberbackup/" $2 "\"\n" }

($1 == "define" && $4 != "" && $3 !~ /^CB_ABI_/) || $1 == "constant" {
  end_struct()
  if ($4 ~ /^"/) statement("printf(\"" $3 " = \\\"%s\\\"\\n\", " $3 ");")
  else statement("printf(\"" $3 " = %ld\\n\", (long)" $3 ");")
}

$1 == "typedef" { end_struct(); statement("printf(\"typedef " $3 " " $4 " +%lu\\n\", (unsigned long)sizeof(" $3 "));") }

$1 == "handle" { end_struct(); statement("printf(\"handle " $3 "\\n\");") }

$1 == "struct" {
  end_struct()
  open = $3
  structs[open] = 1
  statement("end = 0;")
  statement("printf(\"struct " open " +%lu\\n\", (unsigned long)sizeof(" open "));")
}

$1 == "member" { pointed_to($5); listed($4, $5) }
$1 == "function" { listed($4, $5 " (" types($6) ")") }

END {
  if (failed) exit 1
  end_struct()
  print "/* Made of the headers by layout.awk. */"
  print "#include <stddef.h>\n#include <stdio.h>\n"
  print headers
  print "static int wrong = 0;\n"
  print "static void check(const char* of, const char* what, size_t end, size_t begin) {"
  print "  if (end == begin) return;"
  print "  wrong = 1;"
  print "  fprintf(stderr, \"%s: %lu bytes before %s are padding or a member that is not listed\\n\", of,"
  print "          (unsigned long)(begin - end), what);"
  print "}\n"
  print "int main(void) {"
  print "  size_t end = 0;"
  print "  printf(\"plugin ABI %d.%d%s\\n\", CB_ABI_MAJOR, CB_ABI_MINOR, CB_ABI_DRAFT ? \" draft\" : \"\");"
  printf "%s", body
  print "  return wrong;"
  print "}"
}
