// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/v4/messages.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace cb::v4 {
namespace {

using repository::BlobHead;
using repository::BlobKind;

template <typename IdType>
IdType filled(uint8_t with) {
  IdType id;
  id.bytes.fill(std::byte{with});
  return id;
}

BlobHead some_head() {
  BlobHead head;
  head.id = filled<repository::BlobId>(1);
  head.kind = BlobKind::node;
  head.session = filled<repository::SessionId>(2);
  head.children = {filled<repository::BlobId>(3), filled<repository::BlobId>(4)};
  head.stored_size = 1000;
  return head;
}

TEST(Messages, carry_heads_of_blobs_both_ways) {
  const auto put = parse<pb::Put>(encode(put_of(some_head())));
  ASSERT_TRUE(put);
  EXPECT_EQ(head_of(*put).value(), some_head());
  const auto blob = parse<pb::Blob>(encode(blob_of(some_head())));
  ASSERT_TRUE(blob);
  EXPECT_EQ(head_of(*blob).value(), some_head());
}

TEST(Messages, with_a_text_that_is_no_utf8_are_refused_without_a_word_on_stderr) {
  pb::Hello hello;
  hello.set_program("\xff\xfe");
  testing::internal::CaptureStderr();
  const Bytes bytes = encode(hello);
  const auto parsed = parse<pb::Hello>(bytes);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(parsed ? Code::internal : parsed.error().code, Code::corrupt);
}

TEST(Messages, refuse_impossible_heads) {
  const auto code_after = [](const std::function<void(pb::Put&)>& spoil) {
    pb::Put put = put_of(some_head());
    spoil(put);
    const auto head = head_of(put);
    return head ? Code::state : head.error().code;
  };
  EXPECT_EQ(code_after([](pb::Put&) {}), Code::state);
  EXPECT_EQ(code_after([](pb::Put& put) { put.set_kind(0); }), Code::corrupt);
  EXPECT_EQ(code_after([](pb::Put& put) { put.set_kind(7); }), Code::corrupt);
  EXPECT_EQ(code_after([](pb::Put& put) { put.set_kind(257); }), Code::corrupt);
  EXPECT_EQ(code_after([](pb::Put& put) { put.set_id("short"); }), Code::corrupt);
  EXPECT_EQ(code_after([](pb::Put& put) { put.set_session(""); }), Code::corrupt);
  EXPECT_EQ(code_after([](pb::Put& put) { put.set_children(std::string(33, 'x')); }),
            Code::corrupt);
  EXPECT_EQ(code_after([](pb::Put& put) {
              put.set_children(std::string((repository::kMaxChildren + 1) * 32, 'x'));
            }),
            Code::limit);
  EXPECT_EQ(code_after([](pb::Put& put) { put.set_stored_size(0); }), Code::limit);
  EXPECT_EQ(code_after([](pb::Put& put) { put.set_stored_size(repository::kMaxStored + 1); }),
            Code::limit);
}

TEST(Messages, carry_commits_both_ways) {
  repository::CommitRequest request;
  request.commit_id = filled<repository::CommitId>(1);
  request.snapshot = filled<repository::BlobId>(2);
  request.root = filled<repository::BlobId>(3);
  request.device_signature.fill(std::byte{4});
  request.source = filled<repository::KeyedHash>(5);
  request.tags = {filled<repository::KeyedHash>(6), filled<repository::KeyedHash>(7)};
  request.flags = 1;
  request.files = 2;
  request.bytes = UINT64_MAX;
  const auto back = request_of(parse<pb::Commit>(encode(message_of(request))).value());
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(encode(message_of(*back)), encode(message_of(request)));
  EXPECT_EQ(back->tags, request.tags);
  EXPECT_EQ(back->device_signature, request.device_signature);
  EXPECT_EQ(back->bytes, UINT64_MAX);
  EXPECT_FALSE(back->report);
  request.report = repository::ChangeReport{1, 2, 3, 4, 5, 6, UINT64_MAX};
  EXPECT_EQ(request_of(message_of(request))->report, request.report);

  pb::Commit many = message_of(request);
  while (many.tags_size() <= 256) many.add_tags(std::string(32, 't'));
  EXPECT_EQ(request_of(many).error().code, Code::limit);
  pb::Commit crooked = message_of(request);
  crooked.set_device_signature(std::string(63, 's'));
  EXPECT_EQ(request_of(crooked).error().code, Code::corrupt);
}

TEST(Messages, carry_answers_both_ways) {
  repository::CommitAnswer answer;
  answer.missing.assign(kIdsMax + 5, filled<repository::BlobId>(9));
  answer.receipt = to_bytes(as_bytes("receipt"));
  const auto back = answer_of(parse<pb::CommitReply>(encode(message_of(answer))).value());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->missing.size(), kIdsMax);
  EXPECT_EQ(back->receipt, answer.receipt);
  const auto counts = counts_of(message_of(repository::RemoteCounts{1, 2, 3, 4}));
  EXPECT_EQ(counts.blobs, 1U);
  EXPECT_EQ(counts.packs, 2U);
  EXPECT_EQ(counts.stored_bytes, 3U);
  EXPECT_EQ(counts.snapshots, 4U);
}

