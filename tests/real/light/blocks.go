package main

import (
	"bytes"
	"context"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/libs/log"
	cmtstate "github.com/cometbft/cometbft/proto/tendermint/state"
	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	coretypes "github.com/cometbft/cometbft/rpc/core/types"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/types"
	"github.com/cometbft/cometbft/version"
)

// What the node says of one height.
type said struct {
	block   *coretypes.ResultBlock
	commit  *coretypes.ResultCommit
	results *coretypes.ResultBlockResults
	members *types.ValidatorSet // of this height
}

func membersAt(ctx context.Context, client *rpchttp.HTTP, height int64) (*types.ValidatorSet, error) {
	var members []*types.Validator
	perPage := 100
	for page := 1; ; page++ {
		answer, err := client.Validators(ctx, &height, &page, &perPage)
		if err != nil {
			return nil, err
		}
		members = append(members, answer.Validators...)
		if len(members) >= answer.Total || len(answer.Validators) == 0 {
			return types.ValidatorSetFromExistingValidators(members)
		}
	}
}

func ask(ctx context.Context, client *rpchttp.HTTP, height int64) (s said, err error) {
	if s.block, err = client.Block(ctx, &height); err != nil {
		return
	}
	if s.block.Block == nil {
		return s, fmt.Errorf("there is no block %d", height)
	}
	if s.commit, err = client.Commit(ctx, &height); err != nil {
		return
	}
	if s.results, err = client.BlockResults(ctx, &height); err != nil {
		return
	}
	s.members, err = membersAt(ctx, client, height)
	return
}

func resultsHash(results []*abci.ResponseDeliverTx) []byte {
	return sm.ABCIResponsesResultsHash(&cmtstate.ABCIResponses{DeliverTxs: results})
}

// stateAt is a node's state before it runs the block of this height, without what the block before it leaves.
func stateAt(ctx context.Context, client *rpchttp.HTTP, height int64) (state sm.State, err error) {
	genesis, err := client.Genesis(ctx)
	if err != nil {
		return
	}
	params, err := client.ConsensusParams(ctx, &height)
	if err != nil {
		return
	}
	state = sm.State{ChainID: genesis.Genesis.ChainID, InitialHeight: genesis.Genesis.InitialHeight,
		LastBlockTime: genesis.Genesis.GenesisTime, LastValidators: types.NewValidatorSet(nil),
		ConsensusParams: params.ConsensusParams, LastResultsHash: resultsHash(nil)}
	state.Version.Consensus.Block = version.BlockProtocol
	if state.Validators, err = membersAt(ctx, client, height); err != nil {
		return
	}
	height++
	state.NextValidators, err = membersAt(ctx, client, height)
	return
}

// leave does to the state what a node does with a block that it has stored.
func leave(state *sm.State, s said) {
	state.LastBlockHeight, state.LastBlockID = s.block.Block.Height, s.block.BlockID
	state.LastBlockTime = s.block.Block.Time
	state.LastResultsHash = resultsHash(s.results.TxsResults)
}

func stateBefore(ctx context.Context, client *rpchttp.HTTP, height int64) (state sm.State, err error) {
	if state, err = stateAt(ctx, client, height); err != nil || height == state.InitialHeight {
		return
	}
	before, err := ask(ctx, client, height-1)
	if err != nil {
		return
	}
	leave(&state, before)
	state.LastValidators = before.members
	return
}

// advance does to the state what a node does with a block that it has run.
func advance(state *sm.State, s said) error {
	updates, err := types.PB2TM.ValidatorUpdates(s.results.ValidatorUpdates)
	if err != nil {
		return err
	}
	after := state.NextValidators.Copy()
	if len(updates) > 0 {
		if err := after.UpdateWithChangeSet(updates); err != nil {
			return fmt.Errorf("block %d: %w", s.block.Block.Height, err)
		}
	}
	after.IncrementProposerPriority(1)
	state.LastValidators, state.Validators, state.NextValidators = state.Validators, state.NextValidators, after
	leave(state, s)
	return nil
}

func sameSet(height int64, want, got *types.ValidatorSet) error {
	if want.Size() != got.Size() {
		return fmt.Errorf("set of %d: %d members, the updates make it %d", height, got.Size(), want.Size())
	}
	for i, member := range want.Validators {
		if member.String() != got.Validators[i].String() {
			return fmt.Errorf("set of %d: %v, the updates make it %v", height, got.Validators[i], member)
		}
	}
	return nil
}

// proposerOf is who is asked in a round of the height that comes behind the state.
func proposerOf(state sm.State, round int32) *types.Validator {
	members := state.Validators.Copy()
	if round > 0 {
		members.IncrementProposerPriority(round)
	}
	return members.GetProposer()
}

