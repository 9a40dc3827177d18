// SPDX-License-Identifier: Apache-2.0
//
// Texts that the server reads of files and commands: the told mode of the store, addresses to
// listen on, the places, times and folders that an old server wrote down.
#include <cstdlib>

#include "core/server/legacy_places.h"
#include "core/server/settings.h"
#include "core/server/store_mode.h"

using namespace cb;
using namespace cb::server;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// No place that is tried leads out of the folder.
void check_places(std::string_view text) {
  const size_t half = text.size() / 2;
  for (const std::string& place : places_of(text.substr(0, half), ClientId{}, text.substr(half))) {
    require(!place.empty() && place.front() != '/');
    require(("/" + place + "/").find("/../") == std::string::npos);
    require(folder_of(place).size() < place.size() && !name_in(place).empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto told = parse_told_mode(text)) require(*parse_told_mode(text_of(*told)) == *told);
  if (const auto address = parse_listen_address(std::string(text)))
    require(!address->first.empty() && address->first.find('[') == std::string::npos);
  if (const auto client = client_of_folder(text))
    require(client_of_folder(uuid_text(*client)) == *client);
  (void)parse_source_time(text);
  check_places(text);
  return 0;
}
