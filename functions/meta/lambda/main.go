// Command lambda runs the meta function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(meta.Open) }
