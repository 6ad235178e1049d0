// Package features holds what must hold, in Gherkin: one folder per family, read from inside the binary.
package features

import "embed"

// FS is every feature file, at `<family>/<name>.feature`.
//
//go:embed */*.feature
var FS embed.FS
