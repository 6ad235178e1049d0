package fix_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/remedy/fix"
)

func bearerEdit() fix.Edit {
	return fix.Edit{Set: []fix.Entry{{Key: "auth_format", Value: json.RawMessage(`"bearer"`)}, {Key: "auth_type", Value: json.RawMessage(`"api_key"`)}}}
}

func TestEditRefusesWhatItCannotEditSafely(t *testing.T) {
	t.Parallel()
	for metadata, reason := range map[string]string{
		``:                                      "not valid JSON",
		`{"auth_format":`:                       "not valid JSON",
		`{"a":1} {"b":2}`:                       "not valid JSON",
		`null`:                                  "null, not an object",
		`[1]`:                                   "an array, not an object",
		`"text"`:                                "a string, not an object",
		`7`:                                     "a number, not an object",
		`true`:                                  "a boolean, not an object",
		`{"a":1,"a":2}`:                         `key "a" twice`,
		`{"a":1,"\u0061":2}`:                    `key "a" twice`,
		`{"x":{"deep":[{"b":1,"b":1}]}}`:        `key "b" twice`,
		`{"auth_format":{"y":1,"z":{},"y":[]}}`: `key "y" twice`,
	} {
		_, err := bearerEdit().Apply([]byte(metadata))
		assert.ErrorContains(t, err, reason, metadata)
	}
	_, err := fix.Edit{Remove: []string{`"`}}.Apply([]byte(`{"keep":1,"\"":"old","auth":{"\"":"deep"}}`))
	assert.ErrorContains(t, err, "would change more than the keys named", "a key that sjson cannot remove alone")
}

func TestEditKeepsEveryOtherByte(t *testing.T) {
	t.Parallel()
	before := `{ "z" : 1.50, "auth_format":"api_key",  "<&>":"\u00e9\/", "deep":{"auth_format":"api_key"}, "n":12345678901234567890 }`
	after, err := bearerEdit().Apply([]byte(before))
	require.NoError(t, err)
	assert.Equal(t, `{ "z" : 1.50, "auth_format":"bearer",  "<&>":"\u00e9\/", "deep":{"auth_format":"api_key"}, "n":12345678901234567890 ,"auth_type":"api_key"}`,
		string(after))
	after, err = fix.Edit{Remove: []string{"auth_format"}}.Apply([]byte(before))
	require.NoError(t, err)
	assert.Equal(t, `{ "z" : 1.50,  "<&>":"\u00e9\/", "deep":{"auth_format":"api_key"}, "n":12345678901234567890 }`, string(after))
}

func TestEditNamesAnyKey(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "gpt-4.1", "a.b", "a*", "a?b", "|", "#", "@this", "-1", "0", ":x", "{a}", "[0]", `a\b`, "é", " ", "!", "~", "\t"} {
		name, err := json.Marshal(key)
		require.NoError(t, err)
		before := fmt.Sprintf(`{"keep":1,%s:"old","auth":{%s:"deep"}}`, name, name)
		after, err := fix.Edit{Remove: []string{key}}.Apply([]byte(before))
		assert.NoError(t, err, key)
		assert.JSONEq(t, fmt.Sprintf(`{"keep":1,"auth":{%s:"deep"}}`, name), string(after), key)
		after, err = fix.Edit{Set: []fix.Entry{{Key: key, Value: json.RawMessage("true")}}}.Apply([]byte(before))
		assert.NoError(t, err, key)
		assert.JSONEq(t, fmt.Sprintf(`{"keep":1,%s:true,"auth":{%s:"deep"}}`, name, name), string(after), key)
	}
}

// TestEditChangesExactlyTheNamedKeys: for random metadata and any edit, all other keys keep their place and their bytes.
func TestEditChangesExactlyTheNamedKeys(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1500) {
		random := rand.New(rand.NewPCG(seed, 1))
		before := randomMetadata(random)
		edit := randomEdit(random)
		after, err := edit.Apply([]byte(before))
		require.NoError(t, err, "seed %d: %s", seed, before)
		named := slices.Clone(edit.Remove)
		for _, e := range edit.Set {
			named = append(named, e.Key)
			assert.Equal(t, string(e.Value), gjson.GetBytes(after, e.Key).Raw, "seed %d", seed)
		}
		for _, key := range edit.Remove {
			assert.False(t, gjson.GetBytes(after, key).Exists(), "seed %d: %s", seed, key)
		}
		require.Equal(t, rawPairs(before, named), rawPairs(string(after), named), "seed %d", seed)
	}
}

// rawPairs lists keys and values as they are written, but for the keys left out.
func rawPairs(object string, without []string) []string {
	pairs := []string{}
	gjson.Parse(object).ForEach(func(key, value gjson.Result) bool {
		if !slices.Contains(without, key.String()) {
			pairs = append(pairs, key.Raw+":"+value.Raw)
		}
		return true
	})
	return pairs
}

func randomEdit(random *rand.Rand) fix.Edit {
	var e fix.Edit
	for _, key := range []string{"auth_format", "auth_type", "excludeDefaultModels", "knob", "models"} {
		switch random.IntN(3) {
		case 0:
			e.Remove = append(e.Remove, key)
		case 1:
			e.Set = append(e.Set, fix.Entry{Key: key, Value: json.RawMessage(randomValue(random, 1))})
		}
	}
	return e
}

// randomMetadata is an object of random keys, those that remedies name among them, in random order and with random white space.
func randomMetadata(random *rand.Rand) string {
	keys := []string{
		"api_base", "auth_type", "auth_format", "excludeDefaultModels", "supportsStreaming", "customModels", "models", "additionalHeaders",
		"knob", "é <&>", `qu"ote`, "gpt-4.1", "nested", "auth_format ", "AUTH_TYPE", "\u2028", "x\ny",
	}
	random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	var parts []string
	for _, key := range keys[:random.IntN(len(keys)+1)] {
		name, err := json.Marshal(key)
		if err != nil {
			panic(err)
		}
		parts = append(parts, blank(random)+string(name)+blank(random)+":"+blank(random)+randomValue(random, 3)+blank(random))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func blank(random *rand.Rand) string { return []string{"", "", " ", "\n  "}[random.IntN(4)] }

func randomValue(random *rand.Rand, depth int) string {
	switch n := random.IntN(9); {
	case n == 0:
		return "null"
	case n == 1:
		return "true"
	case n == 2:
		return []string{"0", "-1.50", "1e3", "9007199254740993", "1.0", "0.1"}[random.IntN(6)]
	case n == 3 && depth > 0:
		return `{"auth_format":` + randomValue(random, depth-1) + `,"b\"}":` + randomValue(random, depth-1) + `}`
	case n == 4 && depth > 0:
		return `[` + randomValue(random, depth-1) + `, ` + randomValue(random, depth-1) + `]`
	case n == 5:
		return `"\u00e9\ud83d\ude00\\\"},{"`
	}
	return fmt.Sprintf(`"v<%d>"`, random.IntN(1000))
}

func quoted(key string) []byte {
	raw, err := json.Marshal(key)
	if err != nil {
		panic(err)
	}
	return raw
}
