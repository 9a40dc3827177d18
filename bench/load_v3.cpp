// SPDX-License-Identifier: Apache-2.0
//
// Loads a daemon with many v3 clients at once and tells throughput, latency, errors and what the
// daemon took. One thread with epoll; contents are encrypted before the clock starts. See
// bench/README.md; bench/load-v3 starts a daemon of its own around this.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>

#include "bench/load_client.h"
#include "bench/load_plan.h"
#include "core/base/units.h"
#include "core/protocol/v3/cksum.h"
#include "core/protocol/v3/identity_files.h"

namespace cb::bench {

Bytes make_content(uint64_t size, bool text) {
  std::mt19937_64 random(1);
  Bytes bytes(size);
  for (size_t at = 0; at < size;) {
    std::array<std::byte, 8> word{};
    store_le(word.data(), uint64_t{random()});
    const std::string line = "2026-01-17 GET /files/" + std::to_string(random() % 100'000) +
                             "/index.html 200 " + std::to_string(random() % 1'000'000) + "\n";
    const ByteView piece = text ? as_bytes(line) : ByteView(word);
    const size_t take = std::min<size_t>(piece.size(), size - at);
    std::copy_n(piece.begin(), take, bytes.begin() + static_cast<ptrdiff_t>(at));
    at += take;
  }
  return bytes;
}

namespace {

[[noreturn]] void die(const std::string& problem) {
  std::fprintf(stderr, "load_v3: %s\n", problem.c_str());
  std::exit(1);
}

// Memory and threads of the daemon, from /proc.
struct Taken {
  uint64_t resident = 0;  // bytes
  uint64_t threads = 0;
};

Taken look_at(int daemon) {
  Taken taken;
  std::ifstream status("/proc/" + std::to_string(daemon) + "/status");
  std::string word;
  while (status >> word) {
    if (word == "VmRSS:") status >> taken.resident;
    if (word == "Threads:") status >> taken.threads;
  }
  taken.resident *= kKiB;
  return taken;
}

// The highest and lowest seen; looks at most every 20 ms.
class Watch {
 public:
  explicit Watch(int daemon)
      : daemon_(daemon), first_(look_at(daemon)), most_(first_), least_(first_) {}

  void look() {
    const auto now = Clock::now();
    if (daemon_ == 0 || now - last_ < std::chrono::milliseconds(20)) return;
    last_ = now;
    const Taken taken = look_at(daemon_);
    most_.resident = std::max(most_.resident, taken.resident);
    most_.threads = std::max(most_.threads, taken.threads);
    least_.threads = std::min(least_.threads, taken.threads);
  }

  [[nodiscard]] const Taken& first() const { return first_; }
  [[nodiscard]] const Taken& most() const { return most_; }
  [[nodiscard]] const Taken& least() const { return least_; }

 private:
  int daemon_;
  Taken first_;
  Taken most_;
  Taken least_;
  Clock::time_point last_;
};

int connect_to(const LoadPlan& plan) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(plan.port);
  if (::inet_pton(AF_INET, plan.host.c_str(), &address.sin_addr) != 1)
    die("--server " + plan.host + ": is not a numeric IPv4 address");
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die(std::string("socket: ") + std::strerror(errno));
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    die("cannot connect to " + plan.host + ": " + std::strerror(errno));
  return fd;
}

class Load {
 public:
  explicit Load(const LoadPlan& plan)
      : plan_(plan),
        content_(make_content(plan.size, plan.text)),
        shared_{&pair_, plan.size, v3::cksum_of(content_)},
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        watch_(plan.daemon) {}

  // 0 when no client failed.
  int run() {
    idle_ = look_at(plan_.daemon);
    for (uint32_t i = 0; i < plan_.idle_connections; ++i) idle_fds_.push_back(connect_to(plan_));
    log_in();
    logged_in_ = look_at(plan_.daemon);
    encrypt_all();
    const auto start = Clock::now();
    begin_all(start);
    until(LoadClient::State::done);
    const auto wall = std::chrono::duration<double>(Clock::now() - start).count();
    for (const int fd : idle_fds_) ::close(fd);
    return report(wall);
  }

 private:
  void log_in() {
    const std::string prefix = "load-" + std::to_string(::getpid()) + "-";
    clients_.reserve(plan_.clients);
    for (uint32_t i = 0; i < plan_.clients; ++i) {
      clients_.emplace_back(connect_to(plan_), prefix + std::to_string(i), shared_);
      epoll_event event{};
      event.events = EPOLLIN | EPOLLOUT;
      event.data.u32 = i;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, clients_.back().fd(), &event);
    }
    until(LoadClient::State::ready);
  }

  void encrypt_all() {
    for (LoadClient& client : clients_) {
      if (client.state() != LoadClient::State::ready) continue;
      Bytes cipher = encrypt(client.key(), content_);
      if (&client == &clients_.front() && !plan_.cipher_file.empty()) keep(client.key(), cipher);
      client.send(std::move(cipher));
    }
  }

  void begin_all(Clock::time_point now) {
    for (uint32_t i = 0; i < clients_.size(); ++i) {
      clients_[i].start(now);
      watch_for(i);
    }
  }

  void keep(ByteView key, ByteView cipher) const {
    std::ofstream(plan_.cipher_file, std::ios::binary)
        .write(reinterpret_cast<const char*>(cipher.data()),
               static_cast<std::streamsize>(cipher.size()));
    std::ofstream(plan_.cipher_file + ".key") << to_hex(key) << "\n";
  }

  void watch_for(uint32_t index) {
    epoll_event event{};
    event.events = EPOLLIN | (clients_[index].wants_to_write() ? EPOLLOUT : 0u);
    event.data.u32 = index;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, clients_[index].fd(), &event);
  }

