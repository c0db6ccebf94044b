#include "node/cosmovisor.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/file.h"
#include "proto/encoding.h"
#include "proto/input.h"

#define INFO_NAME "upgrade-info.json"
#define INFO_MAX ((size_t)1 << 20)
#define LINK_NAME "current"
#define LINK_DRAFT ".current.stagger"
#define UPGRADES "upgrades/"
#define FOLDER_MAX (RUNTIME_TARGET_MAX * 3 + 16)

/* --- names --- */

static bool passes(char c)
{
    return isalnum((unsigned char)c) || strchr("-_.~$&+=:@", c);
}

/* "genesis" or "upgrades/v1.6.0". False when it would lead elsewhere. */
static bool folder_name(const struct cosmovisor *tree, const char *version, char out[FOLDER_MAX])
{
    if (strcmp(version, COSMOVISOR_GENESIS) == 0) {
        snprintf(out, FOLDER_MAX, COSMOVISOR_GENESIS);
        return true;
    }
    if (!*version || strchr(version, '/') || strcmp(version, ".") == 0 ||
        strcmp(version, "..") == 0 || strlen(version) >= RUNTIME_TARGET_MAX)
        return false;
    size_t at = (size_t)snprintf(out, FOLDER_MAX, UPGRADES);
    for (; *version; version++) {
        unsigned char c =
            (unsigned char)(tree->recase ? tolower((unsigned char)*version) : *version);
        at += (size_t)snprintf(out + at, FOLDER_MAX - at, passes((char)c) ? "%c" : "%%%02X", c);
    }
    return true;
}

/* What folder_name() wrote, back. */
static bool version_name(const char *folder, char out[RUNTIME_TARGET_MAX])
{
    size_t length = 0;
    for (; *folder && *folder != '/'; folder++) {
        uint8_t c = (uint8_t)*folder;
        if (c == '%' && (strlen(folder) < 3 || !hex_decode(folder + 1, 2, &c, 1)))
            return false;
        if (*folder == '%')
            folder += 2;
        if (length + 1 >= RUNTIME_TARGET_MAX)
            return false;
        out[length++] = (char)c;
    }
    out[length] = '\0';
    return !*folder && *out && runtime_target_is_valid(out);
}

/* Writes HOME/cosmovisor/REST. */
static void path_of(const struct cosmovisor *tree, const char *rest, char out[COSMOVISOR_PATH_MAX])
{
    int length = snprintf(out, COSMOVISOR_PATH_MAX, "%s/cosmovisor/%s", tree->home, rest);
    assert(length < COSMOVISOR_PATH_MAX);
}

static bool refuse_version(const char *version, struct fault *fault)
{
    return fault_set(fault,
                     "\"%.60s\" is no version of the node; expected \"genesis\" or the name of an "
                     "upgrade, without '/'",
                     version);
}

/* --- the settings --- */

static bool recase_read(bool *recase, struct fault *fault)
{
    const char *text = getenv("COSMOVISOR_DISABLE_RECASE");
    *recase = !text || !*text || strcasecmp(text, "false") == 0;
    return *recase || strcasecmp(text, "true") == 0 ||
           fault_set(fault,
                     "COSMOVISOR_DISABLE_RECASE in the environment: \"%.20s\" is not accepted; "
                     "expected true or false",
                     text);
}

static bool home_take(struct cosmovisor *tree, const char *home, struct fault *fault)
{
    char here[COSMOVISOR_PATH_MAX] = "";
    struct stat about;
    size_t length = strlen(home);
    while (length > 1 && home[length - 1] == '/')
        length--;
    if (*home != '/' && !getcwd(here, sizeof here))
        return fault_set(fault, "the working directory has no name: %s", strerror(errno));
    int needed = snprintf(tree->home, sizeof tree->home, "%s%s%.*s", here, *here ? "/" : "",
                          (int)length, home);
    if (needed >= (int)sizeof tree->home)
        return fault_set(fault, "its path is longer than %zu bytes", sizeof tree->home - 1);
    path_of(tree, "", here);
    if (stat(here, &about) != 0)
        return fault_set(fault,
                         "%.200s: %s; expected the home of the node, with cosmovisor's tree in it: "
                         "cosmovisor/genesis/bin/NAME",
                         here, strerror(errno));
    return true;
}

