// SPDX-License-Identifier: Apache-2.0
//
// The table of cb.crypto/1 made of a class. Thread rules are those of crypto.h: the members of the
// plugin class, a Pair and a Key may be used by several threads, a Seal and an Open by one.
//
// T has types Key, and as its capabilities claim them Pair (KEM), Seal and Open (STREAM):
//   void props(cb_crypto_props& out)                     out.size is set; constant per instance
//   unique_ptr<Key> key_import(span<const byte> raw)
//   unique_ptr<Pair> pair_new(), pair_import_private(span), pair_import_public(span)
//   Pair: vector<byte> public_half(), vector<byte> private_form(),
//         unique_ptr<Key> encapsulate(span context, vector<byte>& cipher),
//         unique_ptr<Key> decapsulate(span context, span cipher)
//   Key:  unique_ptr<Key> derive(string_view label, span context)                   (KEY_DERIVE)
//         vector<byte> wrap(Key&), unique_ptr<Key> unwrap(span)                     (KEY_WRAP)
//         void keyed_id(span data, span<byte, 32> out)                              (KEYED_ID)
//         unique_ptr<Seal> seal_begin(span aad, vector<byte>& header),
//         unique_ptr<Open> open_begin(span aad, span header)                        (STREAM)
//   Seal: size_t chunk(span plain, bool last, span<byte> out)
//   Open: size_t chunk(uint64_t index, bool last, span sealed, span<byte> out)
// Destructors wipe.
//
// The adapter does what every suite would have to: vectors of Pair and Key are wiped after they
// were copied out; chunk sizes, room, order after the last chunk and max_chunks are checked before
// Seal and Open are called; a failed chunk leaves the output wiped, and CB_E_AUTH ends the use of
// an Open.
#pragma once

#include <string_view>

#include "cyberbackup/cpp/guard.hpp"
#include "cyberbackup/crypto.h"

namespace cyberbackup::sdk {
namespace detail {

// What the adapter must know of the suite to check a chunk.
struct ChunkLimits {
  uint32_t plain = 0;
  uint32_t overhead = 0;
  uint64_t count = 0;
};

// What the handles are: the author's object, and the limits handed from instance to pair and key.
template <class Object>
struct Limited {
  std::unique_ptr<Object> object;
  ChunkLimits limits;
};

template <class Object>
struct Chunked {
  std::unique_ptr<Object> object;
  ChunkLimits limits;
  uint64_t next = 0;
  bool spent = false;
};

template <class Box, class Object, class Handle>
cb_status give_boxed(std::unique_ptr<Object> object, const ChunkLimits& limits, Handle** made) {
  if (object == nullptr) throw Failure(CB_E_INTERNAL, "the plugin made no object");
  auto box = std::make_unique<Box>();
  box->object = std::move(object);
  box->limits = limits;
  return give(std::move(box), made);
}

template <class T>
struct CryptoInstanceTable {
  using Key = Limited<typename T::Key>;

  static cb_crypto_props props_of(cb_instance* instance) {
    cb_crypto_props props{};
    props.size = sizeof(props);
    from_handle<T>(instance).props(props);
    return props;
  }

  static ChunkLimits limits_of(cb_instance* instance) {
    const cb_crypto_props props = props_of(instance);
    return {props.chunk_plain, props.chunk_overhead, props.max_chunks};
  }

  static cb_status props(cb_instance* instance, cb_crypto_props* result) {
    return guard(nullptr, [&] { fill(result, props_of(instance)); });
  }

  static cb_status key_import(cb_instance* instance, const void* raw, size_t len, cb_key** made,
                              cb_error* error) {
    *made = nullptr;
    return guard(error, [&] {
      return give_boxed<Key>(from_handle<T>(instance).key_import(in(raw, len)), limits_of(instance),
                             made);
    });
  }

  static void key_free(cb_key* key) { end<Key>(key); }
};

template <class T>
struct CryptoPairTable {
  using Pair = Limited<typename T::Pair>;
  using Key = Limited<typename T::Key>;
  using Shared = CryptoInstanceTable<T>;

  static cb_status pair_new(cb_instance* instance, cb_pair** made, cb_error* error) {
    *made = nullptr;
    return guard(error, [&] {
      return give_boxed<Pair>(from_handle<T>(instance).pair_new(), Shared::limits_of(instance),
                              made);
    });
  }

  static cb_status pair_import_private(cb_instance* instance, const void* raw, size_t len,
                                       cb_pair** made, cb_error* error) {
    *made = nullptr;
    return guard(error, [&] {
      return give_boxed<Pair>(from_handle<T>(instance).pair_import_private(in(raw, len)),
                              Shared::limits_of(instance), made);
    });
  }

  static cb_status pair_import_public(cb_instance* instance, const void* raw, size_t len,
                                      cb_pair** made, cb_error* error) {
    *made = nullptr;
    return guard(error, [&] {
      return give_boxed<Pair>(from_handle<T>(instance).pair_import_public(in(raw, len)),
                              Shared::limits_of(instance), made);
    });
  }

