# SPDX-License-Identifier: Apache-2.0
#
# Turns what headers.awk prints into a library whose functions take pointers to each public struct, so
# that its debug information holds all of them and nothing else.
# Usage: headers.awk ... | awk -f probe.awk > probe.c

BEGIN { FS = "\t"; print "/* Made of the headers by probe.awk. */" }
$1 == "file" { print "#include \"cyberbackup/" $2 "\"" }
$1 == "struct" {
  print "void probe_" $3 "(const " $3 "* of);"
  print "void probe_" $3 "(const " $3 "* of) { (void)of; }"
}
