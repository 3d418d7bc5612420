/* Puts the wall clock of a process back or forward: by the seconds in the file CLOCK_CONTROL. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift(void) {
  const char *path = getenv("CLOCK_CONTROL");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  char text[32] = {0};
  long seconds = 0;
  if (file < 0) return 0;
  if (read(file, text, sizeof text - 1) > 0) seconds = strtol(text, NULL, 10);
  close(file);
  return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int end = syscall(SYS_clock_gettime, clock, now);
  if (end == 0 && clock == CLOCK_REALTIME) now->tv_sec += shift();
  return end;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (at) *at = exact.tv_sec;
  return exact.tv_sec;
}
