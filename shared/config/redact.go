package config

import (
	"errors"
	"fmt"

	"github.com/caarlos0/env/v11"
)

// withoutValues keeps the names of malformed variables and drops their values, because
// a malformed secret must not be logged.
func withoutValues(err error) error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return errors.New("malformed")
	}
	var safe []error
	for _, e := range all.Errors {
		var parse env.ParseError
		switch {
		case errors.As(e, &parse):
			safe = append(safe, fmt.Errorf("field %s is malformed", parse.Name))
		default:
			safe = append(safe, e)
		}
	}
	return errors.Join(safe...)
}
