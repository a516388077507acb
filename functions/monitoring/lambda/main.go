// Command lambda runs the monitoring function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/monitoring"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(monitoring.Open) }
