// Command lambda runs the fetch function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/fetch"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.Queue(fetch.Open) }
