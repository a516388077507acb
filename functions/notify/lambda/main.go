// Command lambda runs the notify function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/notify"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Queue(notify.Open) }
