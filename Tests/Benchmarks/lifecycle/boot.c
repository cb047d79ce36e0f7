/* The least that starting QEMU can be: spawn it with its monitor on a socketpair, read the greeting,
   negotiate, and go.

     boot FD CREATE... -- PROGRAM ARGUMENT...

   CREATE is a command that is run before, such as the one that makes the overlay; it may be empty.
   QEMU finds its end of the socketpair at FD. Prints the clock (CLOCK_MONOTONIC, nanoseconds) when
   the reply to qmp_capabilities had come; kills QEMU when standard input ends. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void line(int monitor) {
  static char buffer[1 << 16];
  do {
    ssize_t count = recv(monitor, buffer, sizeof buffer, 0);
    if (count <= 0) fail("recv");
    if (buffer[count - 1] == '\n') return;
  } while (1);
}

int main(int count, char **arguments) {
  if (count < 4) return 64;
  int wanted = atoi(arguments[1]);
  char **create = arguments + 2, **command = create;
  while (*command && strcmp(*command, "--")) command++;
  if (!*command) return 64;
  *command++ = NULL;
  if (*create) {
    pid_t tool;
    int status;
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    if ((errno = posix_spawnp(&tool, *create, &quiet, NULL, create, environ))) fail(*create);
    waitpid(tool, &status, 0);
    if (status) return 1;
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) fail("socketpair");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  int theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, 100);
  posix_spawn_file_actions_adddup2(&actions, theirs, wanted);
  pid_t pid;
  if ((errno = posix_spawn(&pid, *command, &actions, NULL, command, environ))) fail(*command);
  line(ends[0]);
  static const char negotiate[] = "{\"execute\":\"qmp_capabilities\"}\n";
  if (send(ends[0], negotiate, sizeof negotiate - 1, 0) < 0) fail("send");
  line(ends[0]);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  printf("%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
  fflush(stdout);
  while (getchar() != EOF) {
  }
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  return 0;
}
