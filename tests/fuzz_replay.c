/* Runs a fuzz target over its corpus without libFuzzer, so that every build replays what was once found:
 *     replay_fuzz_coord tests/corpus/fuzz_coord */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#define INPUT_MAX 65536
#define PATH_LENGTH_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns whether the file could be read; its size is what it holds, so that reading beyond it is seen. */
static int replay(const char *path)
{
    static uint8_t bytes[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    size_t size = fread(bytes, 1, sizeof bytes, file);
    int whole = feof(file) != 0;
    fclose(file);
    uint8_t *data = malloc(size + 1);
    if (!data || !whole) {
        free(data);
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        data[i + 1] = bytes[i];
    LLVMFuzzerTestOneInput(data + 1, size);
    free(data);
    return 1;
}

static int replay_entry(const char *folder, const char *name)
{
    char path[PATH_LENGTH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length > 0 && (size_t)length < sizeof path && replay(path))
        return 1;
    fprintf(stderr, "%s/%s: cannot be read whole; expected a file of less than %d bytes\n", folder,
            name, INPUT_MAX);
    return 0;
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    int count = argc == 2 ? scandir(argv[1], &entries, NULL, alphasort) : -1;
    int replayed = 0, failed = 0;
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            int ok = replay_entry(argv[1], entries[i]->d_name);
            replayed += ok;
            failed += !ok;
        }
        free(entries[i]);
    }
    free(entries);
    printf("%d inputs replayed\n", replayed);
    if (count < 0 || replayed == 0)
        fprintf(stderr, "no inputs; usage: %s FOLDER\n", argv[0]);
    return replayed > 0 && failed == 0 ? 0 : 1;
}
