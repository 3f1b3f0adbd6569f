/* Moves CLOCK_REALTIME by the seconds in the file that WAHOOK_CLOCK names. Loaded with LD_PRELOAD. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *now) {
    long failed = syscall(SYS_clock_gettime, id, now);
    const char *path = getenv("WAHOOK_CLOCK");
    if (failed || id != CLOCK_REALTIME || !path)
        return (int)failed;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        char text[32];
        ssize_t length = read(file, text, sizeof text - 1);
        close(file);
        if (length > 0) {
            text[length] = 0;
            now->tv_sec += atol(text);
        }
    }
    return 0;
}
