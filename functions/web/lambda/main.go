// Command lambda runs the web function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/web"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(web.Open) }
