// The least that a status can be: ask a control socket and print the answer.
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int count, char **arguments) {
  if (count != 2) return 64;
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, arguments[1], sizeof address.sun_path - 1);
  if (connect(client, (struct sockaddr *)&address, sizeof address) != 0) return 1;
  static const char request[] = "{\"request\":\"status\"}\n";
  if (write(client, request, sizeof request - 1) < 0) return 1;
  char answer[4096];
  ssize_t length = 0;
  while (length < (ssize_t)sizeof answer) {
    ssize_t got = read(client, answer + length, sizeof answer - length);
    if (got <= 0) return 1;
    length += got;
    if (answer[length - 1] == '\n') break;
  }
  return write(1, answer, length) == length ? 0 : 1;
}
