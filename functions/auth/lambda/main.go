// Command lambda runs the auth function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(auth.Open) }
