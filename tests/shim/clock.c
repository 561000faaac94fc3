/* Has the wall clock of a program be ahead of the machine's, by CLOCK_AHEAD seconds; it is
 * behind when they are negative. What measures how much time passes stays as it is.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    const char *ahead = getenv("CLOCK_AHEAD");
    if (result == 0 && clock == CLOCK_REALTIME && ahead) now->tv_sec += atoll(ahead);
    return result;
}
