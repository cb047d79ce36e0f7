// A wall clock that jumps a day ahead and back with every look at it, to be preloaded:
//
//   clang -shared -fPIC -O1 jumping.c -o jumping.so
//   LD_PRELOAD=jumping.so PROGRAM
//
// The clocks that only go forward are left alone.
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int looks;

static long jump(void) {
  const long day = 86400;
  return __atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED) % 2 ? day : -day;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) time->tv_sec += jump();
  return result;
}

int gettimeofday(struct timeval *time, void *zone) {
  (void)zone;
  int result = (int)syscall(SYS_gettimeofday, time, 0);
  time->tv_sec += jump();
  return result;
}

time_t time(time_t *place) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (place) *place = now.tv_sec;
  return now.tv_sec;
}
