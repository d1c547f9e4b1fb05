/* Cuts the power of the file system mounted at CUT_DISK, as `xfs_io -x -c shutdown` does, in the place of the
   CUT_CALL-th sync of something on it: the process dies in that instant. CUT_FLAG 2 loses the file system's log in
   memory, 1 writes it first. With CUT_LIES the syncs before that report success and do nothing. */
#define _GNU_SOURCE
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHUTDOWN _IOR('X', 125, unsigned int) /* XFS_IOC_GOINGDOWN and EXT4_IOC_SHUTDOWN */

static int on_disk(int descriptor) {
    const char *disk = getenv("CUT_DISK");
    char above[PATH_MAX];
    struct stat status, mounted, around;
    if (!disk || fstat(descriptor, &status) || stat(disk, &mounted))
        return 0;
    snprintf(above, sizeof above, "%s/..", disk);
    /* never the file system around it, should nothing be mounted there */
    return status.st_dev == mounted.st_dev && !stat(above, &around) && around.st_dev != mounted.st_dev;
}

static int synced(int descriptor, long call) {
    static int calls;
    if (on_disk(descriptor)) {
        unsigned int flag = atoi(getenv("CUT_FLAG"));
        if (++calls == atoi(getenv("CUT_CALL"))) {
            ioctl(descriptor, SHUTDOWN, &flag);
            kill(getpid(), SIGKILL);
        }
        if (getenv("CUT_LIES"))
            return 0;
    }
    return syscall(call, descriptor);
}

int fsync(int descriptor) { return synced(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return synced(descriptor, SYS_fdatasync); }
