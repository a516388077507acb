// Package security tries the attacks of the OWASP API Security Top 10 against all route groups at once, and holds the
// table of infra/decisions/0013-security.md to the tests it names.
package security
