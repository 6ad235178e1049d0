package main

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/usage"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/control"
)

// apiFlags say which data plane's control API is talked to and where its key comes from; a key is never an argument.
type apiFlags struct{ url, keyEnv, keyFile string }

// defaultKeyEnv is the variable that holds the key where no flag names another place.
const defaultKeyEnv = "BRAINTRUST_API_KEY"

func (f *apiFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.url, "api-url", "", "base URL of the data plane's API (default: $BRAINTRUST_API_URL)")
	flags.StringVar(&f.keyEnv, "api-key-env", defaultKeyEnv, "environment variable that holds the Braintrust API key")
	flags.StringVar(&f.keyFile, "api-key-file", "", "file that holds the Braintrust API key, instead of the variable")
}

// resolve returns the base URL without a trailing slash, and the key, of which the redactor is told.
func (f *apiFlags) resolve(redactor *evidence.Redactor) (url, key string, err error) {
	if url = f.address(); url == "" {
		return "", "", fmt.Errorf("%w: --api-url or BRAINTRUST_API_URL is needed", usage.Err)
	}
	if key, err = secretFrom(f.keyEnv, f.keyFile); err != nil {
		return "", "", err
	}
	redactor.Add("Braintrust API key", key)
	return url, key, nil
}

// access are the flags that name the place of the key, none for the default one.
func (f *apiFlags) access() []string {
	access := []string{}
	if f.keyEnv != defaultKeyEnv {
		access = append(access, "--api-key-env", f.keyEnv)
	}
	if f.keyFile != "" {
		access = append(access, "--api-key-file", f.keyFile)
	}
	return access
}

// command is a command of ours that talks to the same API with the same key, as a shell takes it.
func (f *apiFlags) command(t terminal, words ...string) string {
	if f.url != "" {
		words = append(words, "--api-url", f.address())
	}
	words = append([]string{cmp.Or(t.program, "planeproof")}, append(words, f.access()...)...)
	for i := range words {
		words[i] = audit.Shell(words[i])
	}
	return strings.Join(words, " ")
}

// client makes a client of the API; next carries its requests, nil for Go's default.
func (f *apiFlags) client(redactor *evidence.Redactor, next *http.Client) (*control.Client, error) {
	url, key, err := f.resolve(redactor)
	if err != nil {
		return nil, err
	}
	return control.New(url, key, next), nil
}

// parseLegacy reads --legacy; nothing given is no generation.
func parseLegacy(name string) (provider.Generation, error) {
	if name == "" {
		return "", nil
	}
	g, err := provider.ParseGeneration(name)
	if err != nil {
		return "", fmt.Errorf("%w: --legacy: %w", usage.Err, err)
	}
	return g, nil
}

// address is the base URL without a trailing slash, empty where none is given.
func (f *apiFlags) address() string {
	return strings.TrimRight(cmp.Or(f.url, os.Getenv("BRAINTRUST_API_URL")), "/")
}

// secretFrom reads a secret from a file, or else from an environment variable.
func secretFrom(variable, file string) (string, error) {
	if file != "" {
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("%w: read key file: %w", usage.Err, err)
		}
		if key := strings.TrimSpace(string(raw)); key != "" {
			return key, nil
		}
		return "", fmt.Errorf("%w: key file %s is empty", usage.Err, file)
	}
	if key := strings.TrimSpace(os.Getenv(variable)); key != "" {
		return key, nil
	}
	return "", fmt.Errorf("%w: no key: set %s, or name a variable or a file", usage.Err, variable)
}