TEST(Messages, carry_errors_both_ways) {
  Error error = fail(Code::no_space, "store", "is full", "make room");
  error.retry = Retry::no;
  const Error back = error_of(parse<pb::Failure>(encode(failure_of(error, true))).value());
  EXPECT_EQ(back.code, Code::no_space);
  EXPECT_EQ(back.object, "store");
  EXPECT_EQ(back.cause, "is full");
  EXPECT_EQ(back.advice, "make room");
  EXPECT_EQ(back.retry, Retry::no);
}

TEST(Messages, take_an_unknown_code_of_a_failure_for_an_internal_one) {
  for (const int32_t code : {0, 1, -19, INT32_MIN, INT32_MAX}) {
    pb::Failure failure;
    failure.set_code(code);
    failure.set_retry(77);
    EXPECT_EQ(error_of(failure).code, Code::internal);
    EXPECT_EQ(error_of(failure).retry, Retry::unknown);
  }
}

TEST(Messages, clean_texts_of_what_a_screen_would_obey) {
  EXPECT_EQ(clean_text("pl\xc3\xa4in \xf0\x9f\x98\x80", 100), "pl\xc3\xa4in \xf0\x9f\x98\x80");
  EXPECT_EQ(clean_text("a\x1b[2Jb\n", 100), "a?[2Jb?");
  EXPECT_EQ(clean_text("\xc2\x9b"
                       "c",
                       100),
            "?c");                                                   // CSI in C1
  EXPECT_EQ(clean_text("\xff\xc0\xaf\xed\xa0\x80", 100), "??????");  // overlong, surrogate
  EXPECT_EQ(clean_text("\xf4\x90\x80\x80", 100), "????");            // beyond U+10FFFF
  EXPECT_EQ(clean_text("\xe2\x82", 100), "??");                      // cut off
  EXPECT_EQ(clean_text(std::string(100, 'x'), 10), std::string(10, 'x'));
  EXPECT_EQ(clean_text("abc\xc3\xa4", 4), "abc");
}

RC_GTEST_PROP(Messages, of_any_failure_are_read_again, ()) {
  const auto text = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const Bytes bytes = encode(failure_of(fail(Code::io, text, text, text), false));
  const auto back = parse<pb::Failure>(bytes);
  RC_ASSERT(back.has_value());  // proto3 refuses texts that are not UTF-8
  RC_ASSERT(error_of(*back).object == clean_text(text, 1024));
}

TEST(Messages, that_are_too_long_or_no_messages_are_refused) {
  pb::Have have;
  EXPECT_EQ(parse_into(have, Bytes(kFrameMax + 1)).error().code, Code::limit);
  EXPECT_EQ(parse<pb::Have>(as_bytes("\x0a\x7f")).error().code, Code::corrupt);
  EXPECT_EQ(split_ids(std::string(31, 'x'), 5).error().code, Code::corrupt);
  EXPECT_EQ(split_ids(std::string(32 * 6, 'x'), 5).error().code, Code::limit);
  EXPECT_EQ(split_ids(std::string(32 * 5, 'x'), 5).value().size(), 5U);
}

}  // namespace
}  // namespace cb::v4
