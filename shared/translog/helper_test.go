package translog_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// line is the signature line of a key in a note.
func line(t *testing.T, vkey string, signature []byte) string {
	t.Helper()
	parts := strings.SplitN(vkey, "+", 3)
	var id uint32
	if _, err := fmt.Sscanf(parts[1], "%08x", &id); err != nil {
		t.Fatal(err)
	}
	raw := append(binary.BigEndian.AppendUint32(nil, id), signature...)
	return "— " + parts[0] + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
}

// witnessKeys returns the verifier key and the private key of a witness.
func witnessKeys(name string) (string, ed25519.PrivateKey) {
	seed := sha256.Sum256([]byte(name))
	private := ed25519.NewKeyFromSeed(seed[:])
	key := append([]byte{4}, private.Public().(ed25519.PublicKey)...)
	id := sha256.Sum256(append([]byte(name+"\n"), key...))
	return fmt.Sprintf("%s+%08x+%s", name, binary.BigEndian.Uint32(id[:]), base64.StdEncoding.EncodeToString(key)), private
}

// cosign returns the line of a witness at a time in seconds.
func cosign(t *testing.T, name string, at uint64, text string) string {
	t.Helper()
	vkey, private := witnessKeys(name)
	signature := ed25519.Sign(private, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text))
	return line(t, vkey, append(binary.BigEndian.AppendUint64(nil, at), signature...))
}