  [[nodiscard]] size_t short_of(LoadClient::State goal) const {
    return static_cast<size_t>(
        std::count_if(clients_.begin(), clients_.end(), [&](const LoadClient& client) {
          return client.state() != goal && client.state() != LoadClient::State::failed;
        }));
  }

  // Runs until every client has reached the state, or failed.
  void until(LoadClient::State goal) {
    constexpr int kPatienceMs = 120'000;
    std::array<epoll_event, 256> events{};
    for (size_t left = short_of(goal); left > 0;) {
      const int count = ::epoll_wait(epoll_, events.data(), events.size(), kPatienceMs);
      if (count == 0) die("nothing happened for two minutes");
      for (int i = 0; i < count; ++i) {
        const uint32_t index = events.at(static_cast<size_t>(i)).data.u32;
        LoadClient& client = clients_[index];
        client.advance();
        const bool over = client.state() == LoadClient::State::failed ||
                          client.state() == LoadClient::State::done;
        if (over) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, client.fd(), nullptr);
        if (!over) watch_for(index);
      }
      watch_.look();
      left = short_of(goal);
    }
  }

  int report(double wall) const {
    std::vector<double> latencies;
    size_t errors = 0;
    for (const LoadClient& client : clients_) {
      if (client.state() == LoadClient::State::done)
        latencies.push_back(std::chrono::duration<double>(client.latency()).count());
      else if (++errors <= 5)
        std::fprintf(stderr, "load_v3: %s\n", client.problem().c_str());
    }
    std::sort(latencies.begin(), latencies.end());
    const auto percentile = [&](double part) {
      if (latencies.empty()) return 0.0;
      return latencies[static_cast<size_t>(part * static_cast<double>(latencies.size() - 1))];
    };
    const double bytes = static_cast<double>(latencies.size()) * static_cast<double>(plan_.size);
    std::printf("clients             %u, each %s%s\n", plan_.clients,
                format_size(plan_.size).c_str(), plan_.text ? " of text" : "");
    std::printf("errors              %zu\n", errors);
    std::printf("wall time           %.2f s\n", wall);
    std::printf("throughput          %.1f MB/s\n", bytes / 1e6 / wall);
    std::printf("latency p50         %.3f s\n", percentile(0.5));
    std::printf("latency p99         %.3f s\n", percentile(0.99));
    report_daemon();
    return errors == 0 ? 0 : 1;
  }

  void report_daemon() const {
    if (plan_.daemon == 0) return;
    const auto each = [](uint64_t more, uint64_t less, uint64_t count) {
      return count == 0 || more < less ? 0 : (more - less) / count;
    };
    const Taken& most = watch_.most();
    std::printf("daemon idle RSS     %s\n", format_size(idle_.resident).c_str());
    if (plan_.idle_connections > 0)
      std::printf("with connections    %s for %u idle ones and those logged in, %s each\n",
                  format_size(logged_in_.resident).c_str(), plan_.idle_connections,
                  format_size(each(logged_in_.resident, idle_.resident,
                                   plan_.idle_connections + plan_.clients))
                      .c_str());
    std::printf("daemon peak RSS     %s, %s more than idle for each client\n",
                format_size(most.resident).c_str(),
                format_size(each(most.resident, idle_.resident, plan_.clients)).c_str());
    std::printf("daemon threads      %lu to %lu\n",
                static_cast<unsigned long>(watch_.least().threads),
                static_cast<unsigned long>(most.threads));
  }

  LoadPlan plan_;
  RsaPair pair_;
  Bytes content_;
  Shared shared_;
  int epoll_;
  Watch watch_;
  Taken idle_;
  Taken logged_in_;
  std::vector<int> idle_fds_;
  std::vector<LoadClient> clients_;
};

