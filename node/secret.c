#include "node/secret.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAP_SIZE ((size_t)1 << 17) /* powers of two; a few texts of SECRET_TEXT_MAX at a time */
#define HEAP_PIECE_MIN 64
#define WRITER_MS 5000      /* within which a pipe with a name needs a writer */
#define DIGITS_SUSPECTED 64 /* of a raw private key */
#define BLANKS_SUSPECTED 11 /* between the words of the shortest mnemonic */

void secret_guard(void)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (!CRYPTO_secure_malloc_initialized())
        (void)CRYPTO_secure_malloc_init(HEAP_SIZE, HEAP_PIECE_MIN);
}

void secret_create(struct secret *secret, size_t room)
{
    secret_wipe(secret);
    secret->bytes = OPENSSL_secure_zalloc(room + 1);
    if (!secret
             ->bytes) /* the secure heap is small; what does not fit there is wiped all the same */
        secret->bytes = OPENSSL_zalloc(room + 1);
    assert(secret->bytes);
    secret->room = room;
}

void secret_wipe(struct secret *secret)
{
    if (secret->bytes)
        OPENSSL_secure_clear_free(secret->bytes, secret->room + 1);
    *secret = SECRET_NONE;
}

void secret_key_wipe(struct secret_key *key)
{
    OPENSSL_cleanse(key->bytes, sizeof key->bytes);
}

/* read(2) that goes on after signals, and waits although the descriptor may be one that does not. */
static ssize_t read_some(int fd, char *into, size_t size)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    ssize_t got;
    while ((got = read(fd, into, size)) < 0) {
        if (errno == EAGAIN)
            (void)poll(&readable, 1, -1);
        else if (errno != EINTR)
            break;
    }
    return got;
}

/* Drops the line's end; false when bytes were not room enough for. */
static void line_finish(struct secret *secret)
{
    if (secret->size > 0 && secret->bytes[secret->size - 1] == '\n')
        secret->bytes[--secret->size] = '\0';
    if (secret->size > 0 && secret->bytes[secret->size - 1] == '\r')
        secret->bytes[--secret->size] = '\0';
}

bool secret_read_stream(const char *name, int fd, size_t limit, bool line, struct secret *secret,
                        struct fault *fault)
{
    secret_create(secret, limit + 2); /* a line may end in two more bytes */
    for (bool more = true; more;) {
        size_t wanted = line ? 1 : secret->room - secret->size;
        if (secret->size == secret->room)
            break;
        ssize_t got = read_some(fd, secret->bytes + secret->size, wanted);
        if (got < 0)
            return fault_set(fault, "%s: cannot be read: %s", name, strerror(errno));
        secret->size += (size_t)got;
        more = got > 0 && !(line && secret->bytes[secret->size - 1] == '\n');
    }
    if (line)
        line_finish(secret);
    if (secret->size > limit)
        return fault_set(fault, "%s: holds more than %zu bytes", name, limit);
    return true;
}

/* What messages call a file: how it was given, and its path unless that may be a secret itself. */
static void file_name(const char *option, const char *path, struct fault *name)
{
    if (secret_suspected(path))
        (void)fault_set(name, "%s: the file named", option);
    else
        (void)fault_set(name, "%s %.200s", option, path);
}

static bool file_private(const char *name, int fd, struct fault *fault)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return fault_set(fault, "%s: cannot be read: %s", name, strerror(errno));
    if (!S_ISREG(about.st_mode) && !S_ISFIFO(about.st_mode))
        return fault_set(fault, "%s: is no file", name);
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return fault_set(fault,
                         "%s: others can read it or write to it (mode %04o); expected 0600: "
                         "chmod 600 and try again",
                         name, (unsigned)about.st_mode & 07777u);
    return true;
}

/* A pipe with a name may still lack who writes to it, and reads as empty until then. A writer that is there may take
 * its time: it may be asking a person. */
static void writer_await(int fd)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    (void)poll(&readable, 1, WRITER_MS);
}

bool secret_read_file(const char *option, const char *path, size_t limit, bool line,
                      struct secret *secret, struct fault *fault)
{
    struct fault name;
    file_name(option, path, &name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return fault_set(fault, "%s: cannot be opened: %s", name.text, strerror(errno));
    bool good = file_private(name.text, fd, fault);
    if (good) {
        writer_await(fd);
        good = secret_read_stream(name.text, fd, limit, line, secret, fault);
    }
    (void)close(fd);
    return good;
}

bool secret_show(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, bytes, size);
        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            bytes += done;
            size -= (size_t)done;
        }
    }
    return true;
}

bool secret_suspected(const char *text)
{
    size_t digits = 0, blanks = 0;
    for (; *text; text++) {
        digits = isxdigit((unsigned char)*text) ? digits + 1 : 0;
        blanks += isspace((unsigned char)*text) ? 1 : 0;
        if (digits >= DIGITS_SUSPECTED || blanks >= BLANKS_SUSPECTED)
            return true;
    }
    return false;
}
