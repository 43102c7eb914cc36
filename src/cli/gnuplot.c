#include "gnuplot.h"

#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* A file without a name, which gnuplot gets as one of its streams and under no other number. */
static FILE *nameless_file(void)
{
    FILE *file = tmpfile();
    if (file != NULL && fcntl(fileno(file), F_SETFD, FD_CLOEXEC) != 0) {
        fclose(file);
        file = NULL;
    }
    return file;
}

/* Both ends of the pipe are closed in gnuplot but for its standard input: or it would wait for
 * itself. */
static bool open_streams(struct gnuplot *gnuplot, int *reading_end)
{
    int ends[2];
    gnuplot->drawing = nameless_file();
    gnuplot->words = nameless_file();
    if (gnuplot->drawing == NULL || gnuplot->words == NULL)
        return message("no temporary file for the drawing can be made: %s", strerror(errno));
    if (pipe2(ends, O_CLOEXEC) != 0)
        return message("no pipe to gnuplot can be made: %s", strerror(errno));
    *reading_end = ends[0];
    gnuplot->commands = fdopen(ends[1], "w");
    if (gnuplot->commands != NULL)
        return true;
    close(ends[0]);
    close(ends[1]);
    return message("there is no memory for a pipe to gnuplot");
}

/* Returns an error number. A closed pipe is to end gnuplot, though this process ignores it. */
static int spawn(struct gnuplot *gnuplot, int reading_end)
{
    static char name[] = "gnuplot", option[] = "--default-settings";
    char *const words[] = {name, option, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t ignored;
    sigemptyset(&ignored);
    sigaddset(&ignored, SIGPIPE);
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        posix_spawnattr_setsigdefault(&attributes, &ignored);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
        if ((error = posix_spawn_file_actions_adddup2(&actions, reading_end, 0)) == 0 &&
            (error = posix_spawn_file_actions_adddup2(&actions, fileno(gnuplot->drawing), 1)) ==
                0 &&
            (error = posix_spawn_file_actions_adddup2(&actions, fileno(gnuplot->words), 2)) == 0)
            error = posix_spawnp(&gnuplot->process, name, &actions, &attributes, words, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

bool gnuplot_start(struct gnuplot *gnuplot)
{
    int reading_end = -1;
    *gnuplot = (struct gnuplot){.process = 0};
    if (!open_streams(gnuplot, &reading_end)) {
        gnuplot_end(gnuplot);
        return false;
    }
    const int error = spawn(gnuplot, reading_end);
    close(reading_end);
    if (error == 0)
        return true;
    gnuplot->process = 0;
    gnuplot_end(gnuplot);
    if (error == ENOENT)
        return message("--plot: gnuplot is not installed; apt-get install gnuplot-nox installs it");
    return message("--plot: gnuplot cannot be started: %s", strerror(error));
}

/* The last line that gnuplot said and that is not empty, which is the one that tells the trouble;
 * what was there before if there is none. */
static void read_words(FILE *words, char *line, size_t room)
{
    char next[512];
    rewind(words);
    while (fgets(next, sizeof next, words) != NULL) {
        next[strcspn(next, "\n")] = '\0';
        if (next[strspn(next, " \t^")] != '\0')
            snprintf(line, room, "%s", next + strspn(next, " \t"));
    }
}

static bool wait_for(struct gnuplot *gnuplot, int *status)
{
    pid_t ended = 0;
    do
        ended = waitpid(gnuplot->process, status, 0);
    while (ended < 0 && errno == EINTR);
    gnuplot->process = 0;
    return ended > 0;
}

bool gnuplot_finish(struct gnuplot *gnuplot)
{
    char line[512] = "it does not say why";
    int status = 0;
    bool good = ferror(gnuplot->commands) == 0;
    good = fclose(gnuplot->commands) == 0 && good;
    gnuplot->commands = NULL;
    good = wait_for(gnuplot, &status) && WIFEXITED(status) && WEXITSTATUS(status) == 0 && good;
    if (good && fseek(gnuplot->drawing, 0, SEEK_END) == 0 && ftell(gnuplot->drawing) > 0)
        return true;
    read_words(gnuplot->words, line, sizeof line);
    return message("gnuplot could not draw it: %s", line);
}

void gnuplot_copy(struct gnuplot *gnuplot, FILE *to)
{
    char bytes[4096];
    size_t size = 0;
    rewind(gnuplot->drawing);
    while ((size = fread(bytes, 1, sizeof bytes, gnuplot->drawing)) > 0)
        fwrite(bytes, 1, size, to);
}

void gnuplot_copy_text(struct gnuplot *gnuplot, FILE *to)
{
    rewind(gnuplot->drawing);
    for (int c; (c = fgetc(gnuplot->drawing)) != EOF;)
        if (c != '\f')
            fputc(c, to);
}

void gnuplot_end(struct gnuplot *gnuplot)
{
    int status = 0;
    if (gnuplot->process > 0) {
        kill(gnuplot->process, SIGKILL);
        wait_for(gnuplot, &status);
    }
    if (gnuplot->commands != NULL)
        fclose(gnuplot->commands);
    if (gnuplot->drawing != NULL)
        fclose(gnuplot->drawing);
    if (gnuplot->words != NULL)
        fclose(gnuplot->words);
    *gnuplot = (struct gnuplot){.process = 0};
}

/* How many bytes the character at the start has; 0 if it is no UTF-8. */
static size_t character_length(const unsigned char *c)
{
    const size_t length = c[0] < 0x80 ? 1 : c[0] < 0xC2 ? 0 : c[0] < 0xE0 ? 2 : c[0] < 0xF0 ? 3 : 4;
    if (c[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((c[i] & 0xC0) != 0x80)
            return 0;
    /* Too long for what they say, halves of a pair, beyond the last one, and control characters. */
    if ((c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xED && c[1] > 0x9F) ||
        (c[0] == 0xF0 && c[1] < 0x90) || (c[0] == 0xF4 && c[1] > 0x8F) ||
        (c[0] == 0xC2 && c[1] < 0xA0))
        return 0;
    return length;
}

void gnuplot_put_text(FILE *commands, const char *text)
{
    fputc('\'', commands);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0';) {
        const size_t length = *c < 0x20 || *c == 0x7F ? 0 : character_length(c);
        if (length == 0) {
            fputc('?', commands);
            c++;
            continue;
        }
        if (*c == '\'')
            fputc('\'', commands);
        fwrite(c, 1, length, commands);
        c += length;
    }
    fputc('\'', commands);
}
