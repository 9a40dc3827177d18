# SPDX-License-Identifier: Apache-2.0
#
# Reads what headers.awk prints, lists what has no comment or no proper thread tag, and ends with the
# share that is documented. Fails below 100 %.
# Usage: headers.awk ... | awk -f documented.awk

BEGIN { FS = "\t" }

function called() {
  if ($1 == "member" || $1 == "function") return $2 ": " $3 "." $4
  return $2 ": " ($1 == "enum" ? "list of constants " $3 : $3)
}

function lacks(what) {
  if (!counted) ++lacking
  counted = 1
  print called() ": " what
}

{
  ++total
  counted = 0
  comment = $NF
}

comment !~ /[A-Za-z0-9]/ { lacks("no comment") }

$1 == "function" {
  tags = gsub(/\[(setup|io|blocking|any)\]/, "&", comment)
  if (comment !~ /\[(setup|io|blocking|any)\]$/ || tags != 1 + gsub(/beside \[io\]/, "&", comment))
    lacks("does not end with its one thread tag")
}

END {
  if (total == 0) { print "nothing to read"; exit 1 }
  printf "%d of %d documented (%d %%)\n", total - lacking, total, int(100 * (total - lacking) / total)
  exit lacking > 0
}
