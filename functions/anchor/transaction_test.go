package anchor

import (
	"bytes"
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"pgregory.net/rapid"
)

// fakeKMS answers from a key in memory; alter changes a signature before it is answered.
type fakeKMS struct {
	key   *secp256k1.PrivateKey
	spec  types.KeySpec
	alter func(r, s *big.Int) (*big.Int, *big.Int)
	err   error
	signs int
}

func (f *fakeKMS) Sign(_ context.Context, in *kms.SignInput, _ ...func(*kms.Options)) (*kms.SignOutput, error) {
	f.signs++
	if f.err != nil {
		return nil, f.err
	}
	sig := ecdsa.Sign(f.key, in.Message)
	r, s := sig.R(), sig.S()
	rb, sb := r.Bytes(), s.Bytes()
	ri, si := new(big.Int).SetBytes(rb[:]), new(big.Int).SetBytes(sb[:])
	if f.alter != nil {
		ri, si = f.alter(ri, si)
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{ri, si})
	return &kms.SignOutput{Signature: der}, err
}

func (f *fakeKMS) GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	if f.err != nil {
		return nil, f.err
	}
	der, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Point     asn1.BitString
	}{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}},
		asn1.BitString{Bytes: f.key.PubKey().SerializeUncompressed(), BitLength: 65 * 8}})
	return &kms.GetPublicKeyOutput{PublicKey: der, KeySpec: f.spec}, err
}

func newFake(t testing.TB) *fakeKMS {
	key, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	return &fakeKMS{key: key, spec: types.KeySpecEccSecgP256k1}
}

// TestTransactionEqualsTheOneOfTheSDK compares our bytes with those that the SDK makes of
// the same transaction, and has the SDK read ours.
func TestTransactionEqualsTheOneOfTheSDK(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	signer := NewSigner(fake, "k", time.Second)
	message := []byte(`{"v":1}`)
	p, err := prepare(t.Context(), signer, 1001, []int64{3, 7}, 5_000_000, time.Now(), submitMessage(4242, message))
	if err != nil {
		t.Fatal(err)
	}
	read, err := hiero.TransactionFromBytes(p.Signed)
	if err != nil {
		t.Fatal(err)
	}
	ours, ok := read.(hiero.TopicMessageSubmitTransaction)
	if !ok {
		t.Fatalf("the SDK reads it as %T", read)
	}
	if ours.GetTransactionID().String() != p.ID || !bytes.Equal(ours.GetMessage(), message) || ours.GetTopicID().String() != "0.0.4242" {
		t.Errorf("the SDK reads %s, %s, %q", ours.GetTransactionID(), ours.GetTopicID(), ours.GetMessage())
	}
	id, err := hiero.TransactionIdFromString(p.ID)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := hiero.NewTopicMessageSubmitTransaction().SetTopicID(hiero.TopicID{Topic: 4242}).SetMessage(message).
		SetTransactionID(id).SetNodeAccountIDs([]hiero.AccountID{{Account: 3}, {Account: 7}}).
		SetMaxTransactionFee(hiero.HbarFromTinybar(5_000_000)).Freeze()
	if err != nil {
		t.Fatal(err)
	}
	want, err := theirs.GetSignableNodeBodyBytesList()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ours.GetSignableNodeBodyBytesList()
	if err != nil || len(got) != len(want) {
		t.Fatalf("got %d bodies, %v, want %d", len(got), err, len(want))
	}
	pub, err := hiero.PublicKeyFromBytesECDSA(fake.key.PubKey().SerializeCompressed())
	if err != nil {
		t.Fatal(err)
	}
	signatures, err := ours.GetSignatures()
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if !bytes.Equal(got[i].Body, want[i].Body) {
			t.Errorf("body %d: got %x, the SDK freezes %x", i, got[i].Body, want[i].Body)
		}
	}
	for node, sigs := range signatures {
		for _, sig := range sigs {
			i := slices.IndexFunc(want, func(b hiero.SignableNodeTransactionBodyBytes) bool { return b.NodeID == node })
			if !pub.VerifySignedMessage(want[i].Body, sig) {
				t.Errorf("node %s: the SDK does not verify our signature", node)
			}
		}
	}
	if back, err := parseTransactionID(p.ID); err != nil || transactionID(back) != p.ID {
		t.Errorf("transaction id: %s reads as %v, %v", p.ID, back, err)
	}
}

func TestSignaturesHaveALowSAndAreChecked(t *testing.T) {
	t.Parallel()
	fake := newFake(t)
	n := secp256k1.Params().N
	rapid.Check(t, func(rt *rapid.T) {
		high := rapid.Bool().Draw(rt, "high")
		fake.alter = func(r, s *big.Int) (*big.Int, *big.Int) {
			if high {
				return r, new(big.Int).Sub(n, s)
			}
			return r, s
		}
		sig, err := NewSigner(fake, "k", time.Second).Sign(context.Background(), rapid.SliceOf(rapid.Byte()).Draw(rt, "body"))
		if err != nil {
			rt.Fatal(err)
		}
		if s := new(big.Int).SetBytes(sig[32:]); len(sig) != 64 || s.Cmp(new(big.Int).Rsh(n, 1)) > 0 {
			rt.Fatalf("got %x, want 64 bytes with S in the low half", sig)
		}
	})
	for name, alter := range map[string]func(r, s *big.Int) (*big.Int, *big.Int){
		"of something else": func(r, s *big.Int) (*big.Int, *big.Int) { return r, new(big.Int).Add(s, big.NewInt(1)) },
		"zero":              func(r, _ *big.Int) (*big.Int, *big.Int) { return r, big.NewInt(0) },
		"negative":          func(r, s *big.Int) (*big.Int, *big.Int) { return new(big.Int).Neg(r), s },
		"too large":         func(r, s *big.Int) (*big.Int, *big.Int) { return r, new(big.Int).Lsh(s, 300) },
		"beyond the order":  func(r, _ *big.Int) (*big.Int, *big.Int) { return r, n },
	} {
		fake.alter = alter
		if sig, err := NewSigner(fake, "k", time.Second).Sign(t.Context(), []byte("body")); err == nil {
			t.Errorf("signature %s: got %x, want an error", name, sig)
		}
	}
}

func TestKeyFaultsAreReported(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		fake     fakeKMS
		operator bool
	}{
		{"another kind of key", fakeKMS{key: newFake(t).key, spec: types.KeySpecEccNistP256}, true},
		{"no such key", fakeKMS{err: &types.NotFoundException{}}, true},
		{"disabled", fakeKMS{err: &types.DisabledException{}}, true},
		{"no permission", fakeKMS{err: &smithy.GenericAPIError{Code: "AccessDeniedException"}}, true},
		{"throttled", fakeKMS{err: &smithy.GenericAPIError{Code: "ThrottlingException"}}, false},
		{"internal", fakeKMS{err: &types.KMSInternalException{}}, false},
		{"unreachable", fakeKMS{err: errors.New("dial tcp: refused")}, false},
	} {
		_, err := NewSigner(&tc.fake, "k", time.Second).Sign(t.Context(), []byte("body"))
		if err == nil || errors.Is(err, errKeyUnusable) != tc.operator {
			t.Errorf("%s: got %v, want operator's fault %v", tc.name, err, tc.operator)
		}
	}
}
