// SPDX-License-Identifier: Apache-2.0
//
// Contexts of the library, kept between uses: making one costs more than compressing a small
// object. A pool is thread-safe; a lease belongs to one thread at a time and may outlive no pool.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace compress_zstd {

// `Context` has a default deleter in the shape of std::unique_ptr<Context, Deleter>.
template <class Context, class Deleter>
class ContextPool {
 public:
  using Owned = std::unique_ptr<Context, Deleter>;

  // A context in use; goes back to the pool when it leaves the scope.
  class Lease {
   public:
    Lease(ContextPool& pool, Owned context) : pool_(pool), context_(std::move(context)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.give_back(std::move(context_)); }

    [[nodiscard]] Context* get() const noexcept { return context_.get(); }

   private:
    ContextPool& pool_;
    Owned context_;
  };

  // `make` returns a configured context or throws; `reset` ends what a context was doing but keeps
  // its configuration, and tells whether it can be used again. At most `idle_max` wait unused.
  ContextPool(std::function<Owned()> make, std::function<bool(Context*)> reset, size_t idle_max)
      : make_(std::move(make)), reset_(std::move(reset)), idle_max_(idle_max) {
    idle_.reserve(idle_max_);
  }

  Lease lease() {
    Owned context;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!idle_.empty()) {
        context = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (context == nullptr) context = make_();
    return Lease(*this, std::move(context));
  }

 private:
  void give_back(Owned context) noexcept {
    if (context == nullptr || !reset_(context.get())) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.size() < idle_max_) idle_.push_back(std::move(context));
  }

  const std::function<Owned()> make_;
  const std::function<bool(Context*)> reset_;
  const size_t idle_max_;

  std::mutex mutex_;
  std::vector<Owned> idle_;  // guarded by mutex_; never grows past its reserve
};

}  // namespace compress_zstd
