// Command lambda runs the geocode function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/geocode"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Queue(geocode.Open) }
