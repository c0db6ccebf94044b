#include "node/keys.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/file.h"

#define SUFFIX ".key"
#define SUFFIX_SIZE (sizeof SUFFIX - 1)
#define FILE_NAME_MAX (KEYS_NAME_MAX + sizeof SUFFIX)

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

/* --- reading --- */

/* One byte more than a key file can have tells of larger ones. */
static bool sealed_get(int folder, const char *file, const char *name, struct sealed_key *sealed,
                       bool *missing, struct fault *fault)
{
    char text[KEYS_FILE_MAX];
    size_t size;
    if (!file_get(folder, file, text, sizeof text, &size, missing, fault) ||
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

/* The folder that a key is to be in, and its file's name there; -1 with a fault. */
static int key_folder(const char *directory, const char *name, char file[FILE_NAME_MAX],
                      struct fault *fault)
{
    bool missing;
    if (!keys_name_check(name, fault))
        return -1;
    int folder = folder_open(directory, &missing, fault);
    if (folder < 0 && missing)
        (void)missing_say(directory, name, fault);
    file_name(name, file);
    return folder;
}

bool keys_load(const char *directory, const char *name, struct sealed_key *sealed,
               struct fault *fault)
{
    char file[FILE_NAME_MAX];
    bool missing;
    int folder = key_folder(directory, name, file, fault);
    if (folder < 0)
        return false;
    bool good = sealed_get(folder, file, name, sealed, &missing, fault);
    (void)close(folder);
    if (!good && missing)
        return missing_say(directory, name, fault);
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
    int folder = folder_open(directory, &missing, fault);
    if (folder < 0)
        return missing;
    file_name(name, file);
    bool vacant = fstatat(folder, file, &about, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
    (void)close(folder);
    return vacant || taken_say(name, fault);
}

static bool sealed_put(int folder, const struct sealed_key *sealed, struct fault *fault)
{
    char text[KEYS_FILE_MAX], file[FILE_NAME_MAX];
    size_t size = sealed_write(sealed, text);
    file_name(sealed->name, file);
    enum file_put put = file_put(folder, file, text, size, false, fault);
    return put == FILE_TAKEN ? taken_say(sealed->name, fault) : put == FILE_PUT;
}

bool keys_save(const char *directory, const struct sealed_key *sealed, struct fault *fault)
{
    bool missing;
    if (!keys_name_check(sealed->name, fault) || !folder_make(directory, fault))
        return false;
    int folder = folder_open(directory, &missing, fault);
    if (folder < 0)
        return false;
    bool good = sealed_put(folder, sealed, fault);
    (void)close(folder);
    return good || fault_of_file(fault, directory, sealed->name);
}

bool keys_delete(const char *directory, const char *name, struct fault *fault)
{
    char file[FILE_NAME_MAX];
    int folder = key_folder(directory, name, file, fault);
    if (folder < 0)
        return false;
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
    int folder = folder_open(directory, &missing, fault);
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
