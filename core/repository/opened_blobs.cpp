// SPDX-License-Identifier: Apache-2.0
#include "core/repository/opened_blobs.h"

#include "core/repository/record_reader.h"
#include "core/repository/record_writer.h"

namespace cb::repository {

Bytes encode(const OpenedBlobs& record) {
  RecordWriter to;
  to.uint(1);  // the version
  to.list(record.packs, [&to](const OpenedBlobs::InPack& in) {
    to.fixed(in.pack.view());
    to.list(in.blobs, [&to](const BlobId& id) { to.fixed(id.view()); });
  });
  return to.take();
}

Result<OpenedBlobs> decode_opened(ByteView bytes) {
  RecordReader from(bytes, "note of opened copies");
  OpenedBlobs record;
  from.version();
  record.packs.resize(from.count(PackName::kSize + 1));
  for (OpenedBlobs::InPack& in : record.packs) {
    in.pack = from.id<PackName>();
    in.blobs.resize(from.count(BlobId::kSize));
    for (BlobId& id : in.blobs) id = from.id<BlobId>();
  }
  CB_TRY(from.done());
  return record;
}

}  // namespace cb::repository
