/* The account that signs, opened as [account] of the settings says: a key of the store, a raw key file, or a command
 * of the operator's. Exactly one of the three may be meant. Where several are named the one from the higher source
 * is: `--key spare` is the key for one command, whatever stands in the file.
 *
 *     file: key_file      environment: -      flag: --key        --key
 *     file: key_file      file: key                              a fault: which of them is not clear
 */
#ifndef STAGGER_NODE_ACCOUNT_OPEN_H
#define STAGGER_NODE_ACCOUNT_OPEN_H

#include "node/settings.h"
#include "node/signer.h"

/* Which of SETTING_ACCOUNT_KEY, _KEY_FILE and _SIGNER is meant. */
MUST_CHECK bool account_way(const struct settings *settings, enum setting *way,
                            struct fault *fault);

/* NULL with a fault. From now on the process holds a key: see secret_guard(). May ask for a passphrase at the
 * terminal, and waits for the operator's command. */
struct signer *signer_from_settings(const struct settings *settings, struct fault *fault);

#endif
