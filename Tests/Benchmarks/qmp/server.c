/* A monitor that costs nothing: greets, and answers at once with replies that real QEMUs gave.

     server SOCKET SCHEMA

   SCHEMA is a file that holds the reply of QEMU to query-qmp-schema, one line. query-status gets a
   fixed reply, as does any other command; flood gets FLOOD events, then its reply. What has come in
   one read is answered in one write. One process for each client; ends when it is killed. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FLOOD = 20000, EVENT_SIZE = 160 };

static const char greeting[] =
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, \"package\": "
    "\"\"}, \"capabilities\": [\"oob\"]}}\r\n";
static const char status[] =
    "{\"return\": {\"status\": \"running\", \"singlestep\": false, \"running\": true}";
static const char empty[] = "{\"return\": {}";

static char *schema;
static size_t schema_length; /* up to, not including, the closing brace */
static char *flood;
static size_t flood_length;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* Appends bytes; where the next ones go. */
static char *put(char *out, const char *bytes, size_t count) {
  memcpy(out, bytes, count);
  return out + count;
}

static void write_all(int fd, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t written = write(fd, bytes, count);
    if (written <= 0) _exit(0);
    bytes += written;
    count -= (size_t)written;
  }
}

static void read_schema(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) fail(path);
  size_t capacity = 0;
  ssize_t length = getline(&schema, &capacity, file);
  fclose(file);
  if (length < 2) fail("empty schema");
  /* Its own id goes: each client brings another. QEMU writes it last. */
  const char *id = memmem(schema + length - 64, 64, ", \"id\":", 7);
  schema_length = id ? (size_t)(id - schema) : (size_t)(strrchr(schema, '}') - schema);
}

/* All events, numbered from 1000000: sending them is all that is left to do. */
static void make_flood(void) {
  flood = malloc((size_t)FLOOD * EVENT_SIZE);
  if (!flood) fail("malloc");
  for (int i = 0; i < FLOOD; i++)
    flood_length += (size_t)snprintf(
        flood + flood_length, EVENT_SIZE,
        "{\"timestamp\": {\"seconds\": 1767225600, \"microseconds\": %d}, \"event\": "
        "\"RTC_CHANGE\", \"data\": {\"offset\": %d, \"qom-path\": \"/machine/unattached/rtc\"}}\r\n",
        100000 + i % 900000, 1000000 + i);
}

/* Appends the id of a command, as it was written, and the end of the reply. */
static char *finish(char *out, const char *line, const char *end) {
  const char *id = memmem(line, (size_t)(end - line), "\"id\":", 5);
  if (id) {
    id += 5;
    while (*id == ' ') id++;
    const char *stop = id;
    while (stop < end && *stop != ',' && *stop != '}') stop++;
    out = put(out, ", \"id\": ", 8);
    out = put(out, id, (size_t)(stop - id));
  }
  return put(out, "}\r\n", 3);
}

/* Where the command that begins at `line` ends, behind its last brace; NULL where it is not all
   there. As with QEMU it need not end a line, and qemu.qmp's don't. No string here has braces. */
static const char *command_end(const char *line, const char *limit) {
  int depth = 0;
  for (; line < limit; line++) {
    if (*line == '{') depth++;
    if (*line == '}' && --depth == 0) return line + 1;
  }
  return NULL;
}

static void serve(int fd) {
  static char in[1 << 16], out[1 << 18];
  size_t held = 0;
  write_all(fd, greeting, sizeof greeting - 1);
  for (;;) {
    ssize_t count = read(fd, in + held, sizeof in - held);
    if (count <= 0) _exit(0);
    held += (size_t)count;
    const char *line = in, *limit = in + held, *end;
    char *next = out;
    while ((end = command_end(line, limit))) {
      size_t length = (size_t)(end - line);
      if (memmem(line, length, "\"query-status\"", 14)) {
        next = put(next, status, sizeof status - 1);
      } else {
        int large = memmem(line, length, "\"query-qmp-schema\"", 18) ? 1
                    : memmem(line, length, "\"flood\"", 7)          ? 2
                                                                    : 0;
        if (large) {
          write_all(fd, out, (size_t)(next - out));
          next = out;
          write_all(fd, large == 1 ? schema : flood, large == 1 ? schema_length : flood_length);
        }
        if (large != 1) next = put(next, empty, sizeof empty - 1);
      }
      next = finish(next, line, end);
      line = end;
    }
    write_all(fd, out, (size_t)(next - out));
    held = (size_t)(limit - line);
    memmove(in, line, held);
  }
}

int main(int count, char **arguments) {
  if (count != 3) return 64;
  read_schema(arguments[2]);
  make_flood();
  signal(SIGCHLD, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, arguments[1], sizeof address.sun_path - 1);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16))
    fail(arguments[1]);
  for (;;) {
    int client = accept(listener, NULL, NULL);
    if (client < 0) fail("accept");
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
      close(listener);
      serve(client);
    }
    close(client);
  }
}
