package ledger

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/sha3"
	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of the network's protobufs. They are read without the ledger's SDK,
// so that functions which only verify do not link it.
const (
	listTransactions  = 1 // TransactionList.transaction_list
	transactionSigned = 5 // Transaction.signedTransactionBytes
	signedBody        = 1 // SignedTransaction.bodyBytes
	signedMap         = 2 // SignedTransaction.sigMap
	mapPair           = 1 // SignatureMap.sigPair
	pairPrefix        = 1 // SignaturePair.pubKeyPrefix
	pairECDSA         = 6 // SignaturePair.ECDSA_secp256k1
)

// signedVariant is one signed form of a transaction: the same transaction for one node.
type signedVariant struct {
	hash      [48]byte // SHA-384 of the signed bytes; mirror nodes name the transaction by it
	body      []byte
	publicKey []byte // compressed point
	signature []byte // r‖s
}

// parseSigned returns the variants in a stored transaction list.
func parseSigned(list []byte) ([]signedVariant, error) {
	transactions, err := fields(list, listTransactions)
	if err != nil {
		return nil, err
	}
	var out []signedVariant
	for _, tx := range transactions {
		signed, err := field(tx, transactionSigned)
		if err != nil {
			return nil, err
		}
		v := signedVariant{hash: sha512.Sum384(signed)}
		if v.body, err = field(signed, signedBody); err != nil {
			return nil, err
		}
		sigMap, err := field(signed, signedMap)
		if err != nil {
			return nil, err
		}
		pair, err := field(sigMap, mapPair)
		if err != nil {
			return nil, err
		}
		if v.publicKey, err = field(pair, pairPrefix); err != nil {
			return nil, err
		}
		if v.signature, err = field(pair, pairECDSA); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// verify checks the ECDSA signature over Keccak-256 of the body.
func (v *signedVariant) verify() error {
	key, err := secp256k1.ParsePubKey(v.publicKey)
	if err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	if len(v.signature) != 64 {
		return fmt.Errorf("signature has %d bytes, not 64", len(v.signature))
	}
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(v.signature[:32]) || s.SetByteSlice(v.signature[32:]) {
		return errors.New("signature is out of range")
	}
	digest := sha3.NewLegacyKeccak256()
	_, _ = digest.Write(v.body)
	if !ecdsa.NewSignature(&r, &s).Verify(digest.Sum(nil), key) {
		return errors.New("signature does not match the transaction")
	}
	return nil
}

// CheckSignature checks that a stored list has the transaction with this hash
// (SHA-384, as mirror nodes give it), and that its signature is valid.
func CheckSignature(signed, hash []byte) error {
	_, err := provenBy(signed, hash, nil)
	return err
}

// provenBy finds the variant with this hash and checks its signature. It reports
// whether key, the present key of the account, made the signature.
func provenBy(list, hash, key []byte) (bool, error) {
	variants, err := parseSigned(list)
	if err != nil {
		return false, fmt.Errorf("stored transaction: %w", err)
	}
	for i := range variants {
		if bytes.Equal(variants[i].hash[:], hash) {
			return bytes.Equal(variants[i].publicKey, key), variants[i].verify()
		}
	}
	return false, errors.New("the network's transaction is not among the stored ones")
}

// fields returns every value of a length-delimited field.
func fields(message []byte, number protowire.Number) ([][]byte, error) {
	var out [][]byte
	for len(message) > 0 {
		num, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		message = message[n:]
		if num == number && kind == protowire.BytesType {
			v, n := protowire.ConsumeBytes(message)
			if n < 0 {
				return nil, protowire.ParseError(n)
			}
			out, message = append(out, v), message[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(num, kind, message); n < 0 {
			return nil, protowire.ParseError(n)
		}
		message = message[n:]
	}
	return out, nil
}

// field returns the only value of a field.
func field(message []byte, number protowire.Number) ([]byte, error) {
	all, err := fields(message, number)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("field %d occurs %d times", number, len(all))
	}
	return all[0], nil
}

// RunningHash is version 3 of a topic's running hash after m, given the one
// before it (48 zero bytes before the first message). The network's protobuf
// documents the fields for TransactionReceipt.topicRunningHash.
func RunningHash(previous []byte, m *TopicMessage) ([]byte, error) {
	payer, err := entity(m.Payer)
	if err != nil {
		return nil, err
	}
	topic, err := entity(m.TopicID)
	if err != nil {
		return nil, err
	}
	body := sha512.Sum384(m.Contents)
	b := slices.Clone(previous)
	b = binary.BigEndian.AppendUint64(b, 3)
	for _, part := range append(payer[:], topic[:]...) {
		b = binary.BigEndian.AppendUint64(b, part)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(m.ConsensusNanos/1e9))
	b = binary.BigEndian.AppendUint32(b, uint32(m.ConsensusNanos%1e9))
	b = binary.BigEndian.AppendUint64(b, m.Sequence)
	sum := sha512.Sum384(append(b, body[:]...))
	return sum[:], nil
}

// entity reads shard.realm.num.
func entity(id string) ([3]uint64, error) {
	var out [3]uint64
	parts := strings.Split(id, ".")
	if len(parts) != 3 {
		return out, fmt.Errorf("entity id %q is not shard.realm.num", id)
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 63)
		if err != nil {
			return out, fmt.Errorf("entity id %q is not shard.realm.num", id)
		}
		out[i] = n
	}
	return out, nil
}
