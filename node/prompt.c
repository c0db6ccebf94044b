#include "node/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#define TERMINAL "/dev/tty"

enum outcome { ANSWERED, STOPPED, FAILED };

struct prompt {
    int terminal,
        signals; /* signals: a descriptor that tells of those held back, without taking them */
    sigset_t held, before;
    struct termios settings;
};

static void signals_name(sigset_t *set)
{
    static const int NUMBERS[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
    sigemptyset(set);
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++)
        sigaddset(set, NUMBERS[i]);
}

/* Waits until the terminal has something; false when a signal wants to be heard first. */
static bool terminal_ready(const struct prompt *prompt)
{
    struct pollfd watched[] = {{prompt->terminal, POLLIN, 0}, {prompt->signals, POLLIN, 0}};
    while (poll(watched, 2, -1) < 0)
        if (errno != EINTR)
            return false;
    return watched[1].revents == 0;
}

/* A line in the terminal's own line mode comes as a whole, but for long ones. */
static bool line_read(const struct prompt *prompt, struct secret *answer)
{
    bool ended = false;
    secret_create(answer, SECRET_TEXT_MAX);
    while (!ended && answer->size < answer->room && terminal_ready(prompt)) {
        ssize_t got =
            read(prompt->terminal, answer->bytes + answer->size, answer->room - answer->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        answer->size += (size_t)got;
        ended = got == 0 || answer->bytes[answer->size - 1] == '\n';
    }
    if (answer->size > 0 && answer->bytes[answer->size - 1] == '\n')
        answer->bytes[--answer->size] = '\0';
    return ended;
}

static enum outcome ask(struct prompt *prompt, const char *question, bool echo,
                        struct secret *answer)
{
    struct termios quiet = prompt->settings;
    if (!echo)
        quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHONL);
    quiet.c_lflag |= ICANON | ISIG;
    if (tcsetattr(prompt->terminal, TCSAFLUSH, &quiet) != 0)
        return FAILED;
    bool good =
        secret_show(prompt->terminal, question, strlen(question)) && line_read(prompt, answer);
    if (!echo || !good)
        (void)!write(prompt->terminal, "\n", 1);
    (void)tcsetattr(prompt->terminal, TCSAFLUSH, &prompt->settings);
    return good ? ANSWERED : FAILED;
}

/* With signals held back; they take effect when the caller lets them through. */
static enum outcome ask_held(struct prompt *prompt, const char *question, bool echo,
                             struct secret *answer)
{
    sigset_t waiting;
    prompt->signals = signalfd(-1, &prompt->held, SFD_CLOEXEC | SFD_NONBLOCK);
    if (prompt->signals < 0 || tcgetattr(prompt->terminal, &prompt->settings) != 0)
        return FAILED;
    enum outcome outcome = ask(prompt, question, echo, answer);
    if (outcome == FAILED && sigpending(&waiting) == 0 && sigismember(&waiting, SIGTSTP) == 1)
        return STOPPED;
    return outcome;
}

bool prompt_line(const char *question, bool echo, struct secret *answer, struct fault *fault)
{
    struct prompt prompt = {.terminal = open(TERMINAL, O_RDWR | O_NOCTTY | O_CLOEXEC)};
    enum outcome outcome;
    if (prompt.terminal < 0)
        return fault_set(fault, "there is no terminal to ask at");
    signals_name(&prompt.held);
    do {
        (void)pthread_sigmask(SIG_BLOCK, &prompt.held, &prompt.before);
        outcome = ask_held(&prompt, question, echo, answer);
        if (prompt.signals >= 0)
            (void)close(prompt.signals);
        if (outcome != ANSWERED)
            secret_wipe(answer); /* the next line may end the process */
        (void)pthread_sigmask(SIG_SETMASK, &prompt.before, NULL);
    } while (outcome == STOPPED);
    (void)close(prompt.terminal);
    if (outcome == FAILED)
        return fault_set(fault, "nothing could be read from the terminal");
    return true;
}
