#include "node/passphrase.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/prompt.h"

#define QUESTION_MAX 128

static bool passphrase_check(const char *from, struct secret *passphrase, struct fault *fault)
{
    if (passphrase->size == 0)
        return fault_set(fault, "%s: the passphrase is empty", from);
    if (passphrase->size > PASSPHRASE_MAX) /* of a terminal */
        return fault_set(fault, "%s: the passphrase has more than %d bytes", from, PASSPHRASE_MAX);
    if (memchr(passphrase->bytes, '\0', passphrase->size))
        return fault_set(fault, "%s: the passphrase has a zero byte", from);
    return true;
}

static bool file_read(const char *path, struct secret *passphrase, struct fault *fault)
{
    return secret_read_file("--passphrase-file", path, PASSPHRASE_MAX, true, passphrase, fault) &&
           passphrase_check("--passphrase-file", passphrase, fault);
}

static bool fd_read(int fd, struct secret *passphrase, struct fault *fault)
{
    bool good = secret_read_stream("--passphrase-fd", fd, PASSPHRASE_MAX, true, passphrase, fault);
    if (fd > STDERR_FILENO)
        (void)close(fd); /* not for the children */
    return good && passphrase_check("--passphrase-fd", passphrase, fault);
}

static bool terminal_ask(const char *question, struct secret *passphrase, struct fault *fault)
{
    if (!prompt_line(question, false, passphrase, fault)) {
        struct fault reason = *fault;
        return fault_set(fault,
                         "the passphrase: %s; --passphrase-file FILE or --passphrase-fd N "
                         "gives it otherwise",
                         reason.text);
    }
    return passphrase_check("the terminal", passphrase, fault);
}

static bool terminal_read(enum passphrase_use use, const char *name, struct secret *passphrase,
                          struct fault *fault)
{
    struct secret again SECRET_WIPED = SECRET_NONE;
    char question[QUESTION_MAX];
    snprintf(question, sizeof question,
             "Passphrase %s key %s: ", use == PASSPHRASE_SEALS ? "that shall seal" : "of", name);
    if (!terminal_ask(question, passphrase, fault))
        return false;
    if (use == PASSPHRASE_OPENS)
        return true;
    if (!terminal_ask("The same once more: ", &again, fault))
        return false;
    if (again.size != passphrase->size ||
        CRYPTO_memcmp(again.bytes, passphrase->bytes, again.size) != 0)
        return fault_set(fault, "the two passphrases differ; nothing was stored");
    return true;
}

bool passphrase_read(const struct passphrase_source *source, enum passphrase_use use,
                     const char *name, struct secret *passphrase, struct fault *fault)
{
    if (source->file && source->fd >= 0)
        return fault_set(fault, "--passphrase-file and --passphrase-fd exclude each other; give "
                                "one of them");
    if (source->file)
        return file_read(source->file, passphrase, fault);
    if (source->fd >= 0)
        return fd_read(source->fd, passphrase, fault);
    return terminal_read(use, name, passphrase, fault);
}
