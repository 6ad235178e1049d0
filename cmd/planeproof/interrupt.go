package main

import (
	"context"
	"io"
)

// exitInterrupted is the exit code of a command that was told to stop.
const exitInterrupted = 130

// interruptible reads what in holds until ctx ends, and then returns its error: a read from a pipe or a terminal cannot be ended, only
// left. Whoever is left reading ends with the program.
func interruptible(ctx context.Context, in io.Reader) io.Reader {
	out, pipe := io.Pipe()
	go func() {
		_, err := io.Copy(pipe, in)
		_ = pipe.CloseWithError(err) // never fails, by its documentation
	}()
	context.AfterFunc(ctx, func() { _ = pipe.CloseWithError(ctx.Err()) })
	return out
}
