#include <stdio.h>

#include "sim/devnet_chain.h"
#include "sim/devnet_dir.h"

int devnet_chain_main(const struct devnet_dir *dir)
{
    char log_path[DEVNET_PATH_MAX], mark_path[DEVNET_PATH_MAX], endpoint[DEVNET_SOCKET_MAX + 8];
    (void)snprintf(endpoint, sizeof endpoint, "ipc://%s", dir->socket);
    return devnet_chain_run(&(struct devnet_chain_config){
        .log_path = devnet_dir_file(dir, "chain/blocks.log", log_path),
        .mark_path = devnet_dir_file(dir, "chain/proposal.json", mark_path),
        .endpoint = endpoint,
        .genesis = &dir->genesis,
        .block_ms = dir->block_time_ms,
        .empty_ms = dir->empty_blocks_ms,
        .propose_ms = dir->timeout_propose_ms,
    });
}
