/* The limit: a blocking client that sends the bytes that QMPClient sends, and looks at no more of
   the replies than where their lines end.

     limit SOCKET

   Reads what to do from standard input, a line each, and answers with the nanoseconds of wall clock
   and of processor time that it took:

     trips N       N times query-status, one after the other
     flight N      N times query-status, 32 of them in flight: each reply is followed by a command
     batch N       the same, but the commands that follow the replies of one read are one write,
                   which a client with 32 independent callers can not do
     events N      one command that is answered after N events
     schema N      N times query-qmp-schema */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int monitor;
static long next_id = 1;
static char in[1 << 16], out[1 << 14];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static long long now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void send_all(const char *bytes, size_t count) {
  if (send(monitor, bytes, count, 0) != (ssize_t)count) fail("send");
}

/* How many lines one read has brought the end of. */
static long receive(void) {
  ssize_t count = recv(monitor, in, sizeof in, 0);
  if (count <= 0) fail("recv");
  long lines = 0;
  for (char *end = in; (end = memchr(end, '\n', (size_t)(in + count - end))); end++) lines++;
  return lines;
}

static void send_commands(const char *name, long count) {
  size_t length = 0;
  for (long i = 0; i < count; i++)
    length += (size_t)snprintf(out + length, sizeof out - length,
                               "{\"execute\":\"%s\",\"id\":%ld}\n", name, next_id++);
  send_all(out, length);
}

/* One command after the other; `lines` is what each is answered with. */
static void trips(const char *name, long count, long lines) {
  while (count-- > 0) {
    send_commands(name, 1);
    for (long received = 0; received < lines;) received += receive();
  }
}

static void flight(long count, int batched) {
  long sent = count < 32 ? count : 32;
  send_commands("query-status", sent);
  for (long received = 0; received < count;) {
    long lines = receive();
    received += lines;
    long more = count - sent < lines ? count - sent : lines;
    if (batched && more > 0) send_commands("query-status", more);
    for (long i = 0; !batched && i < more; i++) send_commands("query-status", 1);
    sent += more;
  }
}

int main(int count, char **arguments) {
  if (count != 2) return 64;
  monitor = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, arguments[1], sizeof address.sun_path - 1);
  if (connect(monitor, (struct sockaddr *)&address, sizeof address)) fail(arguments[1]);
  while (receive() == 0) {
  }
  trips("qmp_capabilities", 1, 1);
  char line[64], verb[16];
  long number;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%15s %ld", verb, &number) != 2) return 64;
    long long wall = now(CLOCK_MONOTONIC), processor = now(CLOCK_PROCESS_CPUTIME_ID);
    if (!strcmp(verb, "trips")) trips("query-status", number, 1);
    else if (!strcmp(verb, "flight")) flight(number, 0);
    else if (!strcmp(verb, "batch")) flight(number, 1);
    else if (!strcmp(verb, "events")) trips("flood", 1, number + 1);
    else if (!strcmp(verb, "schema")) trips("query-qmp-schema", number, 1);
    else return 64;
    processor = now(CLOCK_PROCESS_CPUTIME_ID) - processor;
    printf("%lld %lld\n", now(CLOCK_MONOTONIC) - wall, processor);
    fflush(stdout);
  }
}
