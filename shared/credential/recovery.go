package credential

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/seal"
)

const (
	recoveryCodes = 10 // that a person gets
	macRecovery   = "recovery code"
)

// RecoveryLength is the length of a recovery code without its hyphens.
const RecoveryLength = 16

// NewRecoveryCodes stores new recovery codes of a person and returns them. Each signs in once, in place of a code of the app. Earlier
// ones stop working. Only keyed hashes are stored.
func NewRecoveryCodes(p database.Pipeline, s *seal.Sealer, user uuid.UUID) []string {
	EndRecoveryCodes(p, user)
	codes, hashes := make([]string, recoveryCodes), make([][]byte, recoveryCodes)
	for i := range codes {
		raw := strings.ToLower(rand.Text()[:RecoveryLength])
		codes[i] = raw[:4] + "-" + raw[4:8] + "-" + raw[8:12] + "-" + raw[12:]
		hashes[i] = s.MAC(macRecovery, recoveryInput(user, codes[i]))
	}
	p.Queue(`INSERT INTO recovery_codes (user_id, code_hmac) SELECT $1, unnest($2::bytea[])`, user, hashes)
	return codes
}

// UseRecoveryCode marks a recovery code as used. The result is 0 when the person has no such code that is unused, else 1.
func UseRecoveryCode(p database.Pipeline, s *seal.Sealer, user uuid.UUID, code string, now time.Time) *database.Ask[int64] {
	const use = `
		UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND code_hmac = ANY($2) AND used_at IS NULL`
	return database.AskAffected(p, use, user, s.MACs(macRecovery, recoveryInput(user, code)), now)
}

// EndRecoveryCodes deletes the recovery codes of a person.
func EndRecoveryCodes(p database.Pipeline, user uuid.UUID) {
	p.Queue(`DELETE FROM recovery_codes WHERE user_id = $1`, user)
}

// recoveryInput is the id of a person and the normalised code. It is what is hashed.
func recoveryInput(user uuid.UUID, code string) []byte {
	return append(user[:], TypedCode(code)...)
}
