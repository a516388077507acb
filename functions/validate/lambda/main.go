// Command lambda runs the validate function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/validate"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Queue(validate.Open) }