bool cosmovisor_open(struct cosmovisor *tree, const char *home, const char *name,
                     struct fault *fault)
{
    if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        strlen(name) >= sizeof tree->name)
        return fault_set(fault,
                         "process.name: \"%.64s\" is no name of a file; expected that of the "
                         "node's binary, such as dcld",
                         name);
    snprintf(tree->name, sizeof tree->name, "%s", name);
    return recase_read(&tree->recase, fault) &&
           (home_take(tree, home, fault) || fault_within(fault, "process.home"));
}

/* --- what is there --- */

/* The text of the link without slashes at its end; "" when there is none. */
static bool link_read(const struct cosmovisor *tree, char out[COSMOVISOR_PATH_MAX],
                      struct fault *fault)
{
    char path[COSMOVISOR_PATH_MAX];
    path_of(tree, LINK_NAME, path);
    ssize_t length = readlink(path, out, COSMOVISOR_PATH_MAX - 1);
    if (length < 0 && errno != ENOENT)
        return fault_set(fault, "%.250s: %s", path,
                         errno == EINVAL ? "is no symbolic link; move it away" : strerror(errno));
    while (length > 0 && out[length - 1] == '/')
        length--;
    out[length > 0 ? length : 0] = '\0';
    return true;
}

/* The part of a link's text that is below the tree; NULL when it leads elsewhere. */
static const char *below_tree(const struct cosmovisor *tree, const char *link)
{
    char root[COSMOVISOR_PATH_MAX], real_root[COSMOVISOR_PATH_MAX], folder[COSMOVISOR_PATH_MAX];
    path_of(tree, "", root);
    size_t length = strlen(root);
    if (*link != '/')
        return strncmp(link, "./", 2) == 0 ? link + 2 : link;
    if (strncmp(link, root, length) == 0)
        return link + length;
    /* By another name of the same folder, as when the home is a link itself. */
    const char *rest = strstr(link, "/cosmovisor/");
    rest = rest ? rest + strlen("/cosmovisor/") : link;
    snprintf(folder, sizeof folder, "%.*s", (int)(rest - link), link);
    char *real = realpath(root, NULL), *other = realpath(folder, NULL);
    snprintf(real_root, sizeof real_root, "%s", real ? real : "");
    bool same = real && other && strcmp(real_root, other) == 0;
    free(real);
    free(other);
    return same ? rest : NULL;
}

bool cosmovisor_current(const struct cosmovisor *tree, char version[RUNTIME_TARGET_MAX],
                        struct fault *fault)
{
    char link[COSMOVISOR_PATH_MAX];
    if (!link_read(tree, link, fault))
        return false;
    const char *rest = *link ? below_tree(tree, link) : COSMOVISOR_GENESIS;
    if (rest && strcmp(rest, COSMOVISOR_GENESIS) == 0) {
        snprintf(version, RUNTIME_TARGET_MAX, COSMOVISOR_GENESIS);
        return true;
    }
    if (rest && strncmp(rest, UPGRADES, strlen(UPGRADES)) == 0 &&
        version_name(rest + strlen(UPGRADES), version))
        return true;
    return fault_set(fault,
                     "%.100s/cosmovisor/current leads to %.150s; expected genesis or a folder of "
                     "upgrades in the same tree",
                     tree->home, link);
}

/* The name as it was written, where cosmovisor would look for another one. */
static bool hint_case(const struct cosmovisor *tree, const char *version, const char *path,
                      struct fault *fault)
{
    struct cosmovisor as_is = *tree;
    char folder[FOLDER_MAX], other[COSMOVISOR_PATH_MAX];
    as_is.recase = false;
    if (!folder_name(&as_is, version, folder))
        return false;
    path_of(tree, folder, other);
    return !tree->recase || strncmp(other, path, strlen(other)) == 0 || access(other, F_OK) != 0
               ? fault_set(fault, "%.250s: there is no such file; put the binary there", path)
               : fault_set(fault,
                           "%.150s: there is no such file, but %.150s is there: rename it to "
                           "lower case",
                           path, other);
}

