package hedera

import (
	"bytes"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"golang.org/x/crypto/sha3"
)

// signedBy reports whether sigs holds a valid signature of key over body. The
// network signs Keccak-256 of the body and refuses the high half of S.
func signedBy(sigs *services.SignatureMap, key, body []byte) bool {
	h := sha3.NewLegacyKeccak256()
	_, _ = h.Write(body)
	digest := h.Sum(nil)
	pub, err := secp256k1.ParsePubKey(key)
	if err != nil {
		return false
	}
	for _, pair := range sigs.GetSigPair() {
		if !bytes.HasPrefix(key, pair.GetPubKeyPrefix()) {
			continue
		}
		raw := pair.GetECDSASecp256K1()
		if len(raw) != 64 {
			continue
		}
		var r, v secp256k1.ModNScalar
		if r.SetByteSlice(raw[:32]) || v.SetByteSlice(raw[32:]) || v.IsOverHalfOrder() {
			continue
		}
		if ecdsa.NewSignature(&r, &v).Verify(digest, pub) {
			return true
		}
	}
	return false
}
