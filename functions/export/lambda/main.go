// Command lambda runs the export function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/export"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Schedule(export.Open) }
