/* Makes calls to the disk fail, for files below one path, when a file says so.
 *
 * FAULTS_PATH is what the names of the files begin with. FAULTS_CONTROL is a file with a
 * line for each fault, read anew at every call: CALL ERROR [SUFFIX]
 *
 *   CALL    sync, write or truncate: the family of calls
 *   ERROR   EIO, ENOSPC, or SHORT: a write that takes half of the bytes, as a disk does
 *           that is just becoming full
 *   SUFFIX  what the names of the files end with; without it, any
 *
 * Without the file, or when it is empty, nothing fails. For each call that fails, a byte
 * is appended to FAULTS_CONTROL.hits, so that a test sees that its fault was met.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NONE = 0, SHORT_WRITE = -1 };

static int ends_with(const char *text, const char *end) {
    size_t length = strlen(text), of_end = strlen(end);
    return of_end <= length && strcmp(text + length - of_end, end) == 0;
}

static void note_hit(const char *control) {
    char path[4096];
    snprintf(path, sizeof path, "%s.hits", control);
    int hits = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (hits < 0) return;
    /* Not through write(): that is ours. */
    syscall(SYS_write, hits, "x", 1);
    close(hits);
}

/* The error that this call on this file ends with: a number, SHORT_WRITE, or NONE. */
static int fault(const char *call, int fd) {
    int before = errno;
    int found = NONE;
    const char *control = getenv("FAULTS_CONTROL"), *prefix = getenv("FAULTS_PATH");
    if (!control || !prefix) return NONE;
    int file = open(control, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        errno = before;
        return NONE;
    }
    char text[1024] = {0}, link[64], path[4096] = {0};
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (length > 0 && readlink(link, path, sizeof path - 1) > 0 &&
        strncmp(path, prefix, strlen(prefix)) == 0) {
        char *rest = NULL;
        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
            char family[16] = "", error[16] = "", suffix[64] = "";
            if (sscanf(line, "%15s %15s %63s", family, error, suffix) < 2) continue;
            if (strcmp(family, call) != 0 || !ends_with(path, suffix)) continue;
            found = strcmp(error, "EIO") == 0      ? EIO
                    : strcmp(error, "ENOSPC") == 0 ? ENOSPC
                                                   : SHORT_WRITE;
            note_hit(control);
            break;
        }
    }
    errno = before;
    return found;
}

#define REAL(type, name, ...)                                             \
    static type (*real)(__VA_ARGS__);                                     \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static int fail(int error) {
    errno = error;
    return -1;
}

int fsync(int fd) {
    REAL(int, "fsync", int);
    int error = fault("sync", fd);
    return error ? fail(EIO == error || ENOSPC == error ? error : EIO) : real(fd);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    int error = fault("sync", fd);
    return error ? fail(EIO == error || ENOSPC == error ? error : EIO) : real(fd);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(ssize_t, "write", int, const void *, size_t);
    int error = fault("write", fd);
    if (error == SHORT_WRITE) return count < 2 ? fail(ENOSPC) : real(fd, bytes, count / 2);
    return error ? fail(error) : real(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    int error = fault("write", fd);
    if (error == SHORT_WRITE) return count < 2 ? fail(ENOSPC) : real(fd, bytes, count / 2, at);
    return error ? fail(error) : real(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    int error = fault("write", fd);
    if (error == SHORT_WRITE) return count < 2 ? fail(ENOSPC) : real(fd, bytes, count / 2, at);
    return error ? fail(error) : real(fd, bytes, count, at);
}

int ftruncate(int fd, off_t length) {
    REAL(int, "ftruncate", int, off_t);
    int error = fault("truncate", fd);
    return error ? fail(error == ENOSPC ? ENOSPC : EIO) : real(fd, length);
}

int ftruncate64(int fd, off64_t length) {
    REAL(int, "ftruncate64", int, off64_t);
    int error = fault("truncate", fd);
    return error ? fail(error == ENOSPC ? ENOSPC : EIO) : real(fd, length);
}
