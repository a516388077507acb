package admin

// OpenWith is Open with a clock and an output of the test's own.
var OpenWith = open
