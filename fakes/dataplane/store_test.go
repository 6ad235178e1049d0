package dataplane

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestDatesMoveEvenWhenTheClockDoesNot(t *testing.T) {
	t.Parallel()
	ahead := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	s := &store{last: ahead}
	assert.Equal(t, ahead.Add(time.Microsecond), s.now())
	assert.Equal(t, ahead.Add(2*time.Microsecond), s.now())
}