bool cosmovisor_binary(const struct cosmovisor *tree, const char *version,
                       char path[COSMOVISOR_PATH_MAX], struct fault *fault)
{
    char folder[FOLDER_MAX], rest[FOLDER_MAX + 80];
    struct stat about;
    if (!folder_name(tree, version, folder))
        return refuse_version(version, fault);
    snprintf(rest, sizeof rest, "%s/bin/%s", folder, tree->name);
    path_of(tree, rest, path);
    if (stat(path, &about) != 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? hint_case(tree, version, path, fault)
                   : fault_set(fault, "%.250s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return fault_set(fault, "%.250s: is no file", path);
    if (access(path, X_OK) != 0)
        return fault_set(fault, "%.250s: cannot be executed: %s; chmod a+x it", path,
                         strerror(errno));
    return true;
}

/* --- upgrade-info.json --- */

/* Its text (free), NULL when there is none. */
static char *info_text(const char *path)
{
    char *text, error[INPUT_ERROR_MAX];
    size_t size;
    return input_file(path, INFO_MAX, true, &text, &size, error) ? text : NULL;
}

static bool info_names(const struct cosmovisor *tree, const char *text, const char *folder)
{
    char named[FOLDER_MAX];
    json_t *info = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *name = json_string_value(json_object_get(info, "name"));
    bool same = name && folder_name(tree, name, named) && strcmp(named, folder) == 0;
    json_decref(info);
    return same;
}

/* What the version's file is to say; NULL: it stays as it is. */
static char *info_wanted(const struct cosmovisor *tree, const char *folder, const char *present)
{
    char path[COSMOVISOR_PATH_MAX];
    snprintf(path, sizeof path, "%s/data/" INFO_NAME, tree->home);
    char *text = info_text(path);
    if (text && info_names(tree, text, folder) && !(present && strcmp(text, present) == 0))
        return text;
    free(text);
    if (present)
        return NULL;
    path_of(tree, LINK_NAME "/" INFO_NAME, path);
    return info_text(path);
}

static bool info_write(const struct cosmovisor *tree, const char *folder, struct fault *fault)
{
    char path[COSMOVISOR_PATH_MAX], rest[FOLDER_MAX + 80];
    snprintf(rest, sizeof rest, "%s/" INFO_NAME, folder);
    path_of(tree, rest, path);
    char *present = info_text(path), *wanted = info_wanted(tree, folder, present);
    path_of(tree, folder, path);
    int fd = wanted ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool good = !wanted || (fd >= 0 && file_put(fd, INFO_NAME, wanted, strlen(wanted), true,
                                                fault) == FILE_PUT);
    if (wanted && fd < 0)
        (void)fault_set(fault, "%s", strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    free(present);
    free(wanted);
    return good || fault_within(fault, path);
}

/* --- the switch --- */

static bool link_replace(const struct cosmovisor *tree, const char *text, struct fault *fault)
{
    char root[COSMOVISOR_PATH_MAX];
    path_of(tree, "", root);
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && (unlinkat(fd, LINK_DRAFT, 0) == 0 || errno == ENOENT) &&
                symlinkat(text, fd, LINK_DRAFT) == 0 &&
                renameat(fd, LINK_DRAFT, fd, LINK_NAME) == 0 && fsync(fd) == 0;
    int wrong = errno;
    if (fd >= 0)
        (void)close(fd);
    return good || fault_set(fault, "%.200scurrent: cannot be switched: %s", root, strerror(wrong));
}

bool cosmovisor_switch(const struct cosmovisor *tree, const char *version, bool back,
                       struct fault *fault)
{
    char path[COSMOVISOR_PATH_MAX], link[COSMOVISOR_PATH_MAX], folder[FOLDER_MAX];
    if (!cosmovisor_binary(tree, version, path, fault) || !link_read(tree, link, fault))
        return false;
    bool relative = *link && *link != '/';
    if (!folder_name(tree, version, folder))
        return refuse_version(version, fault);
    if (!back && strcmp(version, COSMOVISOR_GENESIS) != 0 && !info_write(tree, folder, fault))
        return false;
    path_of(tree, folder, path);
    return link_replace(tree, relative ? folder : path, fault);
}
