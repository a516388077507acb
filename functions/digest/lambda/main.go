// Command lambda runs the digest function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/digest"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Schedule(digest.Open) }
