// Command lambda runs the open311 function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(open311.Open) }
