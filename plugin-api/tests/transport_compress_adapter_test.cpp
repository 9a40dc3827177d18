// SPDX-License-Identifier: Apache-2.0
//
// The transport and compression adapters around classes that answer as they are told.
#include <gtest/gtest.h>

#include "cyberbackup/cpp/compress.hpp"
#include "cyberbackup/cpp/transport.hpp"

namespace {

namespace sdk = cyberbackup::sdk;
using In = std::span<const std::byte>;
using Out = std::span<std::byte>;

struct Wire {
  struct Stream {
    cb_status handshake() { return CB_WANT_WRITE; }
    cb_status read(Out, size_t& got) {
      got = 1;
      return CB_OK;
    }
    cb_status write(In data, size_t& took) {
      took = data.size();
      return CB_OK;
    }
    cb_status shutdown() { throw sdk::Failure(CB_E_CLOSED, "peer: gone"); }
    int fd() { throw 1; }
    cb_status info(uint32_t what, std::vector<std::byte>& out) {
      if (what != CB_INFO_PROTOCOL) return CB_E_UNSUPPORTED;
      out.assign(3, std::byte{'t'});
      return CB_OK;
    }
  };
  struct Listener {
    std::unique_ptr<Stream> accept() { return waiting ? std::make_unique<Stream>() : nullptr; }
    int fd() { return 5; }
    int port() { return 4711; }
    bool waiting = false;
  };
  std::unique_ptr<Stream> connect(const cb_endpoint&) {
    return makes ? std::make_unique<Stream>() : nullptr;
  }
  std::unique_ptr<Listener> listen(const cb_endpoint&) { return std::make_unique<Listener>(); }
  void reload() { throw sdk::Failure(CB_E_NOT_FOUND, "cert.pem"); }
  bool makes = true;
};

TEST(TransportAdapter, nobody_waiting_is_a_want) {
  Wire::Listener quiet;
  auto* listener = reinterpret_cast<cb_listener*>(&quiet);
  const cb_transport_ops& ops = sdk::transport_ops<Wire>();
  cb_stream* stream = reinterpret_cast<cb_stream*>(&quiet);
  EXPECT_EQ(ops.accept(listener, &stream, nullptr), CB_WANT_READ);
  EXPECT_EQ(stream, nullptr);
  quiet.waiting = true;
  EXPECT_EQ(ops.accept(listener, &stream, nullptr), CB_OK);
  ops.close(stream);
  EXPECT_EQ(ops.listener_fd(listener), 5);
  EXPECT_EQ(ops.listener_port(listener), 4711);
  ops.listener_close(nullptr);
}

TEST(TransportAdapter, a_stream_passes_steps_and_failures) {
  Wire::Stream object;
  auto* stream = reinterpret_cast<cb_stream*>(&object);
  const cb_transport_ops& ops = sdk::transport_ops<Wire>();
  char byte = 0;
  size_t moved = 9;
  EXPECT_EQ(ops.handshake(stream, nullptr), CB_WANT_WRITE);
  EXPECT_EQ(ops.read(stream, &byte, 0, &moved, nullptr), CB_E_INVALID);
  EXPECT_EQ(moved, 0u);
  EXPECT_EQ(ops.read(stream, &byte, 1, &moved, nullptr), CB_OK);
  EXPECT_EQ(moved, 1u);
  EXPECT_EQ(ops.write(stream, &byte, 0, &moved, nullptr), CB_E_INVALID);
  EXPECT_EQ(ops.shutdown(stream, nullptr), CB_E_CLOSED);
  EXPECT_EQ(ops.fd(stream), -1);
  ops.close(nullptr);
}

TEST(TransportAdapter, a_fact_that_does_not_fit_tells_its_length) {
  Wire::Stream object;
  auto* stream = reinterpret_cast<cb_stream*>(&object);
  const cb_transport_ops& ops = sdk::transport_ops<Wire>();
  char text[4] = "...";
  size_t len = 0;
  EXPECT_EQ(ops.info(stream, CB_INFO_PROTOCOL, text, 2, &len), CB_E_TOO_SMALL);
  EXPECT_EQ(len, 3u);
  EXPECT_STREQ(text, "...");
  EXPECT_EQ(ops.info(stream, CB_INFO_PROTOCOL, text, 3, &len), CB_OK);
  EXPECT_STREQ(text, "ttt");
  EXPECT_EQ(ops.info(stream, CB_INFO_RESUMED, text, 3, &len), CB_E_UNSUPPORTED);
  EXPECT_EQ(len, 0u);
}

TEST(TransportAdapter, no_stream_is_a_fault_and_a_root_has_no_wrap) {
  Wire wire;
  wire.makes = false;
  const cb_transport_ops& ops = sdk::transport_ops<Wire>();
  cb_endpoint endpoint{};
  cb_stream* stream = reinterpret_cast<cb_stream*>(&wire);
  EXPECT_EQ(ops.connect(reinterpret_cast<cb_instance*>(&wire), &endpoint, &stream, nullptr),
            CB_E_INTERNAL);
  EXPECT_EQ(stream, nullptr);
  EXPECT_EQ(ops.wrap, nullptr);
  EXPECT_EQ(sdk::transport_reload<Wire>()->reload(reinterpret_cast<cb_instance*>(&wire), nullptr),
            CB_E_NOT_FOUND);
}

struct Packer {
  struct Codec {
    cb_status run(cb_flow& flow, uint32_t) {
      flow.in_used = flow.in_len;
      return CB_OK;
    }
    void reset() {}
  };
  size_t bound(size_t n) { return n + 10; }
  size_t compress(In, Out) { throw sdk::Failure(CB_E_TOO_SMALL, "does not fit"); }
  size_t decompress(In, Out out) { return out.size() + 1; }
  std::unique_ptr<Codec> codec_new(uint32_t) { return std::make_unique<Codec>(); }
};

struct OneShot {
  size_t bound(size_t) { throw sdk::Failure(CB_E_LIMIT, "too large"); }
  size_t compress(In, Out) { return 0; }
  size_t decompress(In, Out) { return 0; }
};

TEST(CompressAdapter, too_little_room_is_told_the_bound) {
  Packer packer;
  auto* instance = reinterpret_cast<cb_instance*>(&packer);
  const cb_compress_ops& ops = sdk::compress_ops<Packer>();
  char out[4];
  size_t len = 0;
  EXPECT_EQ(ops.compress(instance, "abc", 3, out, 4, &len, nullptr), CB_E_TOO_SMALL);
  EXPECT_EQ(len, 13u);
  EXPECT_EQ(ops.decompress(instance, "abc", 3, out, 4, &len, nullptr), CB_E_INTERNAL);
}

TEST(CompressAdapter, a_codec_has_one_of_two_directions) {
  Packer packer;
  auto* instance = reinterpret_cast<cb_instance*>(&packer);
  const cb_compress_ops& ops = sdk::compress_ops<Packer>();
  cb_codec* codec = reinterpret_cast<cb_codec*>(&packer);
  EXPECT_EQ(ops.codec_new(instance, 3, &codec, nullptr), CB_E_INVALID);
  EXPECT_EQ(codec, nullptr);
  ASSERT_EQ(ops.codec_new(instance, CB_CODEC_COMPRESS, &codec, nullptr), CB_OK);
  cb_flow flow{};
  flow.in = "abc";
  flow.in_len = 3;
  flow.in_used = flow.out_len = 77;
  EXPECT_EQ(ops.codec_run(codec, &flow, CB_CODEC_GO, nullptr), CB_OK);
  EXPECT_EQ(flow.in_used, 3u);
  EXPECT_EQ(flow.out_len, 0u);
  EXPECT_EQ(ops.codec_reset(codec, nullptr), CB_OK);
  ops.codec_free(codec);
  ops.codec_free(nullptr);
}

TEST(CompressAdapter, a_class_without_codec_has_none_of_the_four) {
  OneShot plain;
  const cb_compress_ops& ops = sdk::compress_ops<OneShot>();
  EXPECT_EQ(ops.codec_new, nullptr);
  EXPECT_EQ(ops.codec_free, nullptr);
  size_t most = 9;
  EXPECT_EQ(ops.bound(reinterpret_cast<cb_instance*>(&plain), 1, &most), CB_E_LIMIT);
  EXPECT_EQ(most, 0u);
}

}  // namespace
