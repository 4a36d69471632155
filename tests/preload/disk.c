/* A disk that can be watched and can fail, for programs started with LD_PRELOAD.
 *
 * Files whose path begins with DISK_FILES are watched (shared memory of SQLite, `-shm`, is not: it is lost with the
 * power in any case). The path of the program's own list of what it was promised, DISK_PROMISES, is watched too, but
 * never fails.
 *
 *   DISK_JOURNAL   every open, write, truncation, sync and removal is appended to this file, as a header
 *                  { u8 operation, u8 file, u16 0, u32 length, u64 offset } in the machine's byte order and the bytes
 *   DISK_FAIL      "<operation><n> <errno>": the n-th operation fails once with this error; operation w write, s sync,
 *                  t truncation; errno 0 with w is a short write, of half of the bytes
 *   DISK_FULL_IF   while this file exists, every write fails with ENOSPC
 *
 * Build: cc -O1 -shared -fPIC disk.c -o disk.so -ldl -lpthread
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MOST_FILES = 4096, PROMISES = 255 };

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off64_t);
static int (*real_close)(int);
static int (*real_unlink)(const char *);
static int (*real_fcntl)(int, int, ...);
static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t file_of[MOST_FILES];
static uint8_t files;
static int journal = -1;
static const char *watched, *promises, *full_if;
static char fail_operation;
static long fail_number, seen;
static int fail_errno;

static void prepare(void) {
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_writev = dlsym(RTLD_NEXT, "writev");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_close = dlsym(RTLD_NEXT, "close");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  real_fcntl = dlsym(RTLD_NEXT, "fcntl64");
  real_open = dlsym(RTLD_NEXT, "open64");
  real_openat = dlsym(RTLD_NEXT, "openat64");
  watched = getenv("DISK_FILES");
  promises = getenv("DISK_PROMISES");
  full_if = getenv("DISK_FULL_IF");
  const char *path = getenv("DISK_JOURNAL");
  if (path) journal = real_open(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  const char *fail = getenv("DISK_FAIL");
  if (fail) sscanf(fail, "%c%ld %d", &fail_operation, &fail_number, &fail_errno);
}

static void note(char operation, int file, uint64_t offset, const void *bytes, size_t length) {
  if (journal < 0) return;
  struct { uint8_t operation, file; uint16_t zero; uint32_t length; uint64_t offset; } header =
      { (uint8_t)operation, (uint8_t)file, 0, (uint32_t)length, offset };
  struct iovec parts[2] = { { &header, sizeof header }, { (void *)bytes, length } };
  pthread_mutex_lock(&lock);
  if (real_writev(journal, parts, length ? 2 : 1) < 0) abort();
  pthread_mutex_unlock(&lock);
}

static int is_watched(const char *path) {
  size_t length = strlen(path);
  if (promises && !strcmp(path, promises)) return PROMISES;
  if (length >= 4 && !strcmp(path + length - 4, "-shm")) return 0;
  return watched && !strncmp(path, watched, strlen(watched));
}

static int opened(int descriptor, const char *path) {
  if (descriptor < 0 || descriptor >= MOST_FILES) return descriptor;
  int kind = is_watched(path);
  file_of[descriptor] = 0;
  if (kind) {
    pthread_mutex_lock(&lock);
    file_of[descriptor] = kind == PROMISES ? PROMISES : ++files;
    pthread_mutex_unlock(&lock);
    note('O', file_of[descriptor], 0, path, strlen(path));
  }
  return descriptor;
}

static int file(int descriptor) {
  return descriptor >= 0 && descriptor < MOST_FILES ? file_of[descriptor] : 0;
}

/* Whether this operation is the one that fails. */
static int fails(char operation, int of) {
  if (of == PROMISES || operation != fail_operation) return 0;
  return __sync_add_and_fetch(&seen, 1) == fail_number;
}

static int is_full(int of) { return of != PROMISES && full_if && access(full_if, F_OK) == 0; }

#define MODE                                      \
  mode_t mode = 0;                                \
  if (flags & (O_CREAT | O_TMPFILE)) {            \
    va_list rest;                                 \
    va_start(rest, flags);                        \
    mode = (mode_t)va_arg(rest, int);             \
    va_end(rest);                                 \
  }

