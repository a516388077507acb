// Command lambda runs the meta group behind API Gateway.
package main

import (
	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(meta.Open) }
