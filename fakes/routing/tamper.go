package routing

import (
	"context"
	"net/http"
)

type tampering struct{}

// With has the proxy behind change the call of a request before it serves it, after what the request had it change already.
func With(r *http.Request, change func(*Call)) *http.Request {
	before, _ := r.Context().Value(tampering{}).(func(*Call))
	return r.WithContext(context.WithValue(r.Context(), tampering{}, func(c *Call) {
		if before != nil {
			before(c)
		}
		change(c)
	}))
}

func tamper(r *http.Request, call *Call) {
	if change, asked := r.Context().Value(tampering{}).(func(*Call)); asked {
		change(call)
	}
}
