/* Keys at rest: one sealed file a key, in a directory of their owner's. node/KEYS.md describes the file.
 *
 *     passphrase, salt --scrypt--> sealing key --AES-256-GCM over the rest of the file--> ciphertext, tag
 *
 *     keys_seal()   key + passphrase  --> struct sealed_key      keys_unseal()  the way back
 *     sealed_write()       struct sealed_key --> text            sealed_read()  the way back
 *     keys_save()          text --> DIRECTORY/NAME.key           keys_load()    the way back
 *
 * The public half stands in clear, so a key can be shown without its passphrase.
 *
 *   I1  Only one text is the file of a sealed key: sealed_read() takes nothing but what sealed_write() writes. So every
 *       byte counts, and each is covered by the checksum (accidents) and, but for the checksum itself, by the tag
 *       (forgery). No altered file gives a key, neither another one nor the same.
 *   I2  What a file asks for is bounded before it is granted: size, memory and time of scrypt.
 *   I3  A file that exists is never written to: a new key is complete and durable before it has its name, and a name that
 *       is taken is a fault.
 *   I4  Directory and files give no permission to others, when they are made and whenever they are used.
 *   I5  No fault holds a key, a passphrase, or a name that is none (it may have been a key in the wrong place).
 */
#ifndef STAGGER_NODE_KEYS_H
#define STAGGER_NODE_KEYS_H

#include <stddef.h>

#include "node/secret.h"
#include "proto/account.h"

#define KEYS_NAME_MAX 32
#define KEYS_FILE_MAX 1024 /* bytes of a file; what is written is about 600 */
#define KEYS_PATH_MAX 4096
#define KEYS_COUNT_MAX 10000 /* in one directory */

#define KEYS_SALT_SIZE 32
#define KEYS_NONCE_SIZE 12
#define KEYS_TAG_SIZE 16

/* scrypt takes 128 * n * r bytes of memory, p times after each other. */
struct keys_cost {
    uint32_t n, r, p;
};
#define KEYS_COST                                                                                  \
    ((struct keys_cost){1u << 17, 8, 1}) /* of new keys: 128 MB, about half a second */
#define KEYS_COST_N_MAX (1u << 18)       /* of a file: 256 MB, and four times that work */
#define KEYS_COST_R_MAX 8u
#define KEYS_COST_P_MAX 4u

struct sealed_key {
    char name[KEYS_NAME_MAX + 1];
    uint8_t public_key[ACCOUNT_PUBLIC_SIZE];
    struct keys_cost cost;
    uint8_t salt[KEYS_SALT_SIZE], nonce[KEYS_NONCE_SIZE];
    uint8_t tag[KEYS_TAG_SIZE], ciphertext[ACCOUNT_KEY_SIZE];
};

/* 1 to 32 of a-z 0-9 _ -. */
MUST_CHECK bool keys_name_check(const char *name, struct fault *fault);

/* --- keys_seal.c: sealing --- */

/* `cost` is KEYS_COST but in tests. A fault when `key` is no private key, or memory or entropy are short. */
MUST_CHECK bool keys_seal(const char *name, const struct secret_key *key, const char *passphrase,
                          struct keys_cost cost, struct sealed_key *sealed, struct fault *fault);

/* A fault when the passphrase is another one. Files that are damaged by accident do not get here. */
MUST_CHECK bool keys_unseal(const struct sealed_key *sealed, const char *passphrase,
                            struct secret_key *key, struct fault *fault);

/* --- keys_file.c: the text --- */

size_t sealed_write(const struct sealed_key *sealed, char text[KEYS_FILE_MAX]);
MUST_CHECK bool sealed_read(const char *text, size_t size, struct sealed_key *sealed,
                            struct fault *fault);

/* How many bytes of the text the tag authenticates besides the ciphertext. */
size_t sealed_clear_size(const char *text);

/* --- keys.c: the directory --- */

/* Where keys lie when nothing else is said: $XDG_DATA_HOME/stagger/keys or ~/.local/share/stagger/keys. */
MUST_CHECK bool keys_directory(char path[KEYS_PATH_MAX], struct fault *fault);

/* Makes the directory, and those above it, when they are missing. */
MUST_CHECK bool keys_save(const char *directory, const struct sealed_key *sealed,
                          struct fault *fault);

/* As keys_save(), without writing anything: whether the name is free. */
MUST_CHECK bool keys_vacant(const char *directory, const char *name, struct fault *fault);

MUST_CHECK bool keys_load(const char *directory, const char *name, struct sealed_key *sealed,
                          struct fault *fault);

/* Needs no readable file, only one that is there. */
MUST_CHECK bool keys_delete(const char *directory, const char *name, struct fault *fault);

/* The names, sorted; none when the directory does not exist. *names is one allocation (free). */
MUST_CHECK bool keys_names(const char *directory, char (**names)[KEYS_NAME_MAX + 1], size_t *count,
                           struct fault *fault);

/* --- keys_text.c: what a person brings --- */

enum keys_text {
    KEYS_TEXT_RAW,      /* 64 hex digits, "0x" before them or not, blanks around */
    KEYS_TEXT_MNEMONIC, /* whatever has several words */
};

/* Reads the private key that a text holds. `path` is that of a mnemonic (hd.h); with NULL a mnemonic is refused. */
struct hd_path;
MUST_CHECK bool keys_from_text(const char *text, size_t size, const struct hd_path *path,
                               struct secret_key *key, enum keys_text *kind, struct fault *fault);

#endif
