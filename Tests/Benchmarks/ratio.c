// Times two commands in turn, A B A B …, and prints the medians, the most memory that a run of each
// took (the resident set), and the median of the ratios.
//
//   ratio RUNS LABEL 'A' 'B' [BLOCK]
//
// With BLOCK, each turn is so many runs of A in a row, then so many of B, of which the median
// counts: where one of them leaves the processor's caches cold, that isn't counted for the other.
//
// Each command is split at spaces and started without a shell, its output going to /dev/null: what
// is measured is the whole process, from its start to its end.
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static char **words(char *text) {
  char **list = calloc(64, sizeof *list);
  int count = 0;
  for (char *word = strtok(text, " "); word && count < 63; word = strtok(NULL, " "))
    list[count++] = word;
  return list;
}

static double run(char **argv, double *memory) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  struct timespec begin, end;
  pid_t pid;
  int status;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  if (posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) != 0) {
    fprintf(stderr, "cannot start %s\n", argv[0]);
    exit(1);
  }
  struct rusage usage;
  wait4(pid, &status, 0, &usage);
  clock_gettime(CLOCK_MONOTONIC, &end);
  posix_spawn_file_actions_destroy(&actions);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fprintf(stderr, "%s failed\n", argv[0]);
    exit(1);
  }
#ifdef __APPLE__
  double mebibytes = usage.ru_maxrss / 1048576.0;
#else
  double mebibytes = usage.ru_maxrss / 1024.0;
#endif
  if (mebibytes > *memory) *memory = mebibytes;
  return (end.tv_sec - begin.tv_sec) * 1e3 + (end.tv_nsec - begin.tv_nsec) / 1e6;
}

static int ascending(const void *left, const void *right) {
  double difference = *(const double *)left - *(const double *)right;
  return (difference > 0) - (difference < 0);
}

static double median(double *values, int count) {
  qsort(values, count, sizeof *values, ascending);
  return values[count / 2];
}

static double runBlock(char **argv, int size, double *memory) {
  double times[size];
  for (int i = 0; i < size; i++) times[i] = run(argv, memory);
  return median(times, size);
}

int main(int count, char **arguments) {
  if (count != 5 && count != 6) return 64;
  int runs = atoi(arguments[1]), block = count == 6 ? atoi(arguments[5]) : 1;
  char **a = words(strdup(arguments[3])), **b = words(strdup(arguments[4]));
  double *as = calloc(runs, sizeof *as), *bs = calloc(runs, sizeof *bs);
  double *ratios = calloc(runs, sizeof *ratios);
  double memoryOfA = 0, memoryOfB = 0;
  for (int i = -5; i < runs; i++) {  // five rounds to warm up
    double left = runBlock(a, block, &memoryOfA), right = runBlock(b, block, &memoryOfB);
    if (i < 0) continue;
    as[i] = left;
    bs[i] = right;
    ratios[i] = left / right;
  }
  double left = median(as, runs), right = median(bs, runs);
  printf("%-24s qvm %.2f ms %.1f MiB, C %.2f ms %.1f MiB, ratio %.2f\n", arguments[2], left,
         memoryOfA, right, memoryOfB, median(ratios, runs));
  return 0;
}
