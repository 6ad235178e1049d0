package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shellBlock matches the commands of a page; what they print stands in blocks without a language.
var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestGuidePagesRunAsPrinted follows each guide page in a shell of its own, copy and paste only, but for the ports, which must be free.
func TestGuidePagesRunAsPrinted(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"sh", "curl", "jq", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the pages' commands need %s", tool)
		}
	}
	program := build(t)
	for page, want := range map[string][]string{
		"authentication-fails-after-v2": {
			"WARNING  auth-format-api-key", "VERIFIED", "remedy bearer", "\nCLEAN: 1 provider secret in 1 project and the organization",
			"generation    current-2026-08: the data plane says that it is 2.0.0",
		},
		"project-provider-ignored": {
			"FOUND: the secrets of 1 project could not be read", "ERROR  metadata-unreadable", "remedy workaround",
			"\nCLEAN: 2 provider secrets in 1 project and the organization",
		},
	} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile("../../docs/" + page + ".md")
			require.NoError(t, err)
			var script strings.Builder
			for _, block := range shellBlock.FindAllStringSubmatch(string(text), -1) {
				script.WriteString(block[1])
			}
			o := runScript(t, program, freePorts(t, script.String()))
			for _, line := range want {
				assert.Contains(t, o.out, line)
			}
			assert.NotContains(t, o.err, "planeproof: usage", "no command is refused as it is printed")
			assert.NotContains(t, o.out, "no token: ", "no control listener refuses")
			assert.NotContains(t, o.err, "not found", "every command and file is there")
		})
	}
}

// freePorts puts free ports into the place of the pages' fixed ones.
func freePorts(t *testing.T, script string) string {
	t.Helper()
	for _, port := range []string{"8080", "8081", "8083", "8084", "8085", "8086"} {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { _ = listener.Close() }() // all are held until all are chosen
		free := fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
		script = regexp.MustCompile(`\b`+port+`\b`).ReplaceAllString(script, free)
	}
	return script
}

// runScript runs a script in an empty folder that has the program and the examples as the root of the repository has them, and ends the fakes.
func runScript(t *testing.T, program, script string) outcome {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "examples"), os.DirFS("../../examples")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
	require.NoError(t, os.Symlink(program, filepath.Join(dir, "bin", "planeproof")))
	ctx, cancel := context.WithTimeout(t.Context(), hung)
	defer cancel()
	command := exec.CommandContext(ctx, "sh", "-c", script+"\nkill $FAKES\n")
	var out, errs bytes.Buffer
	command.Dir, command.Stdout, command.Stderr = dir, &out, &errs
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	_ = command.Run() // the last command's code says nothing of those before it
	return outcome{out: out.String(), err: errs.String()}
}
