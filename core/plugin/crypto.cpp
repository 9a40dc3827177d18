// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/crypto.h"

#include <utility>

#include "core/base/units.h"
#include "core/plugin/handle.h"

namespace cb::plugin {
namespace {

constexpr Function kProps{"props", Tag::any};
constexpr Function kPairNew{"pair_new", Tag::blocking};
constexpr Function kPairImportPrivate{"pair_import_private", Tag::blocking};
constexpr Function kPairImportPublic{"pair_import_public", Tag::blocking};
constexpr Function kPairPublic{"pair_public", Tag::blocking};
constexpr Function kPairPrivate{"pair_private", Tag::blocking};
constexpr Function kPairFree{"pair_free", Tag::any};
constexpr Function kEncapsulate{"encapsulate", Tag::blocking};
constexpr Function kDecapsulate{"decapsulate", Tag::blocking};
constexpr Function kKeyImport{"key_import", Tag::any};
constexpr Function kKeyDerive{"key_derive", Tag::any};
constexpr Function kKeyFree{"key_free", Tag::any};
constexpr Function kKeyWrap{"key_wrap", Tag::any};
constexpr Function kKeyUnwrap{"key_unwrap", Tag::any};
constexpr Function kKeyedId{"keyed_id", Tag::any};
constexpr Function kSealBegin{"seal_begin", Tag::any};
constexpr Function kSealChunk{"seal_chunk", Tag::any};
constexpr Function kSealFree{"seal_free", Tag::any};
constexpr Function kOpenBegin{"open_begin", Tag::any};
constexpr Function kOpenChunk{"open_chunk", Tag::any};
constexpr Function kOpenFree{"open_free", Tag::any};

// No suite needs more; the host makes buffers of these sizes.
constexpr uint32_t kMostForm = 1U << 20;
constexpr uint32_t kMostChunk = 64U << 20;

const cb_crypto_ops& crypto_of(const std::shared_ptr<Instance>& instance) {
  return instance->ops<cb_crypto_ops>();
}

Status need(const Instance& instance, uint64_t capability, const char* what) {
  if ((instance.capabilities() & capability) != 0) return {};
  return not_offered(instance, what);
}

Result<cb_crypto_props> props_of(Instance& instance) {
  cb_crypto_props props{};
  props.size = sizeof props;
  CB_TRY(
      instance.gate().call(kProps, instance.ops<cb_crypto_ops>().props, instance.handle(), &props));
  const bool streams = (instance.capabilities() & CB_CRYPTO_STREAM) != 0;
  if (props.chunk_plain > kMostChunk || (streams && props.chunk_plain == 0) ||
      props.chunk_overhead > kMostForm || props.header_size > kMostForm ||
      props.key_size > kMostForm || props.public_max > kMostForm || props.private_max > kMostForm ||
      props.kem_cipher_max > kMostForm || props.wrap_max > kMostForm)
    return failed(instance.gate().violation(kProps, "returned sizes beyond reason"));
  return props;
}

// Writes through `body(out, cap, &len)` into a buffer of `size` bytes and shortens it.
template <typename F>
Result<Bytes> filled(Instance& instance, const Function& function, uint32_t size, F&& body) {
  Bytes out(size);
  size_t len = 0;
  CB_TRY(body(data_of(ByteSpan(out)), out.size(), &len));
  CB_TRY(within(instance, function, len, out.size()));
  out.resize(len);
  return out;
}

}  // namespace

Seal::Seal(std::shared_ptr<Instance> instance, cb_seal* handle, Bytes header)
    : instance_(std::move(instance)), handle_(handle), header_(std::move(header)) {}
Seal::Seal(Seal&& other) noexcept
    : instance_(std::move(other.instance_)),
      handle_(std::exchange(other.handle_, nullptr)),
      header_(std::move(other.header_)) {}
Seal& Seal::operator=(Seal&& other) noexcept {
  std::swap(instance_, other.instance_);
  std::swap(handle_, other.handle_);
  std::swap(header_, other.header_);
  return *this;
}
Seal::~Seal() {
  if (handle_ != nullptr) instance_->gate().end(kSealFree, crypto_of(instance_).seal_free, handle_);
}

Result<size_t> Seal::chunk(ByteView plain, bool last, ByteSpan out) {
  size_t written = 0;
  CB_TRY(instance_->gate().call(kSealChunk, crypto_of(instance_).seal_chunk, handle_,
                                data_of(plain), plain.size(), int32_t{last}, data_of(out),
                                out.size(), &written));
  return within(*instance_, kSealChunk, written, out.size());
}

Open::Open(std::shared_ptr<Instance> instance, cb_open* handle)
    : instance_(std::move(instance)), handle_(handle) {}
Open::Open(Open&& other) noexcept
    : instance_(std::move(other.instance_)), handle_(std::exchange(other.handle_, nullptr)) {}
Open& Open::operator=(Open&& other) noexcept {
  std::swap(instance_, other.instance_);
  std::swap(handle_, other.handle_);
  return *this;
}
Open::~Open() {
  if (handle_ != nullptr) instance_->gate().end(kOpenFree, crypto_of(instance_).open_free, handle_);
}

Result<size_t> Open::chunk(uint64_t index, bool last, ByteView sealed, ByteSpan out) {
  size_t written = 0;
  CB_TRY(instance_->gate().call(kOpenChunk, crypto_of(instance_).open_chunk, handle_, index,
                                int32_t{last}, data_of(sealed), sealed.size(), data_of(out),
                                out.size(), &written));
  return within(*instance_, kOpenChunk, written, out.size());
}

Key::Key(std::shared_ptr<Instance> instance, cb_key* handle)
    : instance_(std::move(instance)), handle_(handle) {}
Key::Key(Key&& other) noexcept
    : instance_(std::move(other.instance_)), handle_(std::exchange(other.handle_, nullptr)) {}
Key& Key::operator=(Key&& other) noexcept {
  std::swap(instance_, other.instance_);
  std::swap(handle_, other.handle_);
  return *this;
}
Key::~Key() {
  if (handle_ != nullptr) instance_->gate().end(kKeyFree, crypto_of(instance_).key_free, handle_);
}

Result<Key> Key::derive(std::string_view label, ByteView context) const {
  CB_TRY(need(*instance_, CB_CRYPTO_KEY_DERIVE, "key derivation"));
  cb_key* handle = nullptr;
  const auto status =
      instance_->gate().call(kKeyDerive, crypto_of(instance_).key_derive, handle_,
                             std::string(label).c_str(), data_of(context), context.size(), &handle);
  CB_TRY(made(*instance_, kKeyDerive, status, handle));
  return Key(instance_, handle);
}

Result<Bytes> Key::wrap(const Key& inner) const {
  CB_TRY(need(*instance_, CB_CRYPTO_KEY_WRAP, "key wrap"));
  if (inner.instance_ != instance_)
    return failed(Code::invalid, instance_->id(), "a key of another instance cannot be wrapped");
  CB_ASSIGN(const cb_crypto_props props, props_of(*instance_));
  return filled(*instance_, kKeyWrap, props.wrap_max, [&](void* out, size_t cap, size_t* len) {
    return instance_->gate().call(kKeyWrap, crypto_of(instance_).key_wrap, handle_, inner.handle_,
                                  out, cap, len);
  });
}

Result<Key> Key::unwrap(ByteView wrapped) const {
  CB_TRY(need(*instance_, CB_CRYPTO_KEY_WRAP, "key wrap"));
  cb_key* handle = nullptr;
  const auto status = instance_->gate().call(kKeyUnwrap, crypto_of(instance_).key_unwrap, handle_,
                                             data_of(wrapped), wrapped.size(), &handle);
  CB_TRY(made(*instance_, kKeyUnwrap, status, handle));
  return Key(instance_, handle);
}

Result<KeyedId> Key::id_of(ByteView data) const {
  CB_TRY(need(*instance_, CB_CRYPTO_KEYED_ID, "keyed ids"));
  KeyedId id;
  CB_TRY(instance_->gate().call(kKeyedId, crypto_of(instance_).keyed_id, handle_, data_of(data),
                                data.size(), static_cast<void*>(id.bytes.data())));
  return id;
}

Result<Seal> Key::seal(ByteView aad) const {
  CB_TRY(need(*instance_, CB_CRYPTO_STREAM, "sealed streams"));
  CB_ASSIGN(const cb_crypto_props props, props_of(*instance_));
  cb_seal* handle = nullptr;
  Bytes header(props.header_size);
  size_t len = 0;
  const auto status =
      instance_->gate().call(kSealBegin, crypto_of(instance_).seal_begin, handle_, data_of(aad),
                             aad.size(), data_of(ByteSpan(header)), header.size(), &len, &handle);
  CB_TRY(made(*instance_, kSealBegin, status, handle));
  Seal seal(instance_, handle, std::move(header));
  if (len != props.header_size)
    return failed(instance_->gate().violation(
        kSealBegin, "wrote a header of " + std::to_string(len) + " bytes, not of the " +
                        std::to_string(props.header_size) + " it promised"));
  return seal;
}

Result<Open> Key::open(ByteView aad, ByteView header) const {
  CB_TRY(need(*instance_, CB_CRYPTO_STREAM, "sealed streams"));
  cb_open* handle = nullptr;
  const auto status =
      instance_->gate().call(kOpenBegin, crypto_of(instance_).open_begin, handle_, data_of(aad),
                             aad.size(), data_of(header), header.size(), &handle);
  CB_TRY(made(*instance_, kOpenBegin, status, handle));
  return Open(instance_, handle);
}

KeyPair::KeyPair(std::shared_ptr<Instance> instance, cb_pair* handle)
    : instance_(std::move(instance)), handle_(handle) {}
KeyPair::KeyPair(KeyPair&& other) noexcept
    : instance_(std::move(other.instance_)), handle_(std::exchange(other.handle_, nullptr)) {}
KeyPair& KeyPair::operator=(KeyPair&& other) noexcept {
  std::swap(instance_, other.instance_);
  std::swap(handle_, other.handle_);
  return *this;
}
KeyPair::~KeyPair() {
  if (handle_ != nullptr) instance_->gate().end(kPairFree, crypto_of(instance_).pair_free, handle_);
}

Result<Bytes> KeyPair::public_half() const {
  CB_ASSIGN(const cb_crypto_props props, props_of(*instance_));
  return filled(*instance_, kPairPublic, props.public_max, [&](void* out, size_t cap, size_t* len) {
    return instance_->gate().call(kPairPublic, crypto_of(instance_).pair_public, handle_, out, cap,
                                  len);
  });
}

Result<Secret> KeyPair::private_form() const {
  CB_ASSIGN(const cb_crypto_props props, props_of(*instance_));
  Secret form(props.private_max);
  size_t len = 0;
  CB_TRY(instance_->gate().call(kPairPrivate, crypto_of(instance_).pair_private, handle_,
                                data_of(form.span()), form.size(), &len));
  CB_TRY(within(*instance_, kPairPrivate, len, form.size()));
  form.truncate(len);
  return form;
}

Result<Encapsulated> KeyPair::encapsulate(ByteView context) const {
  CB_ASSIGN(const cb_crypto_props props, props_of(*instance_));
  cb_key* handle = nullptr;
  Bytes cipher(props.kem_cipher_max);
  size_t len = 0;
  const auto status = instance_->gate().call(
      kEncapsulate, crypto_of(instance_).encapsulate, handle_, data_of(context), context.size(),
      data_of(ByteSpan(cipher)), cipher.size(), &len, &handle);
  CB_TRY(made(*instance_, kEncapsulate, status, handle));
  Key key(instance_, handle);
  CB_TRY(within(*instance_, kEncapsulate, len, cipher.size()));
  cipher.resize(len);
  return Encapsulated{std::move(cipher), std::move(key)};
}

Result<Key> KeyPair::decapsulate(ByteView context, ByteView cipher) const {
  cb_key* handle = nullptr;
  const auto status = instance_->gate().call(kDecapsulate, crypto_of(instance_).decapsulate,
                                             handle_, data_of(context), context.size(),
                                             data_of(cipher), cipher.size(), &handle);
  CB_TRY(made(*instance_, kDecapsulate, status, handle));
  return Key(instance_, handle);
}

Crypto::Crypto(std::shared_ptr<Instance> instance) : instance_(std::move(instance)) {}

uint64_t Crypto::capabilities() const { return instance_->capabilities(); }

Result<cb_crypto_props> Crypto::props() const { return props_of(*instance_); }

Result<KeyPair> Crypto::pair_new() const {
  CB_TRY(need(*instance_, CB_CRYPTO_KEM, "key pairs"));
  cb_pair* handle = nullptr;
  const auto status =
      instance_->gate().call(kPairNew, crypto_of(instance_).pair_new, instance_->handle(), &handle);
  CB_TRY(made(*instance_, kPairNew, status, handle));
  return KeyPair(instance_, handle);
}

Result<KeyPair> Crypto::import_private(ByteView raw) const {
  CB_TRY(need(*instance_, CB_CRYPTO_KEM, "key pairs"));
  cb_pair* handle = nullptr;
  const auto status =
      instance_->gate().call(kPairImportPrivate, crypto_of(instance_).pair_import_private,
                             instance_->handle(), data_of(raw), raw.size(), &handle);
  CB_TRY(made(*instance_, kPairImportPrivate, status, handle));
  return KeyPair(instance_, handle);
}

Result<KeyPair> Crypto::import_public(ByteView raw) const {
  CB_TRY(need(*instance_, CB_CRYPTO_KEM, "key pairs"));
  cb_pair* handle = nullptr;
  const auto status =
      instance_->gate().call(kPairImportPublic, crypto_of(instance_).pair_import_public,
                             instance_->handle(), data_of(raw), raw.size(), &handle);
  CB_TRY(made(*instance_, kPairImportPublic, status, handle));
  return KeyPair(instance_, handle);
}

Result<Key> Crypto::import_key(ByteView raw) const {
  cb_key* handle = nullptr;
  const auto status =
      instance_->gate().call(kKeyImport, crypto_of(instance_).key_import, instance_->handle(),
                             data_of(raw), raw.size(), &handle);
  CB_TRY(made(*instance_, kKeyImport, status, handle));
  return Key(instance_, handle);
}

}  // namespace cb::plugin
