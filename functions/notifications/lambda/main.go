// Command lambda runs the notifications group behind API Gateway.
package main

import (
	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(notifications.Open) }
