/* Stands in for QEMU where qvm looks for it, and says when the reply to qmp_capabilities came by.

     QVM_RELAY_QEMU=PROGRAM QVM_RELAY_LOG=FILE qemu-system-x86_64 ARGUMENT...

   Starts PROGRAM with the arguments, passes on what goes over the supervisor's monitor, and appends
   two times to FILE (CLOCK_MONOTONIC, nanoseconds): when it was started, and when the first empty
   return had been handed to the supervisor. Ends as PROGRAM ends. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int count, char **arguments) {
  long long started = now();
  int supervisor = -1;
  for (int i = 1; i < count; i++) {
    char *found = strstr(arguments[i], "id=supervisor,fd=");
    if (found) supervisor = atoi(found + 17);
  }
  char *program = getenv("QVM_RELAY_QEMU"), *log = getenv("QVM_RELAY_LOG");
  if (!program || !log) return 64;
  arguments[0] = program;
  // A question for its version or its firmware.
  if (supervisor < 0) return execv(program, arguments);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) return 1;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  int theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, 100);
  close(ends[1]);
  posix_spawn_file_actions_adddup2(&actions, theirs, supervisor);
  pid_t pid;
  if ((errno = posix_spawn(&pid, program, &actions, NULL, arguments, environ))) return 1;
  close(theirs);
  struct pollfd either[2] = {{.fd = supervisor, .events = POLLIN}, {.fd = ends[0], .events = POLLIN}};
  int answered = 0;
  static char bytes[1 << 16];
  while (poll(either, 2, -1) > 0 || errno == EINTR) {
    if (either[0].revents) {
      ssize_t got = recv(supervisor, bytes, sizeof bytes, 0);
      if (got <= 0) break;
      if (send(ends[0], bytes, got, MSG_NOSIGNAL) != got) break;
    }
    if (either[1].revents) {
      ssize_t got = recv(ends[0], bytes, sizeof bytes - 1, 0);
      if (got <= 0) break;
      if (send(supervisor, bytes, got, MSG_NOSIGNAL) != got) break;
      bytes[got] = 0;
      if (!answered && strstr(bytes, "\"return\"")) {
        answered = 1;
        FILE *file = fopen(log, "a");
        if (file) fprintf(file, "%lld %lld\n", started, now());
        if (file) fclose(file);
      }
    }
  }
  shutdown(supervisor, SHUT_RDWR);
  close(ends[0]);
  int status;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
