// Preloaded into a real program: once the file named by FAILING_SYNC is there, the next sync of a file whose path
// contains its first line fails (EIO); that one only, and the file is removed. As Linux does it, later syncs succeed.
// If the line begins with "full:", writes fail instead (EDQUOT, which no free space announces), as long as the file is
// there.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(int fd, int writes) {
    const char* order = getenv("FAILING_SYNC");
    char wanted[256], link[64], path[4096];
    if (order == NULL) return 0;
    FILE* file = fopen(order, "r");
    if (file == NULL) return 0;
    const char* line = fgets(wanted, sizeof wanted, file);
    fclose(file);
    if (line == NULL) return 0;
    wanted[strcspn(wanted, "\n")] = 0;
    const int full = strncmp(wanted, "full:", 5) == 0;
    if (full != writes) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    if (strstr(path, full ? wanted + 5 : wanted) == NULL) return 0;
    if (!full && unlink(order) != 0) return 0;
    errno = full ? EDQUOT : EIO;
    return 1;
}

int fdatasync(int fd) {
    static int (*next)(int);
    if (next == NULL) *(void**)&next = dlsym(RTLD_NEXT, "fdatasync");
    return fails(fd, 0) ? -1 : next(fd);
}

int fsync(int fd) {
    static int (*next)(int);
    if (next == NULL) *(void**)&next = dlsym(RTLD_NEXT, "fsync");
    return fails(fd, 0) ? -1 : next(fd);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
    static ssize_t (*next)(int, const void*, size_t, off64_t);
    if (next == NULL) *(void**)&next = dlsym(RTLD_NEXT, "pwrite64");
    return fails(fd, 1) ? -1 : next(fd, bytes, size, at);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
    return pwrite64(fd, bytes, size, at);
}
