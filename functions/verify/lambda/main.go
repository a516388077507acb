// Command lambda runs the verify function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/verify"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.CustomResource(verify.Open) }
