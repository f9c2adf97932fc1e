/* A disk that fails, and a witness of what is written: preloaded into our own programs by the tests.
 *
 * FAULTS_ROOT   the folder whose files count; nothing else is touched
 * FAULTS_COUNT  a file of 16 bytes that all processes share: how many calls there were, and which one fails
 * FAULTS_CALLS  the calls that count, each between spaces; all, if it is not set
 * FAULTS_ERRNO  what that call says
 * FAULTS_HIT    a file that gets the name of the call that failed
 * FAULTS_LOG    a file that gets every write, truncation, sync and rename: u8 kind, u32 path, u64 at, u32 data, then both
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *root;
static uint64_t *count;
static int fault = EIO;
static int log_fd = -1;
static pid_t log_owner;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  root = getenv("FAULTS_ROOT");
  const char *counter = getenv("FAULTS_COUNT"), *number = getenv("FAULTS_ERRNO"), *log = getenv("FAULTS_LOG");
  if (number) fault = atoi(number);
  if (counter) {
    int fd = (int)syscall(SYS_openat, AT_FDCWD, counter, O_RDWR | O_CLOEXEC);
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) count = map;
    if (fd >= 0) syscall(SYS_close, fd);
  }
  if (log) {
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    log_owner = getpid();
  }
}

/* Whether this call is the one that fails. */
static int fails(const char *call, const char *path) {
  const char *calls = getenv("FAULTS_CALLS");
  char word[64];
  snprintf(word, sizeof word, " %s ", call);
  if (!count || (calls && !strstr(calls, word))) return 0;
  if (__atomic_add_fetch(&count[0], 1, __ATOMIC_SEQ_CST) != count[1]) return 0;
  const char *hit = getenv("FAULTS_HIT");
  int fd = hit ? (int)syscall(SYS_openat, AT_FDCWD, hit, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  if (fd >= 0) {
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%s %s\n", call, path);
    syscall(SYS_write, fd, line, length);
    syscall(SYS_close, fd);
  }
  errno = fault;
  return 1;
}

static int ours(const char *path) { return root && path && strncmp(path, root, strlen(root)) == 0; }

static int path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return ours(path);
}

static void record(char kind, const char *path, uint64_t at, const void *data, size_t length) {
  if (log_fd < 0 || getpid() != log_owner) return;
  unsigned char head[17];
  uint32_t name = (uint32_t)strlen(path), size = (uint32_t)length;
  head[0] = (unsigned char)kind;
  memcpy(head + 1, &name, 4);
  memcpy(head + 5, &at, 8);
  memcpy(head + 13, &size, 4);
  struct iovec parts[3] = {{head, 17}, {(void *)path, name}, {(void *)data, length}};
  syscall(SYS_writev, log_fd, parts, 3);
}

#define FAULTY(fd, call)                                   \
  char path[PATH_MAX];                                     \
  int known = (count || log_fd >= 0) && path_of(fd, path); \
  if (known && fails(call, path)) return -1

static uint64_t position(int fd, size_t wrote) {
  struct stat seen;
  if (fcntl(fd, F_GETFL) & O_APPEND) return fstat(fd, &seen) == 0 ? (uint64_t)seen.st_size - wrote : 0;
  off_t at = lseek(fd, 0, SEEK_CUR);
  return at < 0 ? 0 : (uint64_t)at - wrote;
}

ssize_t write(int fd, const void *data, size_t length) {
  FAULTY(fd, "write");
  ssize_t wrote = REAL(write)(fd, data, length);
  if (known && wrote > 0) record('w', path, position(fd, (size_t)wrote), data, (size_t)wrote);
  return wrote;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
  FAULTY(fd, "pwrite");
  ssize_t wrote = REAL(pwrite64)(fd, data, length, at);
  if (known && wrote > 0) record('w', path, (uint64_t)at, data, (size_t)wrote);
  return wrote;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }

int fsync(int fd) {
  FAULTY(fd, "fsync");
  int done = REAL(fsync)(fd);
  if (known && done == 0) record('s', path, 0, "", 0);
  return done;
}

int fdatasync(int fd) {
  FAULTY(fd, "fdatasync");
  int done = REAL(fdatasync)(fd);
  if (known && done == 0) record('s', path, 0, "", 0);
  return done;
}

int ftruncate64(int fd, off64_t length) {
  FAULTY(fd, "ftruncate");
  int done = REAL(ftruncate64)(fd, length);
  if (known && done == 0) record('t', path, (uint64_t)length, "", 0);
  return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int rename(const char *from, const char *to) {
  if (ours(to) && fails("rename", to)) return -1;
  int done = REAL(rename)(from, to);
  if (done == 0 && ours(to)) record('r', from, 0, to, strlen(to));
  return done;
}

int unlink(const char *path) {
  if (ours(path) && fails("unlink", path)) return -1;
  int done = REAL(unlink)(path);
  if (done == 0 && ours(path)) record('u', path, 0, "", 0);
  return done;
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
  if (ours(path) && fails("open", path)) return -1;
  int fd = (int)syscall(SYS_openat, folder, path, flags | O_LARGEFILE, mode);
  if (fd >= 0 && ours(path) && (flags & O_TRUNC)) record('t', path, 0, "", 0);
  if (fd >= 0 && ours(path) && (flags & O_CREAT)) record('c', path, 0, "", 0);
  return fd;
}

#define MODE                                     \
  mode_t mode = 0;                               \
  if (flags & (O_CREAT | O_TMPFILE)) {           \
    va_list rest;                                \
    va_start(rest, flags);                       \
    mode = (mode_t)va_arg(rest, int);            \
    va_end(rest);                                \
  }

int open64(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags, mode); }
int open(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE return opened(folder, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE return opened(folder, path, flags, mode); }

int connect(int fd, const struct sockaddr *to, socklen_t length) {
  if (root && fails("connect", "")) return -1;
  return REAL(connect)(fd, to, length);
}

pid_t fork(void) {
  if (root && fails("fork", "")) return -1;
  return REAL(fork)();
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *how,
                char *const words[], char *const environment[]) {
  if (root && fails("spawn", path)) return fault;
  return REAL(posix_spawn)(pid, path, actions, how, words, environment);
}

int posix_spawnp(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *how,
                 char *const words[], char *const environment[]) {
  if (root && fails("spawn", path)) return fault;
  return REAL(posix_spawnp)(pid, path, actions, how, words, environment);
}
