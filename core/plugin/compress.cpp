// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/compress.h"

#include <utility>

#include "core/plugin/handle.h"

namespace cb::plugin {
namespace {

constexpr Function kBound{"bound", Tag::any};
constexpr Function kCompress{"compress", Tag::any};
constexpr Function kDecompress{"decompress", Tag::any};
constexpr Function kCodecNew{"codec_new", Tag::any};
constexpr Function kCodecRun{"codec_run", Tag::any, kMayEnd | kMayMore};
constexpr Function kCodecReset{"codec_reset", Tag::any};
constexpr Function kCodecFree{"codec_free", Tag::any};

const cb_compress_ops& compress_of(const std::shared_ptr<Instance>& instance) {
  return instance->ops<cb_compress_ops>();
}

}  // namespace

Codec::Codec(std::shared_ptr<Instance> instance, cb_codec* handle)
    : instance_(std::move(instance)), handle_(handle) {}
Codec::Codec(Codec&& other) noexcept
    : instance_(std::move(other.instance_)), handle_(std::exchange(other.handle_, nullptr)) {}
Codec& Codec::operator=(Codec&& other) noexcept {
  std::swap(instance_, other.instance_);
  std::swap(handle_, other.handle_);
  return *this;
}
Codec::~Codec() {
  if (handle_ != nullptr)
    instance_->gate().end(kCodecFree, compress_of(instance_).codec_free, handle_);
}

Result<CodecRun> Codec::run(ByteView in, ByteSpan out, uint32_t op) {
  cb_flow flow{};
  flow.size = sizeof flow;
  flow.in = data_of(in);
  flow.in_len = in.size();
  flow.out = data_of(out);
  flow.out_cap = out.size();
  CB_ASSIGN(
      const cb_status status,
      instance_->gate().call(kCodecRun, compress_of(instance_).codec_run, handle_, &flow, op));
  CodecRun run;
  CB_ASSIGN(run.used, within(*instance_, kCodecRun, flow.in_used, in.size()));
  CB_ASSIGN(run.written, within(*instance_, kCodecRun, flow.out_len, out.size()));
  if (status == CB_END) run.step = CodecStep::end;
  if (status == CB_MORE) run.step = CodecStep::more;
  if (status == CB_OK && run.used != in.size())
    return failed(instance_->gate().violation(kCodecRun, "returned OK with input left"));
  return run;
}

Status Codec::reset() {
  CB_TRY(instance_->gate().call(kCodecReset, compress_of(instance_).codec_reset, handle_));
  return {};
}

Compress::Compress(std::shared_ptr<Instance> instance) : instance_(std::move(instance)) {}

uint64_t Compress::capabilities() const { return instance_->capabilities(); }

Result<size_t> Compress::bound(size_t plain_size) const {
  size_t bound = 0;
  CB_TRY(instance_->gate().call(kBound, compress_of(instance_).bound, instance_->handle(),
                                plain_size, &bound));
  return bound;
}

Result<size_t> Compress::compress(ByteView plain, ByteSpan out) const {
  size_t written = 0;
  CB_TRY(instance_->gate().call(kCompress, compress_of(instance_).compress, instance_->handle(),
                                data_of(plain), plain.size(), data_of(out), out.size(), &written));
  return within(*instance_, kCompress, written, out.size());
}

Result<size_t> Compress::decompress(ByteView packed, ByteSpan out) const {
  size_t written = 0;
  CB_TRY(instance_->gate().call(kDecompress, compress_of(instance_).decompress, instance_->handle(),
                                data_of(packed), packed.size(), data_of(out), out.size(),
                                &written));
  return within(*instance_, kDecompress, written, out.size());
}

Result<Codec> Compress::codec(uint32_t direction) const {
  if ((capabilities() & CB_COMPRESS_STREAM) == 0)
    return not_offered(*instance_, "compression as a stream");
  cb_codec* handle = nullptr;
  const auto status = instance_->gate().call(kCodecNew, compress_of(instance_).codec_new,
                                             instance_->handle(), direction, &handle);
  CB_TRY(made(*instance_, kCodecNew, status, handle));
  return Codec(instance_, handle);
}

}  // namespace cb::plugin
