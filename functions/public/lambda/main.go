// Command lambda is the public function.
package main

import (
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/shared/start"
)

func main() { start.HTTP(public.Open) }
