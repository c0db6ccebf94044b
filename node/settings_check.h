/* What `stagger run --check-config` looks at: everything that is wrong before the network is asked.
 *
 *     values      settings_read_...() has refused what cannot be right; here those that exclude or need each other
 *     files       certificates, keys, passphrases, sockets: there, readable, and by nobody else where that matters
 *     keys        opened where no person and no command of the operator's has to be asked
 *     programs    of signer, hooks and commands: found, executable
 *     folders     the agent's own exists and is private, or can be made; nothing is made
 *
 * Nothing is started, sent or changed, so it may run beside the agent whose configuration it checks.
 */
#ifndef STAGGER_NODE_SETTINGS_CHECK_H
#define STAGGER_NODE_SETTINGS_CHECK_H

#include "node/settings.h"

/* Tells every fault, and notes for what may be meant. Returns how many faults there were. */
uint32_t settings_check(const struct settings *settings,
                        void (*tell)(void *owner, bool is_fault, const char *line), void *owner);

#endif