constexpr const char* kUsage =
    "usage: bench_load_v3 --server HOST:PORT [--clients N] [--size S] [--connections-idle M]\n"
    "                     [--pid DAEMON] [--text] [--keep-cipher FILE]\n";

template <typename T>
T must(const std::string& flag, Result<T> result) {
  if (!result) die(flag + " " + result.error().text());
  return std::move(*result);
}

[[noreturn]] void tell_usage(bool asked) {
  std::fputs(kUsage, asked ? stdout : stderr);
  std::exit(asked ? 0 : 2);
}

void set(LoadPlan& plan, const std::string& flag, const std::string& value) {
  const auto number = [&] { return must(flag, parse_size(value)); };
  if (flag == "--server") {
    const auto server = must(flag, v3::parse_server_address(value));
    plan.host = server.host;
    plan.port = server.port;
  } else if (flag == "--clients") {
    plan.clients = static_cast<uint32_t>(number());
  } else if (flag == "--size") {
    plan.size = static_cast<uint64_t>(number());
  } else if (flag == "--connections-idle") {
    plan.idle_connections = static_cast<uint32_t>(number());
  } else if (flag == "--pid") {
    plan.daemon = static_cast<int>(number());
  } else if (flag == "--keep-cipher") {
    plan.cipher_file = value;
  } else {
    tell_usage(false);
  }
}

LoadPlan plan_of(int argc, char** argv) {
  LoadPlan plan;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--help") tell_usage(true);
    if (flag == "--text") {
      plan.text = true;
      continue;
    }
    if (i + 1 == argc) tell_usage(false);
    set(plan, flag, argv[++i]);
  }
  return plan;
}

void check(const LoadPlan& plan) {
  constexpr uint64_t kMemory = uint64_t{12} << 30;
  constexpr uint64_t kLargest = uint64_t{65'535} * 65'536 - 16;
  if (plan.clients == 0) die("--clients must be at least 1");
  if (plan.size > kLargest) die("--size: protocol v3 carries at most 4 GiB in one file");
  if ((plan.clients + 1) * plan.size > kMemory)
    die("the ciphertexts would take more than 12 GiB of memory: fewer clients or a smaller size");
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_max < plan.clients + plan.idle_connections + 16)
    die("too many connections for this user's limit of open files (ulimit -n)");
}

}  // namespace
}  // namespace cb::bench

int main(int argc, char** argv) {
  const cb::bench::LoadPlan plan = cb::bench::plan_of(argc, argv);
  cb::bench::check(plan);
  return cb::bench::Load(plan).run();
}
