// Command lambda runs the webhooks function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/webhooks"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Queue(webhooks.Open) }
