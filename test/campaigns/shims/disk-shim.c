// Loaded into a server with LD_PRELOAD, this sees what it does to the files of one directory.
// It records each operation, so that a power cut can be replayed at any point, and makes chosen
// operations fail as a disk does. disk-shim.ts compiles it and knows its formats.
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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { OP_WRITE = 1, OP_SYNC = 2, OP_OPEN = 4, OP_READ = 8, OP_TRUNCATE = 16, OP_UNLINK = 32, OP_CREATE = 64 };

// Written by the campaign while the server runs.
struct control {
  uint32_t ops;     // Operations that fail, as a mask; 0 for none.
  int32_t error;    // Their errno; 0 makes a write short instead.
  int32_t skip;     // Operations that still succeed before.
  int32_t count;    // Operations that fail then.
  int32_t hits;     // How many have failed.
};

#define MAX_FD 4096
static char *names[MAX_FD];
static const char *dir;
static size_t dir_length;
static int record = -1;
static volatile struct control *control;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void start(void) {
  dir = getenv("SHIM_DIR");
  if (!dir) return;
  dir_length = strlen(dir);
  const char *path = getenv("SHIM_RECORD");
  if (path) record = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  path = getenv("SHIM_CONTROL");
  if (!path) return;
  int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR, 0);
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  control = mapped == MAP_FAILED ? NULL : mapped;
}

// The name inside of the directory, or NULL. The index of the log is shared memory, and is built
// anew after a crash: it is left alone, as the lock of the directory is.
static const char *watched(const char *path) {
  if (!dir || !path || strncmp(path, dir, dir_length) != 0 || path[dir_length] != '/') return NULL;
  const char *name = path + dir_length + 1;
  return strstr(name, "-shm") || strstr(name, "hutch.lock") ? NULL : name;
}

static const char *name_of(int fd) { return fd >= 0 && fd < MAX_FD ? names[fd] : NULL; }

static int fails(uint32_t op) {
  volatile struct control *c = control;
  if (!c || !(c->ops & op) || c->count == 0) return 0;
  if (c->skip > 0) {
    c->skip--;
    return 0;
  }
  if (c->count > 0) c->count--;
  c->hits++;
  return 1;
}

// One record: a head of fixed size, the name, the bytes.
struct head {
  int64_t at;  // ns of the wall clock, before the operation began.
  int64_t offset;
  uint32_t op;
  uint32_t name_length;
  uint64_t length;
};

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void put(const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t written = syscall(SYS_write, record, at, length);
    if (written <= 0) abort();
    at += written;
    length -= written;
  }
}

static void note(int64_t at, uint32_t op, const char *name, int64_t offset, const void *bytes, size_t length) {
  if (record < 0) return;
  int saved = errno;
  struct head head = {at, offset, op, strlen(name), bytes ? length : 0};
  if (!bytes) head.length = 0;
  pthread_mutex_lock(&mutex);
  put(&head, sizeof head);
  put(name, head.name_length);
  if (bytes) put(bytes, length);
  pthread_mutex_unlock(&mutex);
  errno = saved;
}

static int opened(int fd, const char *path, int is_new) {
  const char *name = watched(path);
  if (fd < 0 || fd >= MAX_FD) return fd;
  free(names[fd]);
  names[fd] = name ? strdup(name) : NULL;
  if (name && is_new) note(now(), OP_CREATE, name, 0, NULL, 0);
  return fd;
}

static int open_at(int at, const char *path, int flags, mode_t mode) {
  const char *name = watched(path);
  int is_new = name && (flags & O_CREAT) && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
  if (name && fails(OP_OPEN)) {
    errno = control->error;
    return -1;
  }
  return opened(syscall(SYS_openat, at, path, flags, mode), path, is_new);
}

#define OPEN(NAME)                                            \
  int NAME(const char *path, int flags, ...) {                \
    va_list rest;                                             \
    va_start(rest, flags);                                    \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                             \
    return open_at(AT_FDCWD, path, flags, mode);              \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(NAME)                                          \
  int NAME(int at, const char *path, int flags, ...) {        \
    va_list rest;                                             \
    va_start(rest, flags);                                    \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                             \
    return open_at(at, path, flags, mode);                    \
  }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
  if (fd >= 0 && fd < MAX_FD && names[fd]) {
    free(names[fd]);
    names[fd] = NULL;
  }
  return syscall(SYS_close, fd);
}

// Half of it, as a disk with little room takes it; -1 with errno set for a failure.
static ssize_t write_at(int fd, const void *bytes, size_t length, int64_t offset, int is_at) {
  const char *name = name_of(fd);
  int64_t at = name ? now() : 0;
  if (name && fails(OP_WRITE)) {
    if (control->error != 0) {
      errno = control->error;
      return -1;
    }
    length = length / 2 > 0 ? length / 2 : length;
  }
  if (name && !is_at && record >= 0) offset = syscall(SYS_lseek, fd, 0, SEEK_CUR);
  ssize_t written = is_at ? syscall(SYS_pwrite64, fd, bytes, length, offset) : syscall(SYS_write, fd, bytes, length);
  if (name && written > 0) note(at, OP_WRITE, name, offset, bytes, written);
  return written;
}

ssize_t write(int fd, const void *bytes, size_t length) { return write_at(fd, bytes, length, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return write_at(fd, bytes, length, offset, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return write_at(fd, bytes, length, offset, 1); }

static int read_fails(int fd) {
  if (!name_of(fd) || !fails(OP_READ)) return 0;
  errno = control->error ? control->error : EIO;
  return 1;
}

ssize_t read(int fd, void *bytes, size_t length) { return read_fails(fd) ? -1 : syscall(SYS_read, fd, bytes, length); }
ssize_t pread(int fd, void *bytes, size_t length, off_t offset) { return read_fails(fd) ? -1 : syscall(SYS_pread64, fd, bytes, length, offset); }
ssize_t pread64(int fd, void *bytes, size_t length, off64_t offset) { return read_fails(fd) ? -1 : syscall(SYS_pread64, fd, bytes, length, offset); }

static int sync_with(long call, int fd) {
  const char *name = name_of(fd);
  int64_t at = name ? now() : 0;
  if (name && fails(OP_SYNC)) {
    errno = control->error ? control->error : EIO;
    return -1;
  }
  int result = syscall(call, fd);
  if (name && result == 0) note(at, OP_SYNC, name, 0, NULL, 0);
  return result;
}

int fsync(int fd) { return sync_with(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_with(SYS_fdatasync, fd); }

static int truncate_to(int fd, int64_t length) {
  const char *name = name_of(fd);
  int64_t at = name ? now() : 0;
  if (name && fails(OP_TRUNCATE)) {
    errno = control->error ? control->error : EIO;
    return -1;
  }
  int result = syscall(SYS_ftruncate, fd, length);
  if (name && result == 0) note(at, OP_TRUNCATE, name, length, NULL, 0);
  return result;
}

int ftruncate(int fd, off_t length) { return truncate_to(fd, length); }
int ftruncate64(int fd, off64_t length) { return truncate_to(fd, length); }

int unlink(const char *path) {
  int64_t at = now();
  int result = syscall(SYS_unlink, path);
  const char *name = watched(path);
  if (name && result == 0) note(at, OP_UNLINK, name, 0, NULL, 0);
  return result;
}
