// Package usage has the one error of whoever asked for something that cannot be: a flag, a file, an option.
package usage

import "errors"

// Err marks an error of whoever asked: wrapped, it makes the exit code 2.
var Err = errors.New("usage")
