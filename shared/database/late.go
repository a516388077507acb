package database

import "crypto/rand"

// Late is a text that the database gives in the last round trip of a transaction: the next value of a counter whose
// row stays locked until the commit, so that the values have no gaps. Everybody else who needs a value waits for that
// row. So Go must not wait for the value before it commits.
//
// What contains the value is therefore made with a placeholder, and stored by a statement that replaces it:
//
//   - The statement that gives the value is added to the Tx as late as possible, and keeps the value for the rest of the
//     transaction: SELECT set_config('late.report_number', value, true).
//   - A statement that stores what contains the value is added after it, and has Filled where the text goes. Its first
//     arguments are those of Args.
//   - Go reads the value (AskRow of the first statement) after the commit.
//
// A placeholder is random: no text that a client sends can contain it. The zero Late is for a text without such a value.
type Late struct {
	name        string
	placeholder string
}

// Filled is the text $1 with the late value in the place of each placeholder, as an SQL expression of the arguments of
// Late.Args. It is NULL when no statement before it in the transaction has given the value.
const Filled = `(CASE WHEN $2::text = '' THEN $1::text ELSE replace($1::text, $2::text, nullif(current_setting($3::text, true), '')) END)`

// NewLate is a value that is kept under 'late.' and the name. The placeholder has the length given, at most 26 bytes.
func NewLate(name string, length int) Late {
	return Late{name: "late." + name, placeholder: rand.Text()[:length]}
}

// Placeholder stands for the value until it is known.
func (l Late) Placeholder() string { return l.placeholder }

// Known reports that there is no value to wait for.
func (l Late) Known() bool { return l.placeholder == "" }

// Args are the arguments of a statement with Filled for the text, then more from $4 on.
func (l Late) Args(text string, more ...any) []any {
	return append([]any{text, l.placeholder, l.name}, more...)
}
