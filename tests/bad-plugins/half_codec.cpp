// SPDX-License-Identifier: Apache-2.0
//
// Claims compression as a stream, but lacks one function of that set.
#include "cyberbackup/compress.h"
#include "plain_store.hpp"

namespace {
cb_status bound(cb_instance*, size_t plain_len, size_t* out) {
  *out = plain_len;
  return CB_OK;
}
cb_status copy(cb_instance*, const void*, size_t, void*, size_t, size_t*, cb_error*) {
  return CB_E_UNSUPPORTED;
}
cb_status codec_new(cb_instance*, uint32_t, cb_codec**, cb_error*) { return CB_E_UNSUPPORTED; }
cb_status codec_run(cb_codec*, cb_flow*, uint32_t, cb_error*) { return CB_E_UNSUPPORTED; }
void codec_free(cb_codec*) {}

const cb_compress_ops kOps = {
    sizeof(cb_compress_ops), 0, bound, copy, copy, codec_new, codec_run, nullptr, codec_free};
const cb_store_ops kUnused = plain::ops();
const cb_descriptor kDescriptor = [] {
  cb_descriptor made = plain::descriptor("half-codec", kUnused);
  made.interface_id = CB_COMPRESS_INTERFACE;
  made.capabilities = CB_COMPRESS_STREAM;
  made.ops = &kOps;
  return made;
}();
}  // namespace

const cb_entry cb_plugin_entry_v1 = plain::entry(plain::list<kDescriptor>);
