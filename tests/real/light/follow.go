package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/light"
	"github.com/cometbft/cometbft/light/provider"
	lighthttp "github.com/cometbft/cometbft/light/provider/http"
	lightdb "github.com/cometbft/cometbft/light/store/db"
	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
)

const trustFor = 24 * time.Hour

// chainOf is the chain's id and the hash of the header at the first height: what the client is told to trust.
func chainOf(ctx context.Context, t task) (string, []byte, error) {
	client, err := rpchttp.New(t.rpc, "/websocket")
	if err != nil {
		return "", nil, err
	}
	first, err := client.Commit(ctx, &t.from)
	if err != nil {
		return "", nil, err
	}
	return first.ChainID, first.Header.Hash(), nil
}

func follow(ctx context.Context, t task, how light.Option, every bool) (string, error) {
	chain, trusted, err := chainOf(ctx, t)
	if err != nil {
		return "", err
	}
	primary, err := lighthttp.New(chain, t.rpc)
	if err != nil {
		return "", err
	}
	witness, err := lighthttp.New(chain, t.witness)
	if err != nil {
		return "", err
	}
	client, err := light.NewClient(ctx, chain, light.TrustOptions{Period: trustFor, Height: t.from, Hash: trusted},
		primary, []provider.Provider{witness}, lightdb.New(db.NewMemDB(), "devnet"), how, light.PruningSize(0))
	if err != nil {
		return "", err
	}
	step := t.to - t.from
	if every {
		step = 1
	}
	for height := t.from + step; height <= t.to; height += step {
		if _, err := client.VerifyLightBlockAtHeight(ctx, height, time.Now()); err != nil {
			return "", err
		}
	}
	return told(client, t, every)
}

// told counts what the client holds as proven.
func told(client *light.Client, t task, every bool) (string, error) {
	proven, sets := 0, map[string]bool{}
	for height := t.from; height <= t.to; height++ {
		block, err := client.TrustedLightBlock(height)
		if err == nil {
			proven++
			sets[string(block.ValidatorsHash)] = true
		} else if every {
			return "", fmt.Errorf("height %d was not proven: %w", height, err)
		}
	}
	return fmt.Sprintf("%d headers from %d to %d, %d sets", proven, t.from, t.to, len(sets)), nil
}

func followEvery(ctx context.Context, t task) (string, error) {
	return follow(ctx, t, light.SequentialVerification(), true)
}

func followSkipping(ctx context.Context, t task) (string, error) {
	return follow(ctx, t, light.SkippingVerification(light.DefaultTrustLevel), false)
}
