/* Values of world keys that are more than one number: each reads its text into the config.
 *
 * Returns false and leaves the config as it was when the text does not fit. `error` then holds a
 * sentence of its own where there is more to say than what the key's range says, else it is left
 * alone; the sentence does not name the key.
 */
#ifndef STAGGER_SIM_CONFIG_VALUES_H
#define STAGGER_SIM_CONFIG_VALUES_H

#include "sim/config.h"

#define REBOOT_MIN_MS 1000
#define REBOOT_MAX_MS 604800000 /* 7 days */
#define SEEDS_MAX 10000000

bool config_set_floor_fraction(struct sim_config *config, const char *value,
                               char error[CONFIG_ERROR_MAX]);
bool config_set_ramp(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX]);
bool config_set_reboot(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX]);
bool config_set_hostile_kinds(struct sim_config *config, const char *value,
                              char error[CONFIG_ERROR_MAX]);
bool config_set_seed(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX]);
bool config_set_seeds(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX]);
bool config_set_faults(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX]);
bool config_set_shard(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX]);
bool config_set_merge(struct sim_config *config, const char *value, char error[CONFIG_ERROR_MAX]);

/* The way back, for config_text(). A fraction is written so that reading it gives the same number,
 * where 15 digits or a ratio of small numbers can say it. */
void config_fraction_text(double value, char text[CONFIG_TEXT_MAX]);
bool config_value_text(const struct sim_config *config, const char *key,
                       char text[CONFIG_TEXT_MAX]);

#endif
