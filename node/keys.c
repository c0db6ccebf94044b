#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* renameat2 */
#endif

#include "node/keys.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/encoding.h"

#define SUFFIX ".key"
#define SUFFIX_SIZE (sizeof SUFFIX - 1)
#define FILE_NAME_MAX (KEYS_NAME_MAX + sizeof SUFFIX)
#define OTHERS (S_IRWXG | S_IRWXO)
#define DRAFT_MARK_SIZE 8 /* random bytes in the name of a file that is not complete yet */
#define DRAFT_NAME_MAX (8 + HEX_TEXT(DRAFT_MARK_SIZE))

bool keys_name_check(const char *name, struct fault *fault)
{
    size_t size = strlen(name);
    bool good = size >= 1 && size <= KEYS_NAME_MAX;
    for (size_t i = 0; i < size && good; i++)
        good = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
               name[i] == '_' || name[i] == '-';
    if (!good)
        return fault_set(fault, "the name of a key is 1 to %d characters of a-z 0-9 _ -",
                         KEYS_NAME_MAX);
    return true;
}

static void file_name(const char *name, char file[FILE_NAME_MAX])
{
    size_t size = strlen(name);
    assert(size <= KEYS_NAME_MAX);
    memcpy(file, name, size);
    memcpy(file + size, SUFFIX, sizeof SUFFIX);
}

/* Names the file in a fault that speaks of it. */
static bool fault_of_file(struct fault *fault, const char *directory, const char *name)
{
    struct fault where;
    (void)fault_set(&where, "%.200s/%s" SUFFIX, directory, name);
    return fault_within(fault, where.text);
}

/* --- the directory --- */

bool keys_directory(char path[KEYS_PATH_MAX], struct fault *fault)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int size;
    if (data && data[0] == '/') /* a relative one is to be ignored */
        size = snprintf(path, KEYS_PATH_MAX, "%s/stagger/keys", data);
    else if (home && home[0] == '/')
        size = snprintf(path, KEYS_PATH_MAX, "%s/.local/share/stagger/keys", home);
    else
        return fault_set(fault, "neither XDG_DATA_HOME nor HOME says where keys lie; name their "
                                "directory");
    if (size < 0 || size >= KEYS_PATH_MAX)
        return fault_set(fault, "the path in XDG_DATA_HOME or HOME is too long");
    return true;
}

static bool directory_check(const char *directory, int fd, struct fault *fault)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return fault_set(fault, "%.200s: %s", directory, strerror(errno));
    if ((about.st_mode & OTHERS) != 0)
        return fault_set(fault,
                         "%.200s: others can look into it (mode %04o); expected 0700: "
                         "`chmod 700` it and think about who may have read the keys",
                         directory, (unsigned)about.st_mode & 07777u);
    if (about.st_uid != geteuid() && geteuid() != 0)
        return fault_set(fault, "%.200s: belongs to another user", directory);
    return true;
}

