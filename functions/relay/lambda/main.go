// Command lambda runs the relay function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/relay"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Schedule(relay.Open) }
