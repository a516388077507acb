// Command lambda is the anchor function's bootstrap.
package main

import (
	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Queue(anchor.Open) }
