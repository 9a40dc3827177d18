// SPDX-License-Identifier: Apache-2.0
//
// A look into a plugin's file before anything of it runs: is it a whole shared library for this
// machine, and does it export an entry that this host speaks? The bytes are hostile. Functions are
// pure.
#pragma once

#include <string>

#include "core/base/bytes.h"

namespace cb::plugin {

// Accepts the file or tells why not. `object` names the file in messages.
//  Code::corrupt      not ELF, truncated or inconsistent
//  Code::unsupported  for another machine, or only for other majors of the plugin ABI
//  Code::invalid      a library that is no CyberBackup plugin
Status scan(ByteView file, const std::string& object);

}  // namespace cb::plugin
