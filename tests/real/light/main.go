// Command light asks nodes of the devnet for blocks and checks them with CometBFT's own packages: nothing of this
// project's code has a part in it.
//
//	light blocks     --rpc URL --from H --to H              whole blocks, as a node that syncs checks them
//	light sequential --rpc URL --witness URL --from H --to H  the light client, every header
//	light skipping   --rpc URL --witness URL --from H --to H  the light client, as few headers as it needs
//
// Exit status: 0 and one line on standard output when all is right, 1 and one line on standard error when it is not.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"
)

type task struct {
	rpc, witness string
	from, to     int64
}

const deadline = 2 * time.Minute

var modes = map[string]func(context.Context, task) (string, error){
	"blocks":     checkBlocks,
	"sequential": followEvery,
	"skipping":   followSkipping,
}

func run(args []string) (string, error) {
	if len(args) == 0 || modes[args[0]] == nil {
		return "", fmt.Errorf("usage: light blocks|sequential|skipping --rpc URL [--witness URL] --from H --to H")
	}
	var t task
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.StringVar(&t.rpc, "rpc", "", "the node that is checked")
	flags.StringVar(&t.witness, "witness", "", "another node of the chain")
	flags.Int64Var(&t.from, "from", 1, "first height")
	flags.Int64Var(&t.to, "to", 1, "last height")
	if err := flags.Parse(args[1:]); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	return modes[args[0]](ctx, t)
}

func main() {
	said, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "light:", err)
		os.Exit(1)
	}
	fmt.Println(said)
}
