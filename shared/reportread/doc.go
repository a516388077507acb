// Package reportread reads reports for those who may see them: single reports, lists, reports near a place and similar ones.
// A Viewer says who reads; each query is limited to what that person may see.
package reportread
