package hedera

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// TinybarsPerHbar is the number of tinybars in one hbar. All amounts are in tinybars.
const TinybarsPerHbar = 100_000_000

// SetAccount creates the account id ("0.0.N") or replaces its key and balance.
// key is a secp256k1 public key: a compressed or uncompressed point, or the
// DER SubjectPublicKeyInfo that KMS gives.
func (s *Server) SetAccount(id string, key []byte, tinybars int64) error {
	num, err := parseID(id)
	if err != nil {
		return err
	}
	point, err := parseKey(key)
	if err != nil {
		return err
	}
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return s.state.record(entry{Account: &account{Num: num, Key: point, Balance: tinybars}})
}

// Balance returns the balance of an account in tinybars; 0 for an unknown account.
func (s *Server) Balance(id string) int64 {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if a := s.state.accounts[mustNum(id)]; a != nil {
		return a.Balance
	}
	return 0
}

// parseKey returns the compressed point of a public key.
func parseKey(key []byte) ([]byte, error) {
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Point     asn1.BitString
	}
	if rest, err := asn1.Unmarshal(key, &spki); err == nil && len(rest) == 0 {
		key = spki.Point.Bytes
	}
	pub, err := secp256k1.ParsePubKey(key)
	if err != nil {
		return nil, fmt.Errorf("hedera: public key: %w", err)
	}
	return pub.SerializeCompressed(), nil
}

// EnsureTopic returns the id of the topic with this memo. If there is none, it
// creates the topic, free of charge and without a transaction. On a public network
// an operator creates topics with ledgerctl. With a nil submitKey anybody may post.
func (s *Server) EnsureTopic(memo string, submitKey []byte) (string, error) {
	var point []byte
	if submitKey != nil {
		var err error
		if point, err = parseKey(submitKey); err != nil {
			return "", err
		}
	}
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	for _, t := range s.state.topics {
		if t.Memo == memo {
			return formatID(t.Num), nil
		}
	}
	t := &topic{Num: s.state.nextID, Memo: memo, SubmitKey: point}
	return formatID(t.Num), s.state.record(entry{Topic: t})
}
