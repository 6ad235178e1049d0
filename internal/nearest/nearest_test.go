package nearest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOf(t *testing.T) {
	t.Parallel()
	known := []string{"TOKEN-1/a-good-token", "BEARER-6/repairs", "BEARER-6", "BEARER-16"}
	assert.Equal(t, 2, Of("bearer-6", known)[0], "in any case")
	assert.Equal(t, 1, Of("BEARER-6/repair", known)[0])
	assert.Equal(t, 0, Of("TOKEN-1/good-token", known)[0])
	assert.Len(t, Of("BEARER-6", known), Offered)
	assert.Equal(t, []int{0}, Of("", []string{"one"}))
	assert.Empty(t, Of("anything", nil))
}
