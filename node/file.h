/* Folders and files of one owner: nobody else may read them, and a file is there whole and durable or not at all.
 *
 *     draft (random name, 0600) -- write, fsync --> draft -- rename --> NAME -- fsync of the folder
 *
 * So a crash leaves the file that was there before, the new one, or none; beside it at most a draft, ".draft-...",
 * that nobody reads.
 */
#ifndef STAGGER_NODE_FILE_H
#define STAGGER_NODE_FILE_H

#include <stddef.h>

#include "proto/fault.h"

#define FILE_PATH_MAX 4096

/* A descriptor of the folder, or -1 with a fault: it is not there (*missing, which is no fault in itself), others can
 * look into it, it belongs to another user. */
int folder_open(const char *path, bool *missing, struct fault *fault);

/* Makes the folder and those above it where they are missing, with permission for the owner only. */
MUST_CHECK bool folder_make(const char *path, struct fault *fault);

/* At most `room` bytes of a file, which holds more when *size is room. Links are not followed; a file that others can
 * read is a fault, one that is not there too (*missing). No fault of files names them. */
MUST_CHECK bool file_get(int folder, const char *name, char *text, size_t room, size_t *size,
                         bool *missing, struct fault *fault);

enum file_put { FILE_PUT, FILE_TAKEN, FILE_FAILED };

/* Puts a file into the folder. Without `replace` a name that is taken stays as it is: FILE_TAKEN. */
enum file_put file_put(int folder, const char *name, const char *text, size_t size, bool replace,
                       struct fault *fault);

#endif
