/* A wall clock that a test sets: CLOCK_FILE holds by how many seconds it differs from the machine's, how many it
   gains a second, and since when (of the monotonic clock). Nothing else is changed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    char text[100] = "";
    double ahead = 0, gains = 0, since = 0;
    struct timespec passed;
    int result = syscall(SYS_clock_gettime, clock, now);
    if (result || clock != CLOCK_REALTIME)
        return result;
    int file = open(getenv("CLOCK_FILE"), O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        if (read(file, text, sizeof text - 1) > 0)
            sscanf(text, "%lf %lf %lf", &ahead, &gains, &since);
        close(file);
    }
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &passed);
    ahead += gains * (passed.tv_sec + passed.tv_nsec / 1e9 - since);
    long long nanoseconds = now->tv_sec * 1000000000LL + now->tv_nsec + (long long)(ahead * 1e9);
    now->tv_sec = nanoseconds / 1000000000;
    now->tv_nsec = nanoseconds % 1000000000;
    return 0;
}