  static cb_status pair_public(cb_pair* pair, void* to, size_t cap, size_t* len, cb_error* error) {
    *len = 0;
    return guard(error, [&] {
      const Wiped form(from_handle<Pair>(pair).object->public_half());
      return copy_out(form.bytes, to, cap, len);
    });
  }

  static cb_status pair_private(cb_pair* pair, void* to, size_t cap, size_t* len, cb_error* error) {
    *len = 0;
    return guard(error, [&] {
      const Wiped form(from_handle<Pair>(pair).object->private_form());
      return copy_out(form.bytes, to, cap, len);
    });
  }

  static void pair_free(cb_pair* pair) { end<Pair>(pair); }

  static cb_status encapsulate(cb_pair* handle, const void* context, size_t context_len, void* to,
                               size_t cap, size_t* len, cb_key** made, cb_error* error) {
    *made = nullptr;
    *len = 0;
    return guard(error, [&]() -> cb_status {
      Pair& pair = from_handle<Pair>(handle);
      std::vector<std::byte> cipher;
      auto key = pair.object->encapsulate(in(context, context_len), cipher);
      const cb_status status = copy_out(cipher, to, cap, len);
      return status == CB_OK ? give_boxed<Key>(std::move(key), pair.limits, made) : status;
    });
  }

  static cb_status decapsulate(cb_pair* handle, const void* context, size_t context_len,
                               const void* cipher, size_t cipher_len, cb_key** made,
                               cb_error* error) {
    *made = nullptr;
    return guard(error, [&] {
      Pair& pair = from_handle<Pair>(handle);
      return give_boxed<Key>(
          pair.object->decapsulate(in(context, context_len), in(cipher, cipher_len)), pair.limits,
          made);
    });
  }
};

template <class T>
struct CryptoKeyTable {
  using Key = Limited<typename T::Key>;

  static cb_status key_derive(cb_key* handle, const char* label, const void* context,
                              size_t context_len, cb_key** made, cb_error* error) {
    *made = nullptr;
    return guard(error, [&] {
      Key& key = from_handle<Key>(handle);
      return give_boxed<Key>(key.object->derive(std::string_view(label), in(context, context_len)),
                             key.limits, made);
    });
  }

  static cb_status key_wrap(cb_key* wrapping, cb_key* key, void* to, size_t cap, size_t* len,
                            cb_error* error) {
    *len = 0;
    return guard(error, [&] {
      const Wiped wrapped(from_handle<Key>(wrapping).object->wrap(*from_handle<Key>(key).object));
      return copy_out(wrapped.bytes, to, cap, len);
    });
  }

  static cb_status key_unwrap(cb_key* wrapping, const void* wrapped, size_t len, cb_key** made,
                              cb_error* error) {
    *made = nullptr;
    return guard(error, [&] {
      Key& key = from_handle<Key>(wrapping);
      return give_boxed<Key>(key.object->unwrap(in(wrapped, len)), key.limits, made);
    });
  }

  static cb_status keyed_id(cb_key* key, const void* data, size_t len, void* to, cb_error* error) {
    return guard(error, [&] {
      const std::span<std::byte, CB_KEYED_ID_SIZE> id(static_cast<std::byte*>(to),
                                                      CB_KEYED_ID_SIZE);
      from_handle<Key>(key).object->keyed_id(in(data, len), id);
    });
  }
};

template <class T>
struct CryptoStreamTable {
  using Key = Limited<typename T::Key>;
  using Seal = Chunked<typename T::Seal>;
  using Open = Chunked<typename T::Open>;

  static cb_status seal_begin(cb_key* handle, const void* aad, size_t aad_len, void* to, size_t cap,
                              size_t* len, cb_seal** made, cb_error* error) {
    *made = nullptr;
    *len = 0;
    return guard(error, [&]() -> cb_status {
      Key& key = from_handle<Key>(handle);
      std::vector<std::byte> header;
      auto seal = key.object->seal_begin(in(aad, aad_len), header);
      const cb_status status = copy_out(header, to, cap, len);
      return status == CB_OK ? give_boxed<Seal>(std::move(seal), key.limits, made) : status;
    });
  }

  // Sealing moves the nonce on, so everything that could refuse the chunk is settled before.
  static cb_status seal_chunk(cb_seal* handle, const void* plain, size_t len, int32_t last,
                              void* to, size_t cap, size_t* out_len, cb_error* error) {
    Seal& seal = from_handle<Seal>(handle);
    *out_len = 0;
    const size_t need = len + seal.limits.overhead;
    bool entered = false;
    const cb_status status = guard(error, [&]() -> cb_status {
      if (seal.spent) throw Failure(CB_E_STATE, "this seal has ended");
      if (len > seal.limits.plain || (last == 0 && len != seal.limits.plain)) {
        throw Failure(CB_E_INVALID, "a chunk of the wrong size");
      }
      if (seal.next >= seal.limits.count) throw Failure(CB_E_LIMIT, "too many chunks");
      if (cap < need) {
        *out_len = need;
        return CB_E_TOO_SMALL;
      }
      entered = true;
      *out_len = seal.object->chunk(in(plain, len), last != 0, out(to, need));
      ++seal.next;
      seal.spent = last != 0;
      return CB_OK;
    });
    if (entered && status != CB_OK) {
      seal.spent = true;
      wipe(out(to, need));
    }
    return status;
  }

