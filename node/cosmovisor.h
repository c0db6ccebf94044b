/* The tree in which cosmovisor keeps the versions of a node, read and switched the way that it does.
 *
 *     HOME/cosmovisor/genesis/bin/NAME
 *     HOME/cosmovisor/upgrades/v1.6.0/bin/NAME     and upgrade-info.json, once it is or was current
 *     HOME/cosmovisor/current -> HOME/cosmovisor/upgrades/v1.6.0
 *     HOME/data/upgrade-info.json                  what the chain asked for last
 *
 * A version is called by the name of its upgrade, or "genesis". In folders it stands in lower case, unless the
 * environment says COSMOVISOR_DISABLE_RECASE=true, and percent-encoded.
 *
 * The link is absolute, since cosmovisor up to 1.6 needs that; one that is relative (1.7) stays so. It is replaced in one
 * step: at every instant it leads to the old version or to the new one. Without a link the version is genesis.
 *
 * When cosmovisor starts it compares upgrade-info.json of the current version with that of data/, and switches when they
 * name different upgrades; without the former it would go back to the chain's last upgrade from anything installed
 * since. So each version that we make current gets one when it has none: the chain's if that names this version, else
 * that of the version before.
 */
#ifndef STAGGER_NODE_COSMOVISOR_H
#define STAGGER_NODE_COSMOVISOR_H

#include "node/runtime.h"

#define COSMOVISOR_PATH_MAX 4096
#define COSMOVISOR_GENESIS "genesis"

struct cosmovisor {
    char home[2048]; /* absolute */
    char name[65];   /* of the binary */
    bool recase;
};

/* False with a fault when home or name cannot be, or the environment says what is no yes or no. */
MUST_CHECK bool cosmovisor_open(struct cosmovisor *tree, const char *home, const char *name,
                                struct fault *fault);

/* The version that is current. */
MUST_CHECK bool cosmovisor_current(const struct cosmovisor *tree, char version[RUNTIME_TARGET_MAX],
                                   struct fault *fault);

/* The version's binary: there, and it may be executed. */
MUST_CHECK bool cosmovisor_binary(const struct cosmovisor *tree, const char *version,
                                  char path[COSMOVISOR_PATH_MAX], struct fault *fault);

/* Makes it current, durably; may be repeated after a crash anywhere in it. `back`: it is a return to what was there
 * before, which changes no upgrade-info.json. */
MUST_CHECK bool cosmovisor_switch(const struct cosmovisor *tree, const char *version, bool back,
                                  struct fault *fault);

#endif
