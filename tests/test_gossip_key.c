/* gossip.key: made once, bound once, refused when it is damaged or another's, and whole after every write. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "node/gossip_key.h"
#include "proto/encoding.h"

#define TEXT_MAX 2048
#define NOW_S 1700000000

/* --- a world: a folder, a chain, an account --- */

struct world {
    char folder[64], path[96];
    struct record_network network;
    uint8_t validator[ADDRESS_SIZE];
    struct signer *signer;
};

static struct signer *signer_of(const struct world *w, char digit)
{
    char path[96], hex[66];
    struct fault fault;
    memset(hex, digit, 64);
    memcpy(hex + 64, "\n", 2);
    snprintf(path, sizeof path, "%s/account-%c", w->folder, digit);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, hex, 65), 65);
    close(fd);
    struct signer *signer = signer_from_file(path, &fault);
    assert_non_null(signer);
    return signer;
}

static void world_create(struct world *w)
{
    struct fault fault;
    *w = (struct world){.folder = "/tmp/stagger-gossip-key-XXXXXX"};
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->path, sizeof w->path, "%s/" GOSSIP_KEY_NAME, w->folder);
    assert_true(record_network_set(&w->network, "localnet-1", "kira", &fault));
    memset(w->validator, 0x5f, sizeof w->validator);
    w->signer = signer_of(w, '1');
}

