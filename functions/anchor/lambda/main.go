// Command lambda runs the anchor function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Queue(anchor.Open, anchor.Command) }
