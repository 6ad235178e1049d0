package jsonvalue_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/internal/jsonvalue"
)

func TestEqual(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[true,null]}`, ` {"b" : [true, null], "a": 1.0}`, true},
		{`{"\u0061":"\u00e9"}`, `{"a":"é"}`, true},
		{`1e2`, `100`, true},
		{`-0`, `0`, true},
		{`0.10`, `0.1`, true},
		{`9007199254740993`, `9007199254740992`, false}, // what a double makes of it
		{`9007199254740993`, `9.007199254740992e15`, false},
		{`123456789012345678901234567890`, `123456789012345678901234567891`, false},
		{`{"a":[1,2]}`, `{"a":[2,1]}`, false},
		{`{"a":"<"}`, `{"a":"\u003c"}`, true},
		{`null`, `{}`, false},
		{`{"a":1,"a":1}`, `{"a":1}`, false},
		{`{"a":1,"a":1}`, `{"a":1,"a":1}`, true},
		{`not JSON`, `not JSON`, true},
		{`not JSON`, `null`, false},
	} {
		assert.Equal(t, tt.want, jsonvalue.Equal([]byte(tt.a), []byte(tt.b)), "%s against %s", tt.a, tt.b)
		assert.Equal(t, tt.want, jsonvalue.Hash([]byte(tt.a)) == jsonvalue.Hash([]byte(tt.b)), "hashes of %s and %s", tt.a, tt.b)
	}
}

func TestCanonicalLeavesItsArgumentAlone(t *testing.T) {
	t.Parallel()
	raw := []byte(`{"b": 1.0, "a": 2}`)
	got, err := jsonvalue.Canonical(raw)
	require.NoError(t, err)
	assert.Equal(t, `{"a":2,"b":1}`, string(got))
	assert.Equal(t, `{"b": 1.0, "a": 2}`, string(raw))
}

func TestParseObjectRefusesWithoutQuotingValues(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`[]`:                              "it is an array, not an object",
		`null`:                            "it is null, not an object",
		`"text"`:                          "it is a string, not an object",
		`{"a":"hidden-value","a":2}`:      `it has the key "a" twice`,
		`{"x":{"b":1,"\u0062":"hidden"}}`: `it has the key "b" twice`,
		`{"a":hidden-value}`:              "it is not valid JSON",
		``:                                "it is not valid JSON",
	} {
		_, err := jsonvalue.ParseObject([]byte(raw))
		require.EqualError(t, err, want, raw)
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	a, err := jsonvalue.ParseObject([]byte(`{"same":1.0,"gone":null,"other":{"x": [1]},"text":"t"}`))
	require.NoError(t, err)
	b, err := jsonvalue.ParseObject([]byte(`{"same":1,"other":{"x":[2]},"new":0,"text":"t"}`))
	require.NoError(t, err)
	assert.Equal(t, []string{"gone", "new", "other"}, a.Differing(b))
	assert.Equal(t, []string{"gone", "other", "same", "text"}, a.Keys())
	assert.Equal(t, json.RawMessage(`{"x":[1]}`), a["other"])
	text, ok := a.Text("text")
	assert.Equal(t, "t", text)
	assert.True(t, ok)
	for _, key := range []string{"same", "gone", "absent"} {
		_, ok = a.Text(key)
		assert.False(t, ok, key)
	}
}
