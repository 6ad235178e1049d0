// Package journal is how a fake tells what it made of a request to whoever serves it: a tenant keeps that, a plain server does not.
package journal

import (
	"context"
	"net/http"

	"github.com/planeproof/planeproof/evidence"
)

// Page is what is told of one request.
type Page struct {
	// Entry is the exchange as it will be journalled, to be completed before the answer begins; its Path leaves the query out, which may
	// hold a secret.
	Entry *evidence.Exchange
	// Log takes a line of the system's log; project is empty without project context.
	Log func(level, project, text string)
}

type pageKey struct{}

// With gives the request a page to be told on.
func With(r *http.Request, p Page) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), pageKey{}, p))
}

// Of returns the request's page, or one that nobody reads.
func Of(r *http.Request) Page {
	if p, told := r.Context().Value(pageKey{}).(Page); told {
		return p
	}
	return Page{
		Entry: &evidence.Exchange{Method: r.Method, Path: r.URL.EscapedPath()},
		Log:   func(string, string, string) {},
	}
}
