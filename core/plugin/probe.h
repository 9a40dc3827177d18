// SPDX-License-Identifier: Apache-2.0
//
// The probe: a file that this host has not met is first loaded in a child process, so that one that
// aborts or hangs in a constructor or in init is refused instead of taking the host along. It is a
// guard against accidents, not against malice. Used by one thread at a time.
#pragma once

#include <string>
#include <string_view>

#include "core/plugin/plugin_file.h"
#include "core/plugin/registry.h"

namespace cb::plugin {

// The descriptors that the child finds its two ends at.
constexpr int kProbeFileFd = 3;
constexpr int kProbeVerdictFd = 4;

// Runs options.probe_program over the file unless its hash is known to have passed. The error is
// the child's own refusal, or Code::internal when it died and Code::timeout when it did not finish.
Status probe(const PluginFile& file, const LoadOptions& options, log::Log* log);

// The child's work: loads the module, initialises it, checks its descriptors and options, and
// undoes init.
Status try_out(PluginFile file);

// A verdict on its way through the pipe.
std::string write_verdict(const Status& verdict);
// Reads it back; false when `text` is no whole verdict.
bool read_verdict(std::string_view text, Status& verdict);

}  // namespace cb::plugin
