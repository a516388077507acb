// Command lambda runs the notifications function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(notifications.Open) }
