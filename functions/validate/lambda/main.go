// The validate function: has reports judged by AI.
package main

import (
	"github.com/lafaekstreet/backend/functions/validate"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Queue(validate.Open) }
