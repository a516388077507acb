// Command lambda runs the users function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(users.Open) }
