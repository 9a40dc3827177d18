# SPDX-License-Identifier: Apache-2.0
# Prints "file line name lines complexity" for every C or C++ function. Lambdas count for the function
# that holds them. Complexity is McCabe's: 1 + if, for, while, switch, catch, ?, &&, ||
# (a switch counts once, however many cases it lists).
# (pmccabe and its like give up at C++20 and then say nothing, which a gate must not do.)

function strip(line,   out, i, c, two, quote, close_at) {
  out = ""
  for (i = 1; i <= length(line); ++i) {
    c = substr(line, i, 1)
    two = substr(line, i, 2)
    if (raw_end != "") {
      close_at = index(substr(line, i), raw_end)
      if (close_at == 0) return out
      i += close_at + length(raw_end) - 2
      raw_end = ""
    } else if (in_comment) {
      close_at = index(substr(line, i), "*/")
      if (close_at == 0) return out
      i += close_at
      in_comment = 0
    } else if (two == "//") {
      return out
    } else if (two == "/*") {
      in_comment = 1
      ++i
    } else if (two == "R\"") {
      close_at = index(substr(line, i), "(")
      raw_end = ")" substr(line, i + 2, close_at - 3) "\""
      i += close_at - 1
    } else if (c == "\"" || (c == "'" && out !~ /[0-9a-fA-F]$/)) {
      quote = c
      for (++i; i <= length(line) && substr(line, i, 1) != quote; ++i)
        if (substr(line, i, 1) == "\\") ++i
      out = out "0"
    } else if (c != "'") {
      out = out c
    }
  }
  return out
}

function name_of(text,   at) {
  at = index(text, "(")
  text = substr(text, 1, at - 1)
  sub(/[ \t]+$/, "", text)
  sub(/^.*[ \t*&]/, "", text)
  return text == "" ? "(unnamed)" : text
}

function branches(text,   n) {
  gsub(/[^a-zA-Z0-9_?&|]+/, " ", text)
  gsub(/ /, "  ", text)
  text = " " text " "
  n = gsub(/ (if|for|while|switch|catch) /, " ", text)
  n += gsub(/\?/, " ", text)
  n += gsub(/ && /, " ", text)
  n += gsub(/\|\|/, " ", text)
  return n
}

# A brace that begins a member's initial value in a constructor, not the body.
function is_initialiser() { return pending ~ /\)[^?]* : / && pending ~ /[a-zA-Z0-9_>]$/ }

function is_function() {
  return pending ~ /\(/ && pending !~ /=[ \t]*$/ && \
         pending !~ /^[ \t]*(template[^(]*)?(namespace|class|struct|union|enum|extern)[ \t][^()]*$/
}

function open_brace() {
  ++depth
  if (function_depth == 0 && initialiser_depth == 0 && is_initialiser()) {
    initialiser_depth = depth
    kept = pending
    kept_line = pending_line
  } else if (function_depth == 0 && initialiser_depth == 0 && is_function()) {
    function_depth = depth
    function_line = pending_line ? pending_line : FNR
    function_name = name_of(pending)
    complexity = 1 + branches(pending)
  }
  pending = ""
  pending_line = 0
}

function close_brace() {
  pending = ""
  pending_line = 0
  if (depth > 0 && function_depth == depth) {
    print FILENAME, function_line, function_name, FNR - function_line + 1, complexity
    function_depth = 0
  }
  if (depth > 0 && initialiser_depth == depth) {
    pending = kept " "
    pending_line = kept_line
    initialiser_depth = 0
  }
  if (depth > 0) --depth
}

FNR == 1 {
  depth = function_depth = initialiser_depth = pending_line = in_comment = in_macro = 0
  pending = raw_end = ""
}
{
  text = strip($0)
  # Preprocessor lines, with their continuations, are no code here.
  if (in_macro || text ~ /^[ \t]*#/) {
    in_macro = $0 ~ /\\$/
    next
  }
  rest = text
  while (match(rest, /[{};]/)) {
    before = substr(rest, 1, RSTART - 1)
    mark = substr(rest, RSTART, 1)
    rest = substr(rest, RSTART + 1)
    if (function_depth) complexity += branches(before)
    if (!pending_line && before ~ /[^ \t]/) pending_line = FNR
    pending = pending before
    if (mark == "{") open_brace()
    else if (mark == "}") close_brace()
    else { pending = ""; pending_line = 0 }
  }
  if (function_depth) complexity += branches(rest)
  if (!pending_line && rest ~ /[^ \t]/) pending_line = FNR
  pending = pending rest " "
}
