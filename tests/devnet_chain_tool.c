/* The chain process of tests/devnet_fake.h: devnet_chain_tool DIR COUNT BLOCK_MS EMPTY_MS PROPOSE_MS */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "sim/devnet_chain.h"
#include "tests/devnet_fake.h"

int main(int argc, char **argv)
{
    static struct app_genesis genesis;
    static struct app_validator validators[FAKE_NODES_MAX];
    static uint8_t seeds[FAKE_NODES_MAX][ED25519_KEY_SIZE];
    char log[256], mark[256], endpoint[256];
    if (argc != 6 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) /* a test that fails leaves nobody behind */
        return 2;
    struct fake_config config = {.count = (uint32_t)atoi(argv[2])};
    fake_genesis(&config, &genesis, validators, seeds);
    snprintf(log, sizeof log, "%s/blocks.log", argv[1]);
    snprintf(mark, sizeof mark, "%s/proposal.json", argv[1]);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/sock", argv[1]);
    return devnet_chain_run(&(struct devnet_chain_config){
        .log_path = log,
        .mark_path = mark,
        .endpoint = endpoint,
        .genesis = &genesis,
        .block_ms = atoll(argv[3]),
        .empty_ms = atoll(argv[4]),
        .propose_ms = atoll(argv[5]),
    });
}
