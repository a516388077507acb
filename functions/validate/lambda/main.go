// Command lambda runs the validate worker, which lets AI models judge reports.
package main

import (
	"github.com/lafaekstreet/backend/functions/validate"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Queue(validate.Open) }