int open(const char *path, int flags, ...) {
  pthread_once(&once, prepare);
  MODE return opened(real_open(path, flags, mode), path);
}

int open64(const char *path, int flags, ...) {
  pthread_once(&once, prepare);
  MODE return opened(real_open(path, flags, mode), path);
}

int openat(int folder, const char *path, int flags, ...) {
  pthread_once(&once, prepare);
  MODE return opened(real_openat(folder, path, flags, mode), path);
}

int openat64(int folder, const char *path, int flags, ...) {
  pthread_once(&once, prepare);
  MODE return opened(real_openat(folder, path, flags, mode), path);
}

/* A duplicated descriptor is the same file. */
int fcntl64(int descriptor, int command, ...) {
  pthread_once(&once, prepare);
  va_list rest;
  va_start(rest, command);
  long argument = va_arg(rest, long);
  va_end(rest);
  int result = real_fcntl(descriptor, command, argument);
  if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && result >= 0 && result < MOST_FILES)
    file_of[result] = (uint8_t)file(descriptor);
  return result;
}

int fcntl(int descriptor, int command, ...) {
  va_list rest;
  va_start(rest, command);
  long argument = va_arg(rest, long);
  va_end(rest);
  return fcntl64(descriptor, command, argument);
}

int close(int descriptor) {
  pthread_once(&once, prepare);
  if (descriptor >= 0 && descriptor < MOST_FILES) file_of[descriptor] = 0;
  return real_close(descriptor);
}

static ssize_t write_at(int descriptor, const void *bytes, size_t length, off64_t offset) {
  int of = file(descriptor);
  if (is_full(of)) {
    errno = ENOSPC;
    return -1;
  }
  if (fails('w', of)) {
    if (fail_errno) {
      errno = fail_errno;
      return -1;
    }
    length = length > 1 ? length / 2 : length;
  }
  ssize_t written = real_pwrite(descriptor, bytes, length, offset);
  if (written > 0) note('W', of, (uint64_t)offset, bytes, (size_t)written);
  return written;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t offset) {
  pthread_once(&once, prepare);
  if (!file(descriptor)) return real_pwrite(descriptor, bytes, length, offset);
  return write_at(descriptor, bytes, length, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset) {
  return pwrite64(descriptor, bytes, length, offset);
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  pthread_once(&once, prepare);
  if (!file(descriptor)) return real_write(descriptor, bytes, length);
  off64_t offset = lseek64(descriptor, 0, SEEK_CUR);
  ssize_t written = write_at(descriptor, bytes, length, offset);
  if (written > 0) lseek64(descriptor, offset + written, SEEK_SET);
  return written;
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  pthread_once(&once, prepare);
  if (!file(descriptor)) return real_writev(descriptor, parts, count);
  ssize_t total = 0;
  for (int i = 0; i < count; i++) {
    if (!parts[i].iov_len) continue;
    ssize_t written = write(descriptor, parts[i].iov_base, parts[i].iov_len);
    if (written < 0) return total ? total : -1;
    total += written;
    if ((size_t)written < parts[i].iov_len) break;
  }
  return total;
}

static int synced(int descriptor, int (*sync)(int)) {
  int of = file(descriptor);
  if (!of) return sync(descriptor);
  if (fails('s', of)) {
    errno = fail_errno;
    return -1;
  }
  int result = sync(descriptor);
  if (!result) note('S', of, 0, NULL, 0);
  return result;
}

int fsync(int descriptor) {
  pthread_once(&once, prepare);
  return synced(descriptor, real_fsync);
}

int fdatasync(int descriptor) {
  pthread_once(&once, prepare);
  return synced(descriptor, real_fdatasync);
}

int ftruncate64(int descriptor, off64_t length) {
  pthread_once(&once, prepare);
  int of = file(descriptor);
  if (of && fails('t', of)) {
    errno = fail_errno;
    return -1;
  }
  int result = real_ftruncate(descriptor, length);
  if (of && !result) note('T', of, (uint64_t)length, NULL, 0);
  return result;
}

int ftruncate(int descriptor, off_t length) { return ftruncate64(descriptor, length); }

int unlink(const char *path) {
  pthread_once(&once, prepare);
  int result = real_unlink(path);
  if (!result && is_watched(path)) note('U', 0, 0, path, strlen(path));
  return result;
}
