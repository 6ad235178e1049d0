package lines_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/internal/lines"
)

func TestText(t *testing.T) {
	t.Parallel()
	text := lines.New(func(line string) string { return strings.ReplaceAll(line, "\n", `\n`) })
	text.Line("a %s  ", "b\nc")
	text.Field(2, "name", "value")
	text.Field(2, "none", "")
	text.Block(4, "one\ntwo")
	const want = "a b\\nc\n  name          value\n    one\n    two\n"
	assert.Equal(t, want, text.String())
	var out strings.Builder
	require.NoError(t, text.Write(&out))
	assert.Equal(t, want, out.String())
}
