// SPDX-License-Identifier: Apache-2.0
//
// Why nobody has to notice a damage, or why there is none of its kind: texts for the table.
#pragma once

#include <string_view>

namespace cb::damage {

// There is no such damage.
constexpr std::string_view kNeverChanges = "it never changes, so there is no earlier version";
constexpr std::string_view kOneOfItsKind = "there is one of its kind";
constexpr std::string_view kPartHasNoName =
    "a part of a pack has no name and no copy of its own; see the whole pack";
constexpr std::string_view kSeeParts = "it lies in one of its parts; see these";
constexpr std::string_view kRowHasNoFile = "a row has no file of its own; see `catalog.sqlite`";
constexpr std::string_view kNotInOldState = "it is there for a short while only";

// Nobody has to notice it.
constexpr std::string_view kStrayName =
    "`check` notes it; nothing uses what the catalog does not have";
constexpr std::string_view kCatalogCounts =
    "the catalog counts, and the next start ends the change by it";
constexpr std::string_view kNobodyReads = "nobody reads it; it is kept for people";
constexpr std::string_view kOnlyWithoutCatalog =
    "it counts when the catalog is lost; then the copies are the writer's own again, until an "
    "owner's `check --read-data` opens them";
constexpr std::string_view kNextStartRemoves =
    "`check` notes it, and the next start removes a pack that no catalog knows";
constexpr std::string_view kWeak =
    "no snapshot needs one; `check --read-data` notes it, and `verify` forgets it";
constexpr std::string_view kSizeInFile = "SQLite reads as many pages as the first one says";
constexpr std::string_view kLogNotNeeded =
    "the store has the commits that the log had, and the next start takes them over";
constexpr std::string_view kOneLetter = "one letter of a message is another one";
constexpr std::string_view kLogHasIt = "the log has the event, too";
constexpr std::string_view kFirstCounts = "the first of two equal ones counts";
constexpr std::string_view kSameMeaning = "that of a server with the same listeners says the same";
constexpr std::string_view kOlderIsTrue = "an earlier version is true, too";
constexpr std::string_view kSameAccount = "that of another device of the account is as true";
constexpr std::string_view kReadAgain =
    "the history is read again; a server that was set back is not noticed this once";
constexpr std::string_view kHistoryAgain =
    "it does not end as the chain does, so it is read again and held against the chain";
constexpr std::string_view kChainIsFurther =
    "the chain goes further than the receipt, which is not asked any more";
constexpr std::string_view kMadeAnew = "the next backup reads more and makes it anew";
constexpr std::string_view kBeginsAnew = "the enrolment begins anew with the same token";
constexpr std::string_view kNextUploadAnew =
    "it counts when the catalog is lost; the client's next upload after a start writes it anew";
constexpr std::string_view kNotesMadeAnew = "the next start writes it anew";

}  // namespace cb::damage
