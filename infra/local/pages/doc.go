// Package pages tests the pages in a browser on the whole system, with its workers: a citizen files a report, a moderator
// verifies it, an agency repairs it, the citizen disputes the repair. It contains only tests. Tests of one page are in functions/web.
package pages
