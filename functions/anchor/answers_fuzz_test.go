package anchor

import (
	"bytes"
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"golang.org/x/crypto/sha3"
	"google.golang.org/protobuf/proto"
)

// said is a KMS that gives the same answer to every request.
type said struct {
	key, signature []byte
	spec           types.KeySpec
}

func (s said) Sign(context.Context, *kms.SignInput, ...func(*kms.Options)) (*kms.SignOutput, error) {
	return &kms.SignOutput{Signature: s.signature}, nil
}

func (s said) GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	return &kms.GetPublicKeyOutput{PublicKey: s.key, KeySpec: s.spec}, nil
}

// spki is the start of a subject public key info of secp256k1, up to its point of 65 bytes.
var spki = []byte("0V0\x10\x06\x07*\x86H\xce=\x02\x01\x06\x05+\x81\x04\x00\n\x03B\x00")

// FuzzKMS: an answer of KMS is refused, or it is a signature of this body by this key, in the form that the network
// accepts.
func FuzzKMS(f *testing.F) {
	body := []byte("a transaction")
	h := sha3.NewLegacyKeccak256()
	_, _ = h.Write(body)
	digest := h.Sum(nil)
	private := secp256k1.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	key := append(bytes.Clone(spki), private.PubKey().SerializeUncompressed()...)
	low := ecdsa.Sign(private, digest)
	r, s := low.R(), low.S()
	high := s
	high.Negate()
	der := func(r, s secp256k1.ModNScalar) []byte {
		number := func(n secp256k1.ModNScalar) []byte {
			b := n.Bytes()
			short := bytes.TrimLeft(b[:], "\x00")
			if len(short) == 0 || short[0] >= 0x80 {
				short = append([]byte{0}, short...)
			}
			return append([]byte{2, byte(len(short))}, short...)
		}
		both := append(number(r), number(s)...)
		return append([]byte{0x30, byte(len(both))}, both...)
	}
	good := der(r, high)
	for _, signature := range [][]byte{good, low.Serialize(), good[:len(good)-1], append(bytes.Clone(good), 0), {0x30, 0}, {0x30, 6, 2, 1, 0, 2, 1, 0},
		der(s, r), {0x30, 6, 2, 1, 0xff, 2, 1, 1}, {0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, nil} {
		f.Add(key, signature, "ECC_SECG_P256K1")
	}
	f.Add(key, good, "ECC_NIST_P256")
	f.Add(key[:len(key)-1], good, "")
	f.Add(append(bytes.Clone(spki), make([]byte, 65)...), good, "")
	f.Add([]byte{}, good, "")
	for _, signature := range [][]byte{good, low.Serialize()} { // or what follows would hold for a signer that refuses all
		if _, err := NewSigner(said{key, signature, types.KeySpecEccSecgP256k1}, "key", time.Minute).Sign(f.Context(), body); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, key, signature []byte, spec string) {
		signer := NewSigner(said{key, signature, types.KeySpec(spec)}, "key", time.Minute)
		got, err := signer.Sign(t.Context(), body)
		if err != nil {
			if got != nil {
				t.Errorf("refused with %x, %v", got, err)
			}
			return
		}
		if spec != "" && spec != string(types.KeySpecEccSecgP256k1) {
			t.Errorf("signed by a key of %s", spec)
		}
		if len(got) != 64 {
			t.Fatalf("%d bytes", len(got))
		}
		var r, s secp256k1.ModNScalar
		if r.SetByteSlice(got[:32]) || s.SetByteSlice(got[32:]) || s.IsOverHalfOrder() {
			t.Errorf("not in the form the network takes: %x", got)
		}
		point, err := signer.PublicKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		public, err := secp256k1.ParsePubKey(point)
		if err != nil || len(point) != 33 || !ecdsa.NewSignature(&r, &s).Verify(digest, public) {
			t.Errorf("%x is no signature by %x: %v", got, point, err)
		}
	})
}

// FuzzReceipt: a transaction counts as failed only when the node's answer says so, and a message has a sequence number only
// when the answer names a valid one.
func FuzzReceipt(f *testing.F) {
	answer := func(header, status services.ResponseCodeEnum, sequence uint64, running int) []byte {
		raw, err := proto.Marshal(&services.Response{Response: &services.Response_TransactionGetReceipt{TransactionGetReceipt: &services.TransactionGetReceiptResponse{
			Header:  &services.ResponseHeader{NodeTransactionPrecheckCode: header},
			Receipt: &services.TransactionReceipt{Status: status, TopicSequenceNumber: sequence, TopicRunningHash: make([]byte, running)}}}})
		if err != nil {
			f.Fatal(err)
		}
		return raw
	}
	const ok, success = services.ResponseCodeEnum_OK, services.ResponseCodeEnum_SUCCESS
	for _, seed := range [][]byte{answer(ok, success, 7, 48), answer(ok, success, 0, 48), answer(ok, success, math.MaxUint64, 48), answer(ok, success, 7, 0),
		answer(ok, services.ResponseCodeEnum_UNKNOWN, 0, 0), answer(ok, ok, 7, 48), answer(ok, 99999, 7, 48), answer(services.ResponseCodeEnum_BUSY, success, 7, 48),
		answer(services.ResponseCodeEnum_RECEIPT_NOT_FOUND, success, 7, 48), answer(-1, -1, 0, 0), {}, {0xff}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var resp services.Response
		if proto.Unmarshal(raw, &resp) != nil {
			return // gRPC refuses it before us
		}
		receipt, err := outcome(&resp)
		header := resp.GetTransactionGetReceipt().GetHeader().GetNodeTransactionPrecheckCode()
		if err != nil {
			if receipt != nil || errors.Is(err, errNoReceipt) && header == services.ResponseCodeEnum_BUSY {
				t.Errorf("%v, %v", receipt, err)
			}
			return
		}
		status := receipt.GetStatus()
		if header != ok || status == ok || status == services.ResponseCodeEnum_UNKNOWN {
			t.Errorf("final: header %s, status %s", header, status)
		}
		if n := receipt.GetTopicSequenceNumber(); checkPosition(receipt) == nil && (int64(n) < 1 || len(receipt.GetTopicRunningHash()) != 48) {
			t.Errorf("at %d, %d bytes", n, len(receipt.GetTopicRunningHash()))
		}
	})
}