/* A descriptor of the directory, or -1. *missing is no fault in itself. */
static int directory_open(const char *directory, bool *missing, struct fault *fault)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *missing = fd < 0 && errno == ENOENT;
    if (fd < 0) {
        (void)fault_set(fault, "%.200s: %s", directory, strerror(errno));
        return -1;
    }
    if (!directory_check(directory, fd, fault)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* So that a folder which was just made outlives a crash, as the key in it shall. */
static void parent_sync(const char *path)
{
    char parent[KEYS_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t size = slash && slash > path ? (size_t)(slash - path) : 1;
    memcpy(parent, slash ? path : ".", size);
    parent[size] = '\0';
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return; /* a folder in which we may make others but not read */
    (void)fsync(fd);
    (void)close(fd);
}

static bool folder_make(const char *path, struct fault *fault)
{
    if (mkdir(path, S_IRWXU) == 0)
        parent_sync(path);
    else if (errno != EEXIST)
        return fault_set(fault, "%.200s: cannot be made: %s", path, strerror(errno));
    return true;
}

/* Every missing folder of the path, with permission for the owner only. */
static bool directory_make(const char *directory, struct fault *fault)
{
    char path[KEYS_PATH_MAX];
    size_t size = strlen(directory);
    if (size == 0 || size >= sizeof path)
        return fault_set(fault, "the path of the directory is empty or too long");
    for (size_t i = 1; i <= size; i++) {
        if (directory[i] != '/' && directory[i] != '\0')
            continue;
        memcpy(path, directory, i);
        path[i] = '\0';
        if (!folder_make(path, fault))
            return false;
    }
    return true;
}

/* --- reading --- */

static bool file_check(int fd, struct fault *fault)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return fault_set(fault, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(about.st_mode))
        return fault_set(fault, "is no file");
    if ((about.st_mode & OTHERS) != 0)
        return fault_set(fault,
                         "others can read it (mode %04o); expected 0600: `chmod 600` it and "
                         "think about who may have a copy",
                         (unsigned)about.st_mode & 07777u);
    return true;
}

/* One byte more than a key file can have tells of larger ones. */
static bool file_read(int fd, char text[KEYS_FILE_MAX], size_t *size, struct fault *fault)
{
    *size = 0;
    while (*size < KEYS_FILE_MAX) {
        ssize_t got = read(fd, text + *size, KEYS_FILE_MAX - *size);
        if (got < 0 && errno != EINTR)
            return fault_set(fault, "cannot be read: %s", strerror(errno));
        if (got == 0)
            break;
        *size += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool sealed_take(int fd, const char *name, struct sealed_key *sealed, struct fault *fault)
{
    char text[KEYS_FILE_MAX];
    size_t size;
    if (!file_check(fd, fault) || !file_read(fd, text, &size, fault) ||
        !sealed_read(text, size, sealed, fault))
        return false;
    if (strcmp(sealed->name, name) != 0)
        return fault_set(fault, "is the file of key %s; give it its name back", sealed->name);
    return true;
}

static bool missing_say(const char *directory, const char *name, struct fault *fault)
{
    return fault_set(fault,
                     "there is no key %s in %.200s; `stagger keys list` shows those that "
                     "are there",
                     name, directory);
}

bool keys_load(const char *directory, const char *name, struct sealed_key *sealed,
               struct fault *fault)
{
    char file[FILE_NAME_MAX];
    bool missing;
    if (!keys_name_check(name, fault))
        return false;
    int folder = directory_open(directory, &missing, fault);
    if (folder < 0)
        return missing ? missing_say(directory, name, fault) : false;
    file_name(name, file);
    int fd = openat(folder, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    int why = errno;
    (void)close(folder);
    if (fd < 0 && why == ENOENT)
        return missing_say(directory, name, fault);
    bool good = fd >= 0 ? sealed_take(fd, name, sealed, fault)
                        : fault_set(fault, "cannot be opened: %s", strerror(why));
    if (fd >= 0)
        (void)close(fd);
    return good || fault_of_file(fault, directory, name);
}

/* --- writing --- */

static bool taken_say(const char *name, struct fault *fault)
{
    return fault_set(fault, "there is a key %s already; take another name, or delete that one",
                     name);
}

bool keys_vacant(const char *directory, const char *name, struct fault *fault)
{
    char file[FILE_NAME_MAX];
    struct stat about;
    bool missing;
    if (!keys_name_check(name, fault))
        return false;
    int folder = directory_open(directory, &missing, fault);
    if (folder < 0)
        return missing;
    file_name(name, file);
    bool vacant = fstatat(folder, file, &about, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
    (void)close(folder);
    return vacant || taken_say(name, fault);
}

/* Writes the text into a new file and makes it durable. */
static bool draft_write(int folder, const char *draft, const char *text, size_t size)
{
    int fd = openat(folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    S_IRUSR | S_IWUSR);
    if (fd < 0)
        return false;
    bool good = fchmod(fd, S_IRUSR | S_IWUSR) == 0 && secret_show(fd, text, size) && fsync(fd) == 0;
    int why = errno;
    good = close(fd) == 0 && good;
    if (!good) {
        (void)unlinkat(folder, draft, 0);
        errno = why;
    }
    return good;
}

/* Gives the draft its name unless that is taken, in one step of the file system. Some know only the older one of the
 * two ways. */
static bool draft_name(int folder, const char *draft, const char *file)
{
    if (renameat2(folder, draft, folder, file, RENAME_NOREPLACE) == 0)
        return true;
    if (errno == EEXIST || linkat(folder, draft, folder, file, 0) != 0)
        return false;
    return unlinkat(folder, draft, 0) == 0;
}

static bool sealed_put(int folder, const struct sealed_key *sealed, struct fault *fault)
{
    char text[KEYS_FILE_MAX], file[FILE_NAME_MAX], draft[DRAFT_NAME_MAX] = ".draft-";
    uint8_t mark[DRAFT_MARK_SIZE];
    size_t size = sealed_write(sealed, text);
    if (RAND_bytes(mark, sizeof mark) != 1)
        return fault_set(fault, "the system gives no random numbers");
    hex_encode(mark, sizeof mark, draft + strlen(draft));
    file_name(sealed->name, file);
    if (!draft_write(folder, draft, text, size))
        return fault_set(fault, "cannot be written: %s", strerror(errno));
    if (!draft_name(folder, draft, file)) {
        int why = errno;
        (void)unlinkat(folder, draft, 0);
        return why == EEXIST ? taken_say(sealed->name, fault)
                             : fault_set(fault, "cannot be named: %s", strerror(why));
    }
    return fsync(folder) == 0 || fault_set(fault, "cannot be made durable: %s", strerror(errno));
}

bool keys_save(const char *directory, const struct sealed_key *sealed, struct fault *fault)
{
    bool missing;
    if (!keys_name_check(sealed->name, fault) || !directory_make(directory, fault))
        return false;
    int folder = directory_open(directory, &missing, fault);
    if (folder < 0)
        return false;
    bool good = sealed_put(folder, sealed, fault);
    (void)close(folder);
    return good || fault_of_file(fault, directory, sealed->name);
}

bool keys_delete(const char *directory, const char *name, struct fault *fault)
{
    char file[FILE_NAME_MAX];
    bool missing;
    if (!keys_name_check(name, fault))
        return false;
    int folder = directory_open(directory, &missing, fault);
    if (folder < 0)
        return missing ? missing_say(directory, name, fault) : false;
    file_name(name, file);
    bool good = unlinkat(folder, file, 0) == 0;
    int why = errno;
    good = good && fsync(folder) == 0;
    (void)close(folder);
    if (good)
        return true;
    if (why == ENOENT)
        return missing_say(directory, name, fault);
    (void)fault_set(fault, "cannot be deleted: %s", strerror(why));
    return fault_of_file(fault, directory, name);
}

/* --- listing --- */

/* The key's name when the entry is a key file. */
static bool entry_name(const char *entry, char name[KEYS_NAME_MAX + 1])
{
    struct fault unused;
    size_t size = strlen(entry);
    if (size <= SUFFIX_SIZE || size > KEYS_NAME_MAX + SUFFIX_SIZE ||
        strcmp(entry + size - SUFFIX_SIZE, SUFFIX) != 0)
        return false;
    memcpy(name, entry, size - SUFFIX_SIZE);
    name[size - SUFFIX_SIZE] = '\0';
    return keys_name_check(name, &unused);
}

static int names_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool entries_read(DIR *entries, char (**names)[KEYS_NAME_MAX + 1], size_t *count)
{
    size_t room = 0;
    const struct dirent *entry;
    while ((entry = readdir(entries)) != NULL && *count < KEYS_COUNT_MAX) {
        if (*count == room) {
            room = room ? 2 * room : 16;
            void *more = realloc(*names, room * sizeof **names);
            if (!more)
                return false;
            *names = more;
        }
        *count += entry_name(entry->d_name, (*names)[*count]) ? 1 : 0;
    }
    return true;
}

bool keys_names(const char *directory, char (**names)[KEYS_NAME_MAX + 1], size_t *count,
                struct fault *fault)
{
    bool missing;
    *names = NULL;
    *count = 0;
    int folder = directory_open(directory, &missing, fault);
    if (folder < 0)
        return missing;
    DIR *entries = fdopendir(folder);
    bool good = entries && entries_read(entries, names, count);
    if (entries)
        (void)closedir(entries);
    else
        (void)close(folder);
    if (!good) {
        free(*names);
        *names = NULL;
        *count = 0;
        return fault_set(fault, "%.200s: cannot be listed", directory);
    }
    if (*count > 0)
        qsort(*names, *count, sizeof **names, names_compare);
    return true;
}
