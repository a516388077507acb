// Command lambda runs the public function in AWS Lambda.
package main

import (
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(public.Open) }
