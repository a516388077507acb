// Command lambda runs the journeys function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(journeys.Open) }
