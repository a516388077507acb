// Command lambda runs the notify worker, which sends mail and push messages.
package main

import (
	"github.com/lafaekstreet/backend/functions/notify"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Queue(notify.Open) }
