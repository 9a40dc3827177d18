// SPDX-License-Identifier: Apache-2.0
//
// Is a plugin's file the one that the operator meant? Its hash against the pin, its owner and
// permissions, and those of every folder above it. Functions are pure but for looking at files.
#pragma once

#include <optional>
#include <string>

#include "core/plugin/plugin_file.h"
#include "core/plugin/registry.h"

namespace cb::plugin {

// Compares the file with the pin of plugin `id` in `options.sha256`. Code::denied, with both hashes
// and what to do, when it does not match; under Pins::warn that goes to `log` (may be null)
// instead.
Status check_pin(const PluginFile& file, const std::string& id, const LoadOptions& options,
                 log::Log* log);

// Code::denied when the file, or a folder above it, belongs to somebody else than root and this
// user, or may be written by others. A folder that others may write to is accepted when it has the
// sticky bit (/tmp): there nobody can rename or remove what is not theirs, and what lies in it on
// the way to the file is checked as well.
Status check_owner(const PluginFile& file);

}  // namespace cb::plugin
