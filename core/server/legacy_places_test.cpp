// SPDX-License-Identifier: Apache-2.0
#include "core/server/legacy_places.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/server/legacy_claims.h"

namespace cb::server {
namespace {

const ClientId kClient = ClientId::from_hex_text("00112233445566778899aabbccddeeff").value();

bool has(const std::vector<std::string>& places, const std::string& place) {
  return std::find(places.begin(), places.end(), place) != places.end();
}

TEST(LegacyPlaces, are_the_last_components_of_a_path_of_either_system_longest_first) {
  for (const std::string written :
       {"/srv/old/received_files/a.txt", "srv\\old\\received_files\\a.txt",
        "./srv//old/received_files/a.txt"}) {
    const auto places = places_of(written, kClient, "a.txt");
    ASSERT_GE(places.size(), 4U) << written;
    EXPECT_EQ(places[0], "srv/old/received_files/a.txt");
    EXPECT_EQ(places[2], "received_files/a.txt");
    EXPECT_EQ(places[3], "a.txt");
  }
}

TEST(LegacyPlaces, never_climb_and_never_drop_a_clients_folder) {
  for (const std::string written : {"../a.txt", "received_files/../../a.txt", "x\\..\\a.txt"})
    for (const std::string& place : places_of(written, kClient, "../../b.txt"))
      EXPECT_EQ(place.find(".."), std::string::npos) << written;
  const auto places = places_of("client_folders/" + kClient.hex() + "/a.txt", kClient, "a.txt");
  EXPECT_TRUE(has(places, kClient.hex() + "/a.txt"));
  EXPECT_FALSE(has(places, "a.txt"));
}

TEST(LegacyPlaces, include_where_servers_put_a_client_s_file) {
  const auto places = places_of("", kClient, "C:\\docs\\a.txt");
  EXPECT_TRUE(has(places, "received_files/a.txt"));
  EXPECT_TRUE(has(places, "users/" + kClient.hex() + "/a.txt"));
  EXPECT_TRUE(has(places, "files/00112233-4455-6677-8899-aabbccddeeff/a.txt"));
}

TEST(LegacyPlaces, folders_tell_their_client) {
  EXPECT_EQ(client_of_folder(kClient.hex()), kClient);
  EXPECT_EQ(client_of_folder(uuid_text(kClient)), kClient);
  EXPECT_FALSE(client_of_folder("sixteen-letters!"));
  EXPECT_FALSE(client_of_folder("received_files"));
}

TEST(SourceTime, is_read_as_old_servers_wrote_it) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t day = 1'795'392'000 * kSecond;  // 2026-11-23
  const int64_t clock = (16 * 3600 + 38 * 60 + 43) * kSecond;
  EXPECT_EQ(parse_source_time("2026-11-23T16:38:43+00:00Z"), day + clock);
  EXPECT_EQ(parse_source_time("2026-11-23 16:38:43"), day + clock);
  EXPECT_EQ(parse_source_time("2026-11-23T16:38:43.764391"), day + clock + 764'391'000);
  EXPECT_EQ(parse_source_time("2026-11-23T18:38:43+02:00"), day + clock);
  EXPECT_EQ(parse_source_time("2026-11-23T11:38:43-0500"), day + clock);
  EXPECT_EQ(parse_source_time("2026-11-23"), day);
  for (const std::string text : {"", "yesterday", "2026-13-01", "2026-02-30", "2026-11-23T25:00:00",
                                 "2026-11-23T16:38:43 EST", "1969-12-31", "9999-01-01"})
    EXPECT_FALSE(parse_source_time(text)) << text;
}

catalog::SourceRow row(bool verified, std::optional<uint64_t> size, std::string date,
                       std::optional<uint32_t> crc) {
  return {kClient, "a", "received_files/a", verified, size, std::move(date), crc};
}

TEST(Claims, take_the_checksum_from_the_row_of_the_upload_and_the_verdict_from_the_newest) {
  const auto claims = fold_rows(
      {row(false, 5, "2026-01-01T00:00:00", 11), row(true, 5, "2026-01-01T00:00:00", {}),
       row(false, 7, "2026-01-02T00:00:00", 22), row(true, 7, "2026-01-02T00:00:00", {})});
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_TRUE(claims[0].verified);
  EXPECT_EQ(claims[0].size, 7U);
  EXPECT_EQ(claims[0].crc, 22U);
  EXPECT_EQ(claims[0].date, "2026-01-02T00:00:00");
}

TEST(Claims, keep_what_is_known_when_the_newest_event_is_a_failure) {
  const auto claims =
      fold_rows({row(false, 5, "2026-01-01T00:00:00", 11), row(false, 0, "", std::nullopt)});
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_FALSE(claims[0].verified);
  EXPECT_EQ(claims[0].size, 5U);
  EXPECT_EQ(claims[0].crc, 11U);
}

TEST(Claims, are_proved_by_the_checksum_and_contradicted_by_the_size_alone) {
  LegacyClaim claim;
  EXPECT_EQ(proof_of(claim, {5, 11, 0}), ClaimProof::none);
  claim.size = 5;
  EXPECT_EQ(proof_of(claim, {5, 11, 0}), ClaimProof::none);
  EXPECT_EQ(proof_of(claim, {6, 11, 0}), ClaimProof::contradicts);
  claim.crc = 11;
  EXPECT_EQ(proof_of(claim, {5, 11, 0}), ClaimProof::agrees);
  EXPECT_EQ(proof_of(claim, {5, 12, 0}), ClaimProof::contradicts);
}

}  // namespace
}  // namespace cb::server
