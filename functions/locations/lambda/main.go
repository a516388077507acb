// Command lambda runs the locations function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/locations"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(locations.Open) }
