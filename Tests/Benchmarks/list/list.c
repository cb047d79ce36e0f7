// A list of instances without an index: reads one record of each, and prints a table by name.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ascending(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

/// The value of a member that is a string, as long as it has no escapes.
static const char *member(const char *record, const char *key, int *length) {
  char pattern[64];
  snprintf(pattern, sizeof pattern, "\"%s\":\"", key);
  const char *found = strstr(record, pattern);
  if (!found) return *length = 1, "-";
  found += strlen(pattern);
  *length = strcspn(found, "\"");
  return found;
}

int main(int count, char **arguments) {
  DIR *folder = count == 2 ? opendir(arguments[1]) : NULL;
  if (!folder) return 64;
  char **names = NULL;
  size_t all = 0, widest = 0;
  for (struct dirent *entry; (entry = readdir(folder));) {
    if (entry->d_name[0] == '.') continue;
    if (all % 1024 == 0) names = realloc(names, (all + 1024) * sizeof *names);
    names[all++] = strdup(entry->d_name);
    if (strlen(entry->d_name) > widest) widest = strlen(entry->d_name);
  }
  if (names) qsort(names, all, sizeof *names, ascending);
  for (size_t i = 0; i < all; i++) {
    char path[512], record[8192];
    snprintf(path, sizeof path, "%s/instance.json", names[i]);
    int file = openat(dirfd(folder), path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, record, sizeof record - 1);
    if (size < 0) return 1;
    close(file);
    record[size] = 0;
    int lengths[4];
    const char *keys[] = {"os", "version", "platform", "createdAt"}, *values[4];
    for (int key = 0; key < 4; key++) values[key] = member(record, keys[key], &lengths[key]);
    printf("%-*s  %-7.*s  %-7.*s  %-6.*s  %.*s\n", (int)widest, names[i], lengths[0], values[0],
           lengths[1], values[1], lengths[2], values[2], lengths[3], values[3]);
  }
  return 0;
}
