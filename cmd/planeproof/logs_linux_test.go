package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
)

// TestLogsFromATerminal types a log into a terminal: who does not know that it waits would think that it hangs.
func TestLogsFromATerminal(t *testing.T) {
	t.Parallel()
	keyboard, screen := openTerminal(t)
	_, err := keyboard.WriteString("No API keys found (for acme-chat)\n\x04") // Ctrl-D
	require.NoError(t, err)
	var out, errs strings.Builder
	root := newRoot(terminal{out: &out, err: &errs}, &evidence.Redactor{})
	root.SetIn(screen)
	root.SetArgs([]string{"logs"})
	require.ErrorIs(t, root.ExecuteContext(t.Context()), exitCode(1))
	assert.Equal(t, "planeproof: reading the log from the terminal: end with Ctrl-D\n", errs.String())
	assert.Contains(t, out.String(), "model acme-chat")
}

// openTerminal opens both ends of a new terminal.
func openTerminal(t *testing.T) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminal can be opened:", err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	var number, locked int32
	for request, argument := range map[uintptr]*int32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &locked} {
		_, _, code := syscall.Syscall(syscall.SYS_IOCTL, keyboard.Fd(), request, uintptr(unsafe.Pointer(argument)))
		require.Zero(t, code)
	}
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = screen.Close() })
	return keyboard, screen
}
