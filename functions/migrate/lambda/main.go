// Command lambda runs the migrate function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/migrate"
	"github.com/lafaekstreet/backend/functions/migrate/operate"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.CustomResource(migrate.Open, operate.Handle) }
