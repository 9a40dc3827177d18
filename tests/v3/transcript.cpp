// SPDX-License-Identifier: Apache-2.0
#include "tests/v3/transcript.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "tests/folders.h"

namespace cb::server {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(test::data()) / "legacy" / "transcripts";

Bytes read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return to_bytes(as_bytes(text));
}

// What the server saw, where that differs from what the client sent.
Bytes direction(const fs::path& folder, const std::string& which) {
  const fs::path seen = folder / (which + ".server-side.bin");
  return read(fs::exists(seen) ? seen : folder / (which + ".bin"));
}

std::vector<ClientId> ids(const nlohmann::json& list) {
  std::vector<ClientId> result;
  for (const auto& hex : list)
    result.push_back(ClientId::from_hex_text(hex.get<std::string>()).value());
  return result;
}

}  // namespace

Transcript load_transcript(const std::string& name) {
  const fs::path folder = kFolder / name;
  const Bytes readme_bytes = read(folder / "README.md");
  const std::string readme(as_text(readme_bytes));
  Transcript result;
  result.name = name;
  result.plain = read(folder / "plain.bin");

  const Bytes key = read(folder / "priv.key");
  result.private_key = key.at(0) == std::byte{0x30} ? key : from_base64(as_text(key)).value();

  const Bytes from_client = direction(folder, "client-to-server");
  const Bytes from_server = direction(folder, "server-to-client");
  const std::regex line(R"(- (client|server) -> \w+ (\d+), offset (\d+), payload (\d+))");
  size_t client_end = 0;
  for (std::sregex_iterator it(readme.begin(), readme.end(), line), end; it != end; ++it) {
    RecordedMessage message;
    message.from_client = (*it)[1] == "client";
    message.code = static_cast<uint16_t>(std::stoul((*it)[2]));
    const Bytes& all = message.from_client ? from_client : from_server;
    const size_t offset = std::stoul((*it)[3]);
    const size_t size = std::stoul((*it)[4]) + (message.from_client ? 23U : 7U);
    // Bytes that no header counts belong to the message before them.
    if (message.from_client && offset > client_end)
      for (auto m = result.messages.rbegin(); m != result.messages.rend(); ++m)
        if (m->from_client) {
          m->bytes.insert(m->bytes.end(), all.begin() + static_cast<ptrdiff_t>(client_end),
                          all.begin() + static_cast<ptrdiff_t>(offset));
          break;
        }
    message.bytes.assign(all.begin() + static_cast<ptrdiff_t>(offset),
                         all.begin() + static_cast<ptrdiff_t>(offset + size));
    if (message.from_client) client_end = offset + size;
    result.messages.push_back(std::move(message));
  }

  const size_t begin = readme.find("```json") + 7;
  const auto facts = nlohmann::json::parse(readme.substr(begin, readme.find("```", begin) - begin));
  result.user_name = facts.at("user_name");
  result.file_name = facts.at("sent_file_path");
  result.request_ids = ids(facts.at("request_client_ids"));
  result.response_ids = ids(facts.at("response_client_ids"));
  result.plain_cksum = facts.at("plain_cksum");
  if (!facts.at("aes_keys").empty()) {
    const auto& aes = facts.at("aes_keys").at(0);
    result.sha1 = aes.at("oaep_hash") == "SHA-1";
    result.aes_key = from_hex(aes.at("aes_key_hex").get<std::string>()).value();
  }
  return result;
}

std::vector<std::string> transcript_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kFolder))
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace cb::server
