// Command lambda is the export function.
package main

import (
	"github.com/lafaekstreet/backend/functions/export"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Schedule(export.Open) }
