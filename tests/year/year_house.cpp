// SPDX-License-Identifier: Apache-2.0
#include "tests/year/year_house.h"

#include "core/repository/engine_chain.h"
#include "core/repository/engine_records.h"

namespace cb::year {

namespace fs = std::filesystem;
using repository::must;

namespace {

constexpr auto kJobStep = std::chrono::milliseconds(20);  // of a job, between two of its questions

// In memory where possible: a year writes much, and its kills end processes and not disks.
os::Path fast_place() { return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ""; }

identity::SigningKey server_key() {
  const std::array<std::byte, identity::kSeedSize> seed{std::byte{9}};
  return must(identity::SigningKey::from_seed(seed));
}

}  // namespace

House::House(const HouseSettings& settings)
    : settings_(settings),
      folder_(fast_place()),
      faulty_("store-fs", folder_.path()),
      clock_(settings.begin, kill_point_),
      events_(folder_.path() / "events"),
      key_(server_key()) {}

void House::close() {
  jobs_.reset();
  alarms_.reset();
  watch_.reset();
  audit_.reset();
  book_.reset();
  engine_.reset();
  catalog_.reset();
  store_.reset();
}

Status House::open() {
  close();
  // Another one each time: a killed process has drawn from the one before.
  random_ = std::make_unique<SeededRandom>(settings_.seed * 100'003 + ++openings_, kill_point_);
  write_control("");
  CB_TRY(open_engine());
  return open_jobs();
}

Status House::open_engine() {
  CB_ASSIGN(plugin::Store store, faulty_.open({}));
  store_.emplace(std::move(store));
  CB_ASSIGN(catalog_, catalog::open_sqlite_catalog((folder_.path() / "catalog.db").string(), true));
  repository::Engine::Parts parts;
  parts.store = &*store_;
  parts.catalog = catalog_.get();
  parts.clock = &clock_;
  parts.random = random_.get();
  parts.sign = [this](ByteView message) -> Result<repository::Signature> {
    kill_point_.pass();
    return key_.sign(message);
  };
  parts.server_key = key_.public_key();
  parts.limits = settings_.limits;
  CB_ASSIGN(engine_, repository::Engine::open(std::move(parts)));
  CB_ASSIGN(const uint64_t removed, engine_->remove_leftovers());
  static_cast<void>(removed);
  return {};
}

Status House::open_jobs() {
  book_ = std::make_unique<server::RetentionBook>(
      server::RetentionBook::Parts{catalog_.get(), engine_.get(), &clock_});
  audit_ =
      std::make_unique<server::Audit>(server::Audit::Parts{&catalog_->audit(), &clock_, &log_});
  watch_ = std::make_unique<server::WatchBook>(server::WatchBook::Parts{catalog_.get(), &clock_},
                                               server::WatchSettings());
  alarms_ = std::make_unique<server::Alarms>(
      server::Alarms::Parts{&catalog_->sources(), &events_, &clock_, &log_});
  server::JobParts parts;
  parts.catalog = catalog_.get();
  parts.engine = engine_.get();
  parts.clock = &clock_;
  parts.random = random_.get();
  parts.log = &log_;
  parts.retention = book_.get();
  parts.audit = audit_.get();
  parts.watch = watch_.get();
  parts.alarms = alarms_.get();
  parts.upkeep = [this] { return settings_.upkeep; };
  std::vector<server::JobKind> kinds = server::job_kinds(parts);
  for (server::JobKind& kind : kinds) kind = watched(std::move(kind));
  CB_ASSIGN(jobs_,
            server::Jobs::open({&catalog_->jobs(), &clock_, random_.get(), &log_, audit_.get()},
                               std::move(kinds), settings_.upkeep));
  return {};
}

// Time passes while a job runs, and it may be killed wherever it asks whether it may go on.
server::JobKind House::watched(server::JobKind kind) {
  kind.run = [this, run = kind.run](const server::JobCall& call) -> Result<server::JobResult> {
    overlaps_ += job_runs_ ? 1 : 0;
    job_runs_ = true;
    server::JobCall inner = call;
    inner.progress = [this, &call](uint64_t done, uint64_t total, const std::string& unit) {
      clock_.forward(kJobStep);
      kill_point_.pass();
      return !call.progress || call.progress(done, total, unit);
    };
    auto result = run(inner);
    job_runs_ = false;
    return result;
  };
  return kind;
}

repository::RepositoryId House::create(size_t account) {
  repository::RepositoryRecord record;
  record.id.bytes.fill(static_cast<std::byte>(account + 1));
  record.epochs.push_back({1, Bytes(32, std::byte{1})});
  const std::string name = account_name(account);
  if (must(catalog_->accounts().account_by_name(name))) return record.id;
  catalog::Account made;
  made.name = name;
  must(catalog_->accounts().add_account(made));
  must(engine_->create(record, name));
  return record.id;
}

repository::Viewer House::add_device(size_t account, uint8_t number, repository::Role role,
                                     bool shares_dedup) {
  repository::Certificate certificate;
  certificate.role = role;
  certificate.flags = shares_dedup ? repository::kDeviceSharesDedup : 0;
  repository::Viewer viewer{{}, role, shares_dedup};
  viewer.device.bytes.fill(static_cast<std::byte>(account * 16 + number));
  catalog::Device device;
  device.id = viewer.device.bytes;
  device.account = must(catalog_->accounts().account_by_name(account_name(account)))->number;
  device.certificate = encode(certificate);
  device.role = static_cast<uint64_t>(role);
  must(catalog_->accounts().add_device(device));
  repository::RepositoryId id;
  id.bytes.fill(static_cast<std::byte>(account + 1));
  must(repository::write_object(*store_, repository::device_object(id, viewer.device),
                                device.certificate, false));
  return viewer;
}

uint64_t House::bytes_held() const {
  uint64_t sum = 0;
  for (const auto& item : fs::recursive_directory_iterator(folder_.path() / "store"))
    if (item.is_regular_file()) sum += item.file_size();
  return sum;
}

// The store counts from when a budget comes into force.
void House::write_control(const std::string& rules) {
  std::string text = rules;
  if (most_held_) {
    const uint64_t held = bytes_held();
    text += "\nbudget=" + std::to_string(*most_held_ > held ? *most_held_ - held : 0) + "\n";
  }
  faulty_.control(text);
}

void House::limit_room(std::optional<uint64_t> bytes) {
  most_held_.reset();
  if (bytes) most_held_ = bytes_held() + settings_.limits.reserve + *bytes;
  write_control("");
}

void House::set_schedules(const std::map<std::string, std::string>& schedules) {
  settings_.upkeep.schedules.clear();
  for (const auto& [job, text] : schedules)
    settings_.upkeep.schedules[job] = must(schedule::Schedule::parse(text));
  if (jobs_) jobs_->reconfigure(settings_.upkeep);
}

void House::set_faults(const std::string& rules) { write_control(rules); }

void House::flip_bit(const std::string& object, uint64_t offset) {
  Bytes content(must(store_->stat(object)).length);
  {
    plugin::Get get = must(store_->get_open(object));
    for (size_t at = 0; at < content.size();) at += must(get.read(ByteSpan(content).subspan(at)));
  }
  content.at(offset) ^= std::byte{4};
  plugin::Put put = must(store_->put_begin(object, content.size()));
  must(put.write(content));
  must(put.commit());
}

}  // namespace cb::year
