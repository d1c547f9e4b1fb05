/* Lets the TEAR_CALL-th write(2) to TEAR_FILE through for TEAR_BYTES only; then returns, or with TEAR_KILL kills.
   With TEAR_CLOSE each close(2) of it reports EIO; as on Linux, the descriptor is gone all the same. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_file(int descriptor) {
    char link[64], path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    return readlink(link, path, sizeof path - 1) > 0 && !strcmp(path, getenv("TEAR_FILE"));
}

ssize_t write(int descriptor, const void *text, size_t size) {
    static int calls;
    if (!is_file(descriptor) || ++calls != atoi(getenv("TEAR_CALL")))
        return syscall(SYS_write, descriptor, text, size);
    size_t most = atoi(getenv("TEAR_BYTES"));
    ssize_t written = most ? syscall(SYS_write, descriptor, text, most < size ? most : size) : 0;
    if (getenv("TEAR_KILL"))
        kill(getpid(), SIGKILL);
    return written;
}

int close(int descriptor) {
    int fails = getenv("TEAR_CLOSE") && is_file(descriptor);
    int result = syscall(SYS_close, descriptor);
    if (fails) {
        errno = EIO;
        return -1;
    }
    return result;
}
