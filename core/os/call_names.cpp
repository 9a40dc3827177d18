// SPDX-License-Identifier: Apache-2.0
#include "core/os/call_names.h"

#include <sstream>

namespace cb::os {
namespace {

// Not among them, since the filter looks at what they are told: clone, ioctl, personality, socket.
constexpr const char* kAllowed =
    "accept accept4 access alarm arch_prctl bind brk cachestat capget chdir chmod chown "
    "clock_getres clock_gettime clock_nanosleep close close_range connect copy_file_range "
    "creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 "
    "epoll_wait eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 "
    "fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync "
    "fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate "
    "futex futex_waitv futimesat get_mempolicy get_robust_list getcpu getcwd getdents "
    "getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid "
    "getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname "
    "getsockopt gettid gettimeofday getuid getxattr inotify_add_watch inotify_init "
    "inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup "
    "io_submit ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset "
    "landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr "
    "lremovexattr lseek lsetxattr lstat madvise membarrier memfd_create mincore mkdir mkdirat "
    "mknod mknodat mlock mlock2 mlockall mmap mprotect mq_getsetattr mq_notify mq_open "
    "mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock "
    "munlockall munmap name_to_handle_at nanosleep newfstatat open openat openat2 pause "
    "pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll "
    "prctl pread64 preadv preadv2 prlimit64 pselect6 pwrite64 pwritev pwritev2 read readahead "
    "readlink readlinkat readv recv recvfrom recvmmsg recvmsg removexattr rename renameat "
    "renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask "
    "rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo "
    "sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr "
    "sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr "
    "sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop "
    "semtimedop send sendfile sendmmsg sendmsg sendto set_robust_list set_tid_address "
    "setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid "
    "setresuid setreuid setrlimit setsid setsockopt setuid setxattr shmat shmctl shmdt shmget "
    "shutdown sigaltstack signalfd signalfd4 socketpair splice stat statfs statx symlink "
    "symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete "
    "timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime "
    "timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat utimes "
    "vfork vmsplice wait4 waitid write writev";

constexpr const char* kDeadly =
    "add_key bpf delete_module finit_module fsconfig fsmount fsopen fspick init_module "
    "io_uring_enter io_uring_register io_uring_setup ioperm iopl kexec_file_load kexec_load "
    "keyctl lookup_dcookie modify_ldt mount mount_setattr move_mount open_by_handle_at "
    "open_tree perf_event_open pidfd_getfd pivot_root process_madvise process_vm_readv "
    "process_vm_writev ptrace reboot request_key setns swapoff swapon umount umount2 unshare "
    "userfaultfd vm86 vm86old";

std::vector<std::string> words_of(const char* text) {
  std::vector<std::string> all;
  std::istringstream words(text);
  for (std::string word; words >> word;) all.push_back(word);
  return all;
}

}  // namespace

std::vector<std::string> allowed_calls() { return words_of(kAllowed); }

std::vector<std::string> deadly_calls() { return words_of(kDeadly); }

}  // namespace cb::os
