// SPDX-License-Identifier: Apache-2.0
//
// The typed handles against tables that keep or break their interface's rules: what the suites of
// the real plugins cannot show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/log/capture.h"
#include "core/plugin/instance.h"

// What a test stream does next; one struct for all handles of these tables.
struct cb_instance {
  cb_status status = CB_OK;
  size_t count = 1;
  const cb_lower* lower = nullptr;
  std::string fact = "tcp";
  int ended = 0;
  cb_crypto_props props{};
};

namespace cb::plugin {
namespace {

using testing::HasSubstr;

cb_instance* script = nullptr;  // the instance that create hands out

cb_status create(const cb_host*, const cb_config*, cb_instance** out, cb_error*) {
  *out = script;
  return CB_OK;
}
void destroy(cb_instance*) {}

template <typename H>
H* as_handle() {
  return reinterpret_cast<H*>(script);
}

template <typename H>
void end(H*) {
  ++script->ended;
}

// --- transport ----------------------------------------------------------------------------------

cb_transport_ops transport_table() {
  cb_transport_ops ops{};
  ops.size = sizeof ops;
  ops.connect = [](cb_instance*, const cb_endpoint*, cb_stream** out, cb_error*) {
    *out = as_handle<cb_stream>();
    return cb_status{CB_OK};
  };
  ops.wrap = [](cb_instance*, const cb_endpoint*, const cb_lower* lower, cb_stream** out,
                cb_error*) {
    script->lower = lower;
    *out = as_handle<cb_stream>();
    return cb_status{CB_OK};
  };
  ops.handshake = [](cb_stream*, cb_error*) { return script->status; };
  ops.read = [](cb_stream*, void*, size_t, size_t* got, cb_error*) {
    *got = script->count;
    return script->status;
  };
  ops.write = [](cb_stream*, const void*, size_t, size_t* took, cb_error*) {
    *took = script->count;
    return script->status;
  };
  ops.shutdown = [](cb_stream*, cb_error*) { return script->status; };
  ops.fd = [](cb_stream*) { return int32_t{77}; };
  ops.info = [](cb_stream*, uint32_t, void* out, size_t cap, size_t* len) {
    *len = script->fact.size();
    if (script->status != CB_OK) return script->status;
    if (*len > cap) return cb_status{CB_E_TOO_SMALL};
    std::memcpy(out, script->fact.data(), *len);
    return cb_status{CB_OK};
  };
  ops.close = end<cb_stream>;
  return ops;
}
const cb_transport_ops kTransport = transport_table();

// A filter that hands everything to the stream below.
cb_transport_ops filter_table() {
  cb_transport_ops ops = transport_table();
  ops.read = [](cb_stream* stream, void* buf, size_t cap, size_t* got, cb_error* error) {
    const cb_lower* lower = reinterpret_cast<cb_instance*>(stream)->lower;
    return lower->read(lower->ctx, buf, cap, got, error);
  };
  ops.write = [](cb_stream* stream, const void* buf, size_t len, size_t* took, cb_error* error) {
    const cb_lower* lower = reinterpret_cast<cb_instance*>(stream)->lower;
    return lower->write(lower->ctx, buf, len, took, error);
  };
  ops.info = [](cb_stream*, uint32_t, void*, size_t, size_t*) {
    return cb_status{CB_E_UNSUPPORTED};
  };
  return ops;
}
const cb_transport_ops kFilter = filter_table();

cb_descriptor descriptor_of(const char* id, const char* interface_id, uint64_t capabilities,
                            const void* ops) {
  cb_descriptor made{};
  made.size = sizeof made;
  made.id = id;
  made.interface_id = interface_id;
  made.capabilities = capabilities;
  made.ops = ops;
  made.create = create;
  made.destroy = destroy;
  return made;
}

const cb_descriptor kRoot =
    descriptor_of("root", CB_TRANSPORT_INTERFACE, CB_TRANSPORT_ROOT, &kTransport);
const cb_descriptor kLayer =
    descriptor_of("layer", CB_TRANSPORT_INTERFACE, CB_TRANSPORT_FILTER, &kFilter);

class Handles : public testing::Test {
 protected:
  std::shared_ptr<Instance> instance_of(const cb_descriptor& descriptor, cb_instance& behaviour) {
    script = &behaviour;
    HostServices services;
    services.log = &log_;
    auto made = Instance::make(descriptor, {}, {}, services, nullptr);
    return made ? *made : nullptr;
  }

