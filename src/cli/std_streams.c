#include "std_streams.h"

#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A message about standard output was written: one is enough. */
static bool complained;

static bool complain(void)
{
    if (!complained)
        message("standard output: cannot be written: %s", strerror(errno != 0 ? errno : EIO));
    complained = true;
    return false;
}

bool std_streams_flush(void)
{
    bool failed_before = ferror(stdout) != 0;
    if (!failed_before)
        errno = 0;
    return (fflush(stdout) == 0 && !failed_before) || complain();
}

static void close_output(void)
{
    bool good = std_streams_flush();
    errno = 0;
    if (fclose(stdout) != 0)
        good = complain();
    if (!good)
        _exit(EXIT_NOTHING_DONE);
}

void std_streams_prepare(void)
{
    for (int descriptor = 0; descriptor <= 2; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) != descriptor)
            _exit(EXIT_NOTHING_DONE);
    signal(SIGPIPE, SIG_IGN);
    if (atexit(close_output) != 0)
        _exit(EXIT_NOTHING_DONE);
}

bool std_streams_is_output(const char *path)
{
    struct stat output, target;
    if (fstat(STDOUT_FILENO, &output) != 0 || stat(path, &target) != 0)
        return false;
    if (output.st_dev != target.st_dev || output.st_ino != target.st_ino)
        return false;
    return !S_ISCHR(output.st_mode) || isatty(STDOUT_FILENO);
}