  static void seal_free(cb_seal* seal) { end<Seal>(seal); }

  static cb_status open_begin(cb_key* handle, const void* aad, size_t aad_len, const void* header,
                              size_t header_len, cb_open** made, cb_error* error) {
    *made = nullptr;
    return guard(error, [&] {
      Key& key = from_handle<Key>(handle);
      return give_boxed<Open>(key.object->open_begin(in(aad, aad_len), in(header, header_len)),
                              key.limits, made);
    });
  }

  static cb_status open_chunk(cb_open* handle, uint64_t index, int32_t last, const void* sealed,
                              size_t len, void* to, size_t cap, size_t* out_len, cb_error* error) {
    Open& open = from_handle<Open>(handle);
    *out_len = 0;
    bool entered = false;
    const cb_status status = guard(error, [&]() -> cb_status {
      if (open.spent) throw Failure(CB_E_STATE, "a chunk of this object did not verify");
      if (index >= open.limits.count) throw Failure(CB_E_LIMIT, "chunk index out of range");
      if (cap < len) {
        *out_len = len;
        return CB_E_TOO_SMALL;
      }
      entered = true;
      *out_len = open.object->chunk(index, last != 0, in(sealed, len), out(to, len));
      return CB_OK;
    });
    if (entered && status != CB_OK) wipe(out(to, len));
    open.spent = open.spent || status == CB_E_AUTH;
    return status;
  }

  static void open_free(cb_open* open) { end<Open>(open); }
};

template <class T>
struct CryptoTable {
  static constexpr void add_pairs(cb_crypto_ops& ops) {
    using Pairs = CryptoPairTable<T>;
    ops.pair_new = &Pairs::pair_new;
    ops.pair_import_private = &Pairs::pair_import_private;
    ops.pair_import_public = &Pairs::pair_import_public;
    ops.pair_public = &Pairs::pair_public;
    ops.pair_private = &Pairs::pair_private;
    ops.pair_free = &Pairs::pair_free;
    ops.encapsulate = &Pairs::encapsulate;
    ops.decapsulate = &Pairs::decapsulate;
  }

  static constexpr void add_streams(cb_crypto_ops& ops) {
    using Streams = CryptoStreamTable<T>;
    ops.seal_begin = &Streams::seal_begin;
    ops.seal_chunk = &Streams::seal_chunk;
    ops.seal_free = &Streams::seal_free;
    ops.open_begin = &Streams::open_begin;
    ops.open_chunk = &Streams::open_chunk;
    ops.open_free = &Streams::open_free;
  }

  static constexpr void add_key_work(cb_crypto_ops& ops) {
    using Key = typename T::Key;
    using Keys = CryptoKeyTable<T>;
    using In = std::span<const std::byte>;
    if constexpr (requires(Key & key, In bytes) { key.derive(std::string_view(), bytes); }) {
      ops.key_derive = &Keys::key_derive;
    }
    if constexpr (requires(Key & key, In bytes) { key.wrap(key), key.unwrap(bytes); }) {
      ops.key_wrap = &Keys::key_wrap;
      ops.key_unwrap = &Keys::key_unwrap;
    }
    if constexpr (requires(Key & key, In bytes, std::span<std::byte, CB_KEYED_ID_SIZE> id) {
                    key.keyed_id(bytes, id);
                  }) {
      ops.keyed_id = &Keys::keyed_id;
    }
  }

  static constexpr cb_crypto_ops make() {
    cb_crypto_ops ops{};
    ops.size = sizeof(ops);
    ops.props = &CryptoInstanceTable<T>::props;
    ops.key_import = &CryptoInstanceTable<T>::key_import;
    ops.key_free = &CryptoInstanceTable<T>::key_free;
    if constexpr (requires { typename T::Pair; }) add_pairs(ops);
    if constexpr (requires {
                    typename T::Seal;
                    typename T::Open;
                  })
      add_streams(ops);
    add_key_work(ops);
    return ops;
  }
};

template <class T>
inline constexpr cb_crypto_ops kCryptoOps = CryptoTable<T>::make();

}  // namespace detail

// The table of class T; lives as long as the module.
template <class T>
constexpr const cb_crypto_ops& crypto_ops() {
  return detail::kCryptoOps<T>;
}

}  // namespace cyberbackup::sdk