  std::unique_ptr<Stream> stream() {
    root_ = instance_of(kRoot, behaviour_);
    auto made = Transport(root_).connect({});
    return made ? std::move(*made) : nullptr;
  }

  // A layer above stream(); `behaviour_` then tells what the stream below does.
  std::unique_ptr<Stream> layered() {
    auto below = stream();
    layer_ = instance_of(kLayer, layer_behaviour_);
    auto made = Transport(layer_).wrap({}, std::move(below));
    script = &behaviour_;
    return made ? std::move(*made) : nullptr;
  }

  log::Capture log_;
  cb_instance behaviour_, layer_behaviour_;
  std::shared_ptr<Instance> root_, layer_;
  Bytes buffer_ = Bytes(8);
};

TEST_F(Handles, wants_and_the_end_come_through) {
  const auto s = stream();
  EXPECT_EQ(s->read(buffer_)->bytes, 1U);
  behaviour_.status = CB_WANT_WRITE;
  EXPECT_EQ(s->read(buffer_)->step, IoStep::want_write);
  EXPECT_EQ(s->handshake().value(), IoStep::want_write);
  behaviour_.status = CB_END;
  EXPECT_EQ(s->read(buffer_)->step, IoStep::end);
  EXPECT_EQ(s->fd(), 77);
  EXPECT_FALSE(root_->quarantined());
  EXPECT_EQ(s->write(buffer_).error().code, Code::internal) << "a write has no end";
  EXPECT_TRUE(root_->quarantined());
}

TEST_F(Handles, no_bytes_with_ok_quarantines) {
  const auto s = stream();
  behaviour_.count = 0;
  EXPECT_THAT(s->read(buffer_).error().cause, HasSubstr("read returned OK without any bytes"));
  EXPECT_TRUE(root_->quarantined());
}

TEST_F(Handles, more_bytes_taken_than_offered_quarantines) {
  const auto s = stream();
  behaviour_.count = 9;
  EXPECT_THAT(s->write(buffer_).error().cause, HasSubstr("length of 9 for a buffer of 8"));
  EXPECT_TRUE(root_->quarantined());
}

TEST_F(Handles, nothing_to_move_does_not_enter_the_plugin) {
  const auto s = stream();
  behaviour_.count = 0;
  EXPECT_EQ(s->read({})->bytes, 0U);
  EXPECT_EQ(s->write({})->bytes, 0U);
  EXPECT_FALSE(root_->quarantined());
}

TEST_F(Handles, a_long_fact_is_asked_for_again) {
  const auto s = stream();
  behaviour_.fact = std::string(1000, 'x');
  EXPECT_EQ(s->info(CB_INFO_PEER_SUBJECT)->size(), 1000U);
}

TEST_F(Handles, a_channel_binding_of_another_length_quarantines) {
  const auto s = stream();
  EXPECT_THAT(s->info(CB_INFO_CHANNEL_BINDING).error().cause, HasSubstr("3 bytes for fact 4"));
  EXPECT_TRUE(root_->quarantined());
}

TEST_F(Handles, a_layer_reaches_the_stream_below_and_is_closed_first) {
  auto s = layered();
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(s->read(buffer_)->bytes, 1U);
  behaviour_.status = CB_WANT_READ;
  EXPECT_EQ(s->write(buffer_)->step, IoStep::want_read);
  behaviour_.status = CB_OK;
  EXPECT_EQ(as_text(s->info(CB_INFO_PROTOCOL).value()), "tcp");
  EXPECT_EQ(layer_behaviour_.lower->fd, 77);
  EXPECT_EQ(s->capabilities(), CB_TRANSPORT_ROOT | CB_TRANSPORT_FILTER);
  s.reset();
  EXPECT_EQ(behaviour_.ended, 2);
}

TEST_F(Handles, a_layer_that_moves_no_bytes_below_is_told_so) {
  const auto s = layered();
  const cb_lower* lower = layer_behaviour_.lower;
  size_t moved = 0;
  EXPECT_EQ(lower->read(lower->ctx, nullptr, 0, &moved, nullptr), CB_E_INVALID);
  EXPECT_EQ(lower->write(lower->ctx, nullptr, 0, &moved, nullptr), CB_E_INVALID);
  EXPECT_FALSE(root_->quarantined() || layer_->quarantined());
}

TEST_F(Handles, a_failure_below_a_layer_keeps_its_code_and_names_both) {
  const auto s = layered();
  behaviour_.status = CB_E_CLOSED;
  const auto done = s->read(buffer_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::closed);
  EXPECT_EQ(done.error().text(), "layer: root: read: the peer is gone");
  EXPECT_FALSE(root_->quarantined() || layer_->quarantined());
}

TEST_F(Handles, a_fault_below_a_layer_is_not_the_fault_of_the_layer) {
  const auto s = layered();
  behaviour_.count = 1000;
  EXPECT_EQ(s->read(buffer_).error().code, Code::internal);
  EXPECT_TRUE(root_->quarantined());
  EXPECT_FALSE(layer_->quarantined());
  EXPECT_EQ(s->read(buffer_).error().code, Code::state);
}

TEST_F(Handles, roots_and_filters_are_not_mixed_up) {
  const auto root = Transport(instance_of(kRoot, behaviour_));
  EXPECT_EQ(root.wrap({}, nullptr).error().code, Code::unsupported);
  EXPECT_EQ(root.listen({}).error().code, Code::unsupported);
  EXPECT_EQ(root.reload().error().code, Code::unsupported);
  const auto layer = Transport(instance_of(kLayer, layer_behaviour_));
  EXPECT_EQ(layer.connect({}).error().code, Code::unsupported);
}

// --- compress -----------------------------------------------------------------------------------

cb_compress_ops compress_table() {
  cb_compress_ops ops{};
  ops.size = sizeof ops;
  ops.compress = [](cb_instance*, const void*, size_t, void*, size_t, size_t* len, cb_error*) {
    *len = script->count;
    return script->status;
  };
  ops.codec_new = [](cb_instance*, uint32_t, cb_codec** out, cb_error*) {
    *out = as_handle<cb_codec>();
    return cb_status{CB_OK};
  };
  ops.codec_run = [](cb_codec*, cb_flow* flow, uint32_t, cb_error*) {
    flow->in_used = script->count;
    flow->out_len = 0;
    return script->status;
  };
  ops.codec_free = end<cb_codec>;
  return ops;
}
const cb_compress_ops kCompress = compress_table();
const cb_descriptor kZip =
    descriptor_of("zip", CB_COMPRESS_INTERFACE, CB_COMPRESS_STREAM, &kCompress);

TEST_F(Handles, a_codec_that_says_ok_with_input_left_quarantines) {
  const auto instance = instance_of(kZip, behaviour_);
  auto codec = Compress(instance).codec(CB_CODEC_COMPRESS);
  ASSERT_TRUE(codec);
  behaviour_.status = CB_MORE;
  EXPECT_EQ(codec->run(buffer_, buffer_, CB_CODEC_GO)->step, CodecStep::more);
  behaviour_.status = CB_OK;
  EXPECT_THAT(codec->run(buffer_, buffer_, CB_CODEC_GO).error().cause, HasSubstr("input left"));
  EXPECT_TRUE(instance->quarantined());
}

TEST_F(Handles, a_compressor_that_claims_more_than_the_room_quarantines) {
  const auto instance = instance_of(kZip, behaviour_);
  behaviour_.count = 9;
  EXPECT_EQ(Compress(instance).compress(buffer_, buffer_).error().code, Code::internal);
  EXPECT_TRUE(instance->quarantined());
}

// --- crypto -------------------------------------------------------------------------------------

cb_crypto_ops crypto_table() {
  cb_crypto_ops ops{};
  ops.size = sizeof ops;
  ops.props = [](cb_instance* instance, cb_crypto_props* out) {
    *out = instance->props;
    return cb_status{CB_OK};
  };
  ops.key_import = [](cb_instance*, const void*, size_t, cb_key** out, cb_error*) {
    *out = as_handle<cb_key>();
    return cb_status{CB_OK};
  };
  ops.key_free = end<cb_key>;
  ops.seal_begin = [](cb_key*, const void*, size_t, void*, size_t, size_t* len, cb_seal** out,
                      cb_error*) {
    *len = script->count;
    *out = as_handle<cb_seal>();
    return cb_status{CB_OK};
  };
  ops.seal_free = end<cb_seal>;
  ops.key_wrap = [](cb_key*, cb_key*, void*, size_t, size_t* len, cb_error*) {
    *len = script->count;
    return cb_status{CB_OK};
  };
  ops.key_derive = [](cb_key*, const char*, const void*, size_t, cb_key** out, cb_error*) {
    *out = as_handle<cb_key>();
    return cb_status{CB_OK};
  };
  return ops;
}
const cb_crypto_ops kCrypto = crypto_table();
const cb_descriptor kSuite =
    descriptor_of("suite", CB_CRYPTO_INTERFACE, CB_CRYPTO_STREAM | CB_CRYPTO_KEY_WRAP, &kCrypto);
const cb_descriptor kDeriver =
    descriptor_of("deriver", CB_CRYPTO_INTERFACE, CB_CRYPTO_KEY_DERIVE, &kCrypto);

TEST_F(Handles, sizes_beyond_reason_quarantine_before_memory_is_taken) {
  const auto instance = instance_of(kSuite, behaviour_);
  behaviour_.props.chunk_plain = 65536;
  EXPECT_TRUE(Crypto(instance).props());
  behaviour_.props.wrap_max = 0xffffffff;
  EXPECT_EQ(Crypto(instance).props().error().code, Code::internal);
  EXPECT_TRUE(instance->quarantined());
}

TEST_F(Handles, a_header_of_another_size_than_promised_quarantines_and_ends_the_seal) {
  const auto instance = instance_of(kSuite, behaviour_);
  behaviour_.props.chunk_plain = 65536;
  behaviour_.props.header_size = 24;
  behaviour_.count = 23;
  {
    const auto key = Crypto(instance).import_key(buffer_);
    ASSERT_TRUE(key);
    EXPECT_THAT(key->seal({}).error().cause, HasSubstr("23 bytes, not of the 24"));
  }
  EXPECT_TRUE(instance->quarantined());
  EXPECT_EQ(behaviour_.ended, 2) << "seal and key";
}

TEST_F(Handles, a_key_of_another_instance_never_reaches_the_plugin) {
  const auto first = Crypto(instance_of(kSuite, behaviour_)).import_key(buffer_);
  const auto second = Crypto(instance_of(kSuite, behaviour_)).import_key(buffer_);
  EXPECT_EQ(first->wrap(*second).error().code, Code::invalid);
}

TEST_F(Handles, derivation_is_claimed_apart_from_wrapping) {
  const auto wraps = Crypto(instance_of(kSuite, behaviour_)).import_key(buffer_);
  EXPECT_EQ(wraps->derive("label", {}).error().code, Code::unsupported);
  const auto derives = Crypto(instance_of(kDeriver, behaviour_)).import_key(buffer_);
  EXPECT_TRUE(derives->derive("label", {}));
  EXPECT_EQ(derives->wrap(*derives).error().code, Code::unsupported);
}

TEST_F(Handles, what_a_suite_does_not_claim_is_not_called) {
  const auto instance = instance_of(kSuite, behaviour_);
  EXPECT_EQ(Crypto(instance).pair_new().error().code, Code::unsupported);
  EXPECT_EQ(Crypto(instance).import_key(buffer_)->id_of(buffer_).error().code, Code::unsupported);
}

}  // namespace
}  // namespace cb::plugin
