// SPDX-License-Identifier: Apache-2.0
//
// Text of strangers, such as names that came from the wire, for a terminal or another program's
// page. Functions are pure.
#pragma once

#include <string>
#include <string_view>

namespace cb::report {

// Control characters (C0, DEL and C1, so every terminal escape) become '?', one for each; so do the
// characters that turn the direction of what follows, and line and paragraph separators. Bytes that
// are not UTF-8 become U+FFFD, one for each. The rest stays as it is.
std::string shown_text(std::string_view text);

// The same for what has several lines: ends of lines and tabs stay.
std::string shown_lines(std::string_view text);

}  // namespace cb::report
