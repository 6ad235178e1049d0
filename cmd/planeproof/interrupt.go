package main

import (
	"context"
	"io"
	"sync"
)

// exitInterrupted is the exit code of a command that was told to stop.
const exitInterrupted = 130

// interruptible reads what in holds until ctx ends, and then returns its error: a read from a pipe or a terminal cannot be ended, only
// left. Whoever is left reading ends with the program. What nobody asks for is not read: it may be another program's.
func interruptible(ctx context.Context, in io.Reader) io.Reader {
	out, pipe := io.Pipe()
	context.AfterFunc(ctx, func() { _ = pipe.CloseWithError(ctx.Err()) })
	begin := sync.OnceFunc(func() {
		go func() {
			_, err := io.Copy(pipe, in)
			_ = pipe.CloseWithError(err) // never fails, by its documentation
		}()
	})
	return reader(func(p []byte) (int, error) {
		begin()
		return out.Read(p)
	})
}

type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }
