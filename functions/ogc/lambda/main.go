// Command lambda runs the ogc function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/ogc"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(ogc.Open) }