func checkCommit(state sm.State, s said) error {
	height, id := s.block.Block.Height, s.block.BlockID
	if !bytes.Equal(s.commit.Header.Hash(), id.Hash) {
		return fmt.Errorf("header of commit %d has another hash than the block", height)
	}
	if err := s.commit.ValidateBasic(state.ChainID); err != nil {
		return fmt.Errorf("commit %d: %w", height, err)
	}
	if err := state.Validators.VerifyCommit(state.ChainID, id, height, s.commit.Commit); err != nil {
		return fmt.Errorf("commit %d: %w", height, err)
	}
	return nil
}

// checkProposer holds where the rotation is known: behind the first block, or when the sets are computed here.
func checkProposer(state sm.State, s said) error {
	proposer := proposerOf(state, s.commit.Commit.Round)
	if !bytes.Equal(proposer.Address, s.block.Block.ProposerAddress) {
		return fmt.Errorf("block %d: proposer %v, in round %d it is the turn of %v", s.block.Block.Height,
			s.block.Block.ProposerAddress, s.commit.Commit.Round, proposer.Address)
	}
	return nil
}

func checkBlock(executor *sm.BlockExecutor, state sm.State, s said) error {
	block, id := s.block.Block, s.block.BlockID
	if !bytes.Equal(block.Hash(), id.Hash) {
		return fmt.Errorf("block %d has the hash %v, not %v", block.Height, block.Hash(), id.Hash)
	}
	parts, err := block.MakePartSet(types.BlockPartSizeBytes)
	if err != nil {
		return err
	}
	if !parts.Header().Equals(id.PartSetHeader) {
		return fmt.Errorf("block %d has the parts %v, not %v", block.Height, parts.Header(), id.PartSetHeader)
	}
	if len(s.results.TxsResults) != len(block.Txs) {
		return fmt.Errorf("block %d has %d transactions and %d results", block.Height, len(block.Txs),
			len(s.results.TxsResults))
	}
	state.AppHash = block.AppHash // nobody but the application can compute it
	if err := executor.ValidateBlock(state, block); err != nil {
		return fmt.Errorf("block %d: %w", block.Height, err)
	}
	if err := sameSet(block.Height, state.Validators, s.members); err != nil {
		return err
	}
	return checkCommit(state, s)
}

// checkProofs asks for every transaction by its hash, with the proof that the block holds it.
func checkProofs(ctx context.Context, client *rpchttp.HTTP, s said) error {
	for i, tx := range s.block.Block.Txs {
		found, err := client.Tx(ctx, tx.Hash(), true)
		if err != nil {
			return err
		}
		if found.Height != s.block.Block.Height || int(found.Index) != i || !bytes.Equal(found.Tx, tx) {
			return fmt.Errorf("transaction %d of block %d is found elsewhere", i, s.block.Block.Height)
		}
		if err := found.Proof.Validate(s.block.Block.DataHash); err != nil {
			return fmt.Errorf("transaction %d of block %d: %w", i, s.block.Block.Height, err)
		}
		if !bytes.Equal(resultsHash([]*abci.ResponseDeliverTx{&found.TxResult}),
			resultsHash(s.results.TxsResults[i:i+1])) {
			return fmt.Errorf("transaction %d of block %d has two results", i, s.block.Block.Height)
		}
	}
	return nil
}

func checkBlocks(ctx context.Context, t task) (string, error) {
	client, err := rpchttp.New(t.rpc, "/websocket")
	if err != nil {
		return "", err
	}
	state, err := stateBefore(ctx, client, t.from)
	if err != nil {
		return "", err
	}
	executor := sm.NewBlockExecutor(nil, log.NewNopLogger(), nil, nil, sm.EmptyEvidencePool{})
	txs, sets, rounds := 0, map[string]bool{}, int32(0)
	for height := t.from; height <= t.to; height++ {
		s, err := ask(ctx, client, height)
		if err != nil {
			return "", err
		}
		if err := checkBlock(executor, state, s); err != nil {
			return "", err
		}
		if t.from == state.InitialHeight || height > t.from+1 {
			if err := checkProposer(state, s); err != nil {
				return "", err
			}
		}
		if err := checkProofs(ctx, client, s); err != nil {
			return "", err
		}
		if err := advance(&state, s); err != nil {
			return "", err
		}
		txs += len(s.block.Block.Txs)
		sets[string(s.block.Block.ValidatorsHash)] = true
		rounds += s.commit.Commit.Round
	}
	return fmt.Sprintf("%d blocks from %d to %d, %d transactions, %d sets, %d more rounds", t.to-t.from+1, t.from,
		t.to, txs, len(sets), rounds), nil
}
