// Command lambda is the journeys function.
package main

import (
	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(journeys.Open) }
