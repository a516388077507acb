// Command lambda runs the keys function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/keys"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.CustomResource(keys.Open) }
