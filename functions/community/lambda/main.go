// Command lambda runs the community function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(community.Open) }
