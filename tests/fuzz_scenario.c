/* Fuzzing the reader of scenario files: whatever the bytes, it accepts a config that it could
 * itself have written down, or refuses with one line. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "sim/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const char *error)
{
    size_t length = strlen(error);
    assert(length > 0 && length < CONFIG_ERROR_MAX);
    assert(strncmp(error, "fuzz.scn:", 9) == 0 || strcmp(error, "out of memory") == 0);
    for (size_t i = 0; i < length; i++)
        assert((unsigned char)error[i] >= ' ');
}

static void check_faults(const struct sim_config *config)
{
    assert(config->fault_count <= FAULTS_MAX);
    for (uint32_t i = 0; i < config->fault_count; i++) {
        const struct fault *fault = &config->faults[i];
        assert(fault->kind < FAULT_KIND_COUNT);
        assert(i == 0 || config->faults[i - 1].at_ms <= fault->at_ms);
        assert(fault->at_ms >= 0 && fault->for_ms >= 0);
        assert(fault->fraction >= 0 && fault->fraction <= 1);
        assert(memchr(fault->who, '\0', sizeof fault->who) != NULL);
    }
}

static void check_world(const struct sim_config *config)
{
    assert(config->validators >= 1 && config->validators <= VIEW_VALIDATORS_MAX);
    assert(config->block_time_ms >= 100 && config->epoch_blocks >= 2);
    assert(3 * (uint64_t)config->phi_num >= 2 * (uint64_t)config->phi_den);
    assert(config->phi_num < config->phi_den);
    assert(config->loss >= 0 && config->loss <= 1);
    assert(config->reboot.kind != DURATION_LIST || config->reboot.list_count > 0);
    assert(config->strategy < STRATEGY_COUNT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sim_config config;
    char error[CONFIG_ERROR_MAX] = "";
    config_default(&config);
    if (scenario_read_text(&config, "fuzz.scn", (const char *)data, size, NULL, error)) {
        check_world(&config);
        check_faults(&config);
        config_check(&config, error);
    } else {
        check_error(error);
    }
    config_clear(&config);
    return 0;
}