static uint32_t files_of(const char *folder, bool remove)
{
    uint32_t count = 0;
    DIR *files = opendir(folder);
    char path[400];
    assert_non_null(files);
    for (const struct dirent *file; (file = readdir(files)) != NULL;) {
        if (strcmp(file->d_name, ".") == 0 || strcmp(file->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
        count++;
        if (remove)
            assert_int_equal(unlink(path), 0);
    }
    closedir(files);
    return count;
}

static void world_destroy(struct world *w)
{
    signer_destroy(&w->signer);
    files_of(w->folder, true);
    assert_int_equal(rmdir(w->folder), 0);
}

static struct gossip_key_owner owner_of(const struct world *w)
{
    return (struct gossip_key_owner){w->folder, &w->network, w->validator, w->signer};
}

static void make_bound(const struct world *w, struct gossip_key *key)
{
    struct gossip_key_owner owner = owner_of(w);
    struct fault fault;
    if (!gossip_key_open(w->folder, key, &fault) || !gossip_key_bind(&owner, NOW_S, key, &fault))
        fail_msg("%s", fault.text);
}

static size_t file_take(const struct world *w, char text[TEXT_MAX])
{
    int fd = open(w->path, O_RDONLY);
    ssize_t size = read(fd, text, TEXT_MAX);
    close(fd);
    assert_true(size > 0 && size < TEXT_MAX);
    return (size_t)size;
}

static void file_make(const struct world *w, const char *text, size_t size)
{
    int fd = open(w->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, text, size), (ssize_t)size);
    close(fd);
}

/* The file is refused, and stays what it is. */
static void refused(const struct world *w, const char *part)
{
    char before[TEXT_MAX], after[TEXT_MAX];
    struct gossip_key key;
    struct fault fault;
    size_t size = file_take(w, before);
    if (gossip_key_open(w->folder, &key, &fault))
        fail_msg("accepted; expected: %s", part);
    if (!strstr(fault.text, w->path) || !strstr(fault.text, part))
        fail_msg("refused with: %s\n  expected: %s", fault.text, part);
    assert_int_equal(file_take(w, after), size);
    assert_memory_equal(before, after, size);
}

/* --- tests --- */

static void made_once(void **state)
{
    (void)state;
    struct world w;
    struct gossip_key one, two;
    struct fault fault;
    struct stat about;
    bool missing;
    world_create(&w);
    assert_false(gossip_key_read(w.folder, &one, &missing, &fault));
    assert_true(missing);
    assert_true(gossip_key_open(w.folder, &one, &fault));
    assert_false(one.bound);
    assert_int_equal(stat(w.path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_true(gossip_key_open(w.folder, &two, &fault));
    assert_memory_equal(one.identity, two.identity, RECORD_KEY_SIZE);
    assert_memory_equal(one.secret, two.secret, RECORD_KEY_SIZE);
    assert_memory_equal(one.curve, two.curve, RECORD_KEY_SIZE);
    assert_memory_not_equal(one.identity, one.secret, RECORD_KEY_SIZE);
    assert_int_equal(files_of(w.folder, false),
                     2); /* the account's and the key: no draft is left */
    world_destroy(&w);
}

static void the_folder_is_made(void **state)
{
    (void)state;
    struct world w;
    char inner[96], file[128];
    struct gossip_key key;
    struct fault fault;
    struct stat about;
    world_create(&w);
    snprintf(inner, sizeof inner, "%s/agent", w.folder);
    snprintf(file, sizeof file, "%s/" GOSSIP_KEY_NAME, inner);
    assert_true(gossip_key_open(inner, &key, &fault));
    assert_int_equal(stat(inner, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0700);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(inner), 0);
    world_destroy(&w);
}

static void bound_once(void **state)
{
    (void)state;
    struct world w;
    struct gossip_key one, two;
    struct fault fault;
    world_create(&w);
    struct gossip_key_owner owner = owner_of(&w);
    make_bound(&w, &one);
    assert_true(one.bound);
    assert_int_equal(one.binding.serial, NOW_S);
    assert_memory_equal(one.binding.validator, w.validator, ADDRESS_SIZE);
    assert_memory_equal(one.binding.curve, one.curve, RECORD_KEY_SIZE);
    assert_true(record_binding_verify(&w.network, &one.binding));
    assert_true(gossip_key_open(w.folder, &two, &fault));
    assert_true(gossip_key_bind(&owner, NOW_S + 5, &two, &fault));
    assert_int_equal(two.binding.serial, NOW_S);
    assert_memory_equal(&one.binding, &two.binding, sizeof one.binding);
    world_destroy(&w);
}

static void renewed_above_the_last(void **state)
{
    (void)state;
    struct world w;
    struct gossip_key key, again;
    struct fault fault;
    world_create(&w);
    struct gossip_key_owner owner = owner_of(&w);
    make_bound(&w, &key);
    assert_true(gossip_key_renew(&owner, NOW_S - 100, &key, &fault)); /* a clock that steps back */
    assert_int_equal(key.binding.serial, NOW_S + 1);
    assert_true(gossip_key_renew(&owner, NOW_S + 100, &key, &fault));
    assert_int_equal(key.binding.serial, NOW_S + 100);
    assert_true(record_binding_verify(&w.network, &key.binding));
    assert_true(gossip_key_open(w.folder, &again, &fault));
    assert_memory_equal(&key, &again, sizeof key);
    world_destroy(&w);
}

static void another_owner(const struct world *w, const struct gossip_key_owner *owner,
                          const char *part)
{
    struct gossip_key key;
    struct fault fault;
    assert_true(gossip_key_open(w->folder, &key, &fault));
    assert_false(gossip_key_bind(owner, NOW_S, &key, &fault));
    if (!strstr(fault.text, w->path) || !strstr(fault.text, part))
        fail_msg("refused with: %s\n  expected: %s", fault.text, part);
}

static void of_another(void **state)
{
    (void)state;
    struct world w;
    struct gossip_key key;
    struct fault fault;
    uint8_t validator[ADDRESS_SIZE] = {1};
    struct record_network chain, prefix;
    world_create(&w);
    make_bound(&w, &key);
    assert_true(record_network_set(&chain, "localnet-2", "kira", &fault));
    assert_true(record_network_set(&prefix, "localnet-1", "cosmos", &fault));
    struct signer *signer = signer_of(&w, '2');
    struct gossip_key_owner owner = owner_of(&w);
    owner.network = &chain;
    another_owner(&w, &owner, "belongs to chain localnet-1, and this is localnet-2");
    owner.network = &prefix;
    another_owner(&w, &owner, "chain.prefix");
    owner = owner_of(&w);
    owner.validator = validator;
    another_owner(&w, &owner, "belongs to validator 5F5F5F");
    owner = owner_of(&w);
    owner.signer = signer;
    another_owner(&w, &owner, "another account");
    signer_destroy(&signer);
    world_destroy(&w);
}

static void every_byte_counts(void **state)
{
    (void)state;
    struct world w;
    struct gossip_key key;
    char text[TEXT_MAX], changed[TEXT_MAX];
    world_create(&w);
    make_bound(&w, &key);
    size_t size = file_take(&w, text);
    for (size_t i = 0; i < size; i++) {
        memcpy(changed, text, size);
        changed[i] ^= 0x01;
        file_make(&w, changed, size);
        refused(&w, "damaged");
        memcpy(changed, text, size);
        file_make(&w, changed, i); /* cut */
        if (i > 0)
            refused(&w, "damaged");
    }
    memcpy(changed, text, size);
    changed[size] = '\n';
    file_make(&w, changed, size + 1);
    refused(&w, "damaged");
    file_make(&w, text, size);
    struct fault fault;
    assert_true(gossip_key_open(w.folder, &key, &fault));
    world_destroy(&w);
}

static void long_and_strange_files(void **state)
{
    (void)state;
    struct world w;
    char text[TEXT_MAX];
    world_create(&w);
    memset(text, 'a', sizeof text);
    file_make(&w, text, TEXT_MAX - 1);
    refused(&w, "damaged");
    memset(text, 0, sizeof text);
    file_make(&w, text, 300);
    refused(&w, "damaged");
    file_make(&w, "stagger gossip key 1\nidentity ", 30);
    refused(&w, "damaged");
    world_destroy(&w);
}

static void others_must_not_read(void **state)
{
    (void)state;
    struct world w;
    struct gossip_key key;
    world_create(&w);
    make_bound(&w, &key);
    assert_int_equal(chmod(w.path, 0640), 0);
    refused(&w, "0600");
    assert_int_equal(chmod(w.path, 0600), 0);
    assert_int_equal(chmod(w.folder, 0755), 0);
    struct fault fault;
    assert_false(gossip_key_open(w.folder, &key, &fault));
    assert_non_null(strstr(fault.text, "0700"));
    assert_int_equal(chmod(w.folder, 0700), 0);
    world_destroy(&w);
}

static void no_link_is_followed(void **state)
{
    (void)state;
    struct world w;
    char target[96];
    struct gossip_key key;
    struct fault fault;
    world_create(&w);
    snprintf(target, sizeof target, "%s/account-1", w.folder);
    assert_int_equal(symlink(target, w.path), 0);
    assert_false(gossip_key_open(w.folder, &key, &fault));
    assert_non_null(strstr(fault.text, w.path));
    world_destroy(&w);
}

static void keys_of_another_binding(void **state)
{
    (void)state;
    struct world w;
    struct gossip_key one, two;
    struct fault fault;
    world_create(&w);
    make_bound(&w, &one);
    assert_int_equal(unlink(w.path), 0);
    assert_true(gossip_key_open(w.folder, &two, &fault));
    struct gossip_key_owner owner = owner_of(&w);
    memcpy(two.secret, one.secret, sizeof two.secret); /* its public half stays the other one's */
    assert_true(gossip_key_renew(&owner, NOW_S, &two, &fault));
    refused(&w, "other keys");
    world_destroy(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_once),
        cmocka_unit_test(the_folder_is_made),
        cmocka_unit_test(bound_once),
        cmocka_unit_test(renewed_above_the_last),
        cmocka_unit_test(of_another),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(long_and_strange_files),
        cmocka_unit_test(others_must_not_read),
        cmocka_unit_test(no_link_is_followed),
        cmocka_unit_test(keys_of_another_binding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
