// The relay function: sends what was left behind, deletes what has expired.
package main

import (
	"github.com/lafaekstreet/backend/functions/relay"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Schedule(relay.Open) }
