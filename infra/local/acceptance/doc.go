// Package acceptance holds the journeys, users and auth functions together to
// what the published journey client relies on, and to the faults of the backend
// it used before. It is tests alone, over HTTP.
package acceptance
