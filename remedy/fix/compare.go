package fix

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/jsonvalue"
)

// keysOf is metadata as an object, empty where it is none that can be edited.
func keysOf(metadata []byte) jsonvalue.Object {
	keys, err := jsonvalue.ParseObject(metadata)
	if err != nil {
		return jsonvalue.Object{}
	}
	return keys
}

// has says that the secret has that metadata, by JSON value.
func (s state) has(metadata []byte) bool { return jsonvalue.Equal(s.Metadata, metadata) }

// valueMoved says that what the API tells of the stored value has changed; known is false where it tells nothing.
func (s state) valueMoved(before state) (moved, known bool) {
	told := s.SecretUpdatedAt != "" && before.SecretUpdatedAt != "" || s.Preview != "" && before.Preview != ""
	return s.SecretUpdatedAt != before.SecretUpdatedAt || s.Preview != before.Preview, told
}

// fields is the whole answer but metadata, which is compared apart from it, and may be what nothing else could be compared beside.
func (s state) fields() jsonvalue.Object {
	fields := jsonvalue.Object{}
	_ = json.Unmarshal(s.raw, &fields) // it was read as an object already
	delete(fields, "metadata")
	for name, value := range fields {
		if canonical, err := jsonvalue.Canonical(value); err == nil {
			fields[name] = canonical
		}
	}
	return fields
}

// otherChanges are the fields beside metadata that differ and should not: dates of use and change move by themselves, what tells of the
// stored value moves when it is replaced, and its date also on an API that moves it with every change; then the preview is as it was.
func otherChanges(before, after state, valueReplaced bool) []string {
	expected := []string{"updated_at", "used"}
	if valueReplaced || before.Preview != "" && before.Preview == after.Preview {
		expected = append(expected, "secret_updated_at", "secret_updated_by_user_id")
	}
	if valueReplaced {
		expected = append(expected, "preview_secret")
	}
	return slices.DeleteFunc(before.fields().Differing(after.fields()), func(field string) bool {
		return slices.Contains(expected, field)
	})
}

// differences says how a secret differs from what it was and the metadata that it should have now: in the keys that the step was to change,
// in words, and in others that should be as they were. Without a step all keys were to change.
func differences(was, now state, metadata []byte, step *Step) (remains, others []string) {
	replaced := step != nil && step.ReplaceValue
	others = otherChanges(was, now, replaced)
	want, is := keysOf(metadata), keysOf(now.Metadata)
	differing := want.Differing(is)
	for _, key := range differing {
		if step != nil && !slices.Contains(step.Edit.keys(), key) {
			others = append(others, "metadata."+key)
			continue
		}
		remains = append(remains, fmt.Sprintf("%s is %s, not %s", evidence.Printable(key), shown(is, key), shown(want, key)))
	}
	switch {
	case len(differing) > 0 || now.has(metadata):
	case replaced:
		others = append(others, "metadata")
	default: // one of the two is no object, or has a key twice
		remains = append(remains, "the metadata is "+jsonvalue.Kind(now.Metadata)+", not "+jsonvalue.Kind(metadata))
	}
	return remains, others
}
