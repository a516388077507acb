// Command lambda runs the admin function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/admin"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(admin.Open) }
