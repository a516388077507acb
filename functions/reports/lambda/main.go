// Command lambda runs the reports function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(reports.Open) }
