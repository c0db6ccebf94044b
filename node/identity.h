/* A process that is known again later, by whoever comes after us.
 *
 * A process number alone is given to somebody else after a while. With the moment at which the process began and the
 * host's boot it is unique: both are in the line of text that is left in a file. The file's own number is there too, so
 * that a copy of it, in a folder that was copied, speaks of nobody.
 *
 *     pid 4711 start 123456 file 789 boot 5f3c...\n
 */
#ifndef STAGGER_NODE_IDENTITY_H
#define STAGGER_NODE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define BOOT_ID_MAX 40 /* with its terminator */
#define IDENTITY_TEXT_MAX 128

struct identity {
    pid_t pid;
    uint64_t start; /* clock ticks since the boot */
    char boot[BOOT_ID_MAX];
};

/* Of the host's present boot; "" when the kernel does not tell. $STAGGER_BOOT_ID_FILE is read in place of the kernel's
 * file, so that a test can reboot a host. */
void boot_id_read(char boot[BOOT_ID_MAX]);

/* Who has that number now; false: nobody. */
bool identity_of(pid_t pid, struct identity *identity);

/* A descriptor that becomes readable when the process ends (pidfd), or -1: it has ended. */
int identity_open(const struct identity *identity);

/* The line in a file, in place of what it holds. False: it could not be written, or read in whole. */
bool identity_write(const struct identity *identity, int fd);
bool identity_read(struct identity *identity, int fd);

#endif
