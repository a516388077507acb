// Package credential checks what people prove themselves with: passwords (Argon2id, and bcrypt of migrated accounts), codes
// of a second factor (TOTP, RFC 6238) and ID tokens of Google sign-in.
package credential
