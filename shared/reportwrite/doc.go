// Package reportwrite changes reports. A change locks the report's row, checks the rules of shared/report, and writes the new
// state, the status history, the audit event and the notifications in one transaction.
package reportwrite
