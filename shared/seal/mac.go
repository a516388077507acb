package seal

import (
	"crypto/hmac"
	"crypto/sha256"
)

// MAC is a keyed hash of data for a purpose, 32 bytes. It serves to look up and compare
// what need not be read again, such as codes and addresses.
func (s *Sealer) MAC(purpose string, data []byte) []byte { return sum(s.macKeys[0], purpose, data) }

// MACs are the hashes under every key, the present key first. A hash made before a
// rotation is found under an older key.
func (s *Sealer) MACs(purpose string, data []byte) [][]byte {
	out := make([][]byte, len(s.macKeys))
	for i, key := range s.macKeys {
		out[i] = sum(key, purpose, data)
	}
	return out
}

// CheckMAC reports whether mac is the hash of data under one of the keys.
func (s *Sealer) CheckMAC(purpose string, mac, data []byte) bool {
	found := false
	for _, candidate := range s.MACs(purpose, data) {
		found = hmac.Equal(candidate, mac) || found
	}
	return found
}

func sum(key []byte, purpose string, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(label(purpose))
	h.Write(data)
	return h.Sum(nil)
}

// macKey separates hashing from sealing: one secret to operate, two keys in use.
func macKey(key []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("lafaekstreet mac"))
	return h.Sum(nil)
}
