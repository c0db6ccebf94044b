/* libFuzzer entry of the genesis reader, in memory only; asserts what callers rely on. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/genesis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void genesis_assert(const struct genesis *genesis)
{
    uint32_t active = 0;
    int64_t total = 0;
    assert(genesis->chain_id[0] != '\0' && strlen(genesis->chain_id) < CHAIN_ID_MAX);
    assert(genesis->initial_height >= 1 && genesis->properties.min_validators >= 1);
    assert(genesis->record_count >= 1 && genesis->record_count <= VIEW_VALIDATORS_MAX);
    assert(genesis->properties.inactive_rank_percent <= 100 && genesis->genesis_time_ms >= 0);
    for (uint32_t i = 0; i < genesis->record_count; i++) {
        const struct model_record *record = &genesis->records[i];
        assert(record->status >= STATUS_ACTIVE && record->status <= STATUS_JAILED);
        assert(record->moniker[0] != '\0' &&
               memchr(record->moniker, '\0', MODEL_MONIKER_MAX) != NULL);
        assert(record->power >= 1 && record->power <= GENESIS_POWER_MAX - total);
        assert(record->rank >= 0 && record->streak >= 0 && record->inactive_until_ms >= 0);
        total += record->power;
        active += record->status == STATUS_ACTIVE ? 1 : 0;
    }
    assert(active >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct genesis genesis;
    char error[GENESIS_ERROR_MAX];
    /* opened for reading only: the data is not written to */
    FILE *file = fmemopen((void *)(uintptr_t)data, size, "rb");
    if (file == NULL) {
        return 0;
    }
    if (genesis_read_file(file, "fuzz", &genesis, error)) {
        genesis_assert(&genesis);
        genesis_clear(&genesis);
    } else {
        assert(strncmp(error, "fuzz: ", 6) == 0 && strchr(error, '\n') == NULL);
        assert(strlen(error) < GENESIS_ERROR_MAX && genesis.records == NULL);
    }
    fclose(file);
    return 0;
}
