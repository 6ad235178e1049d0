package fix

import (
	"context"
	"errors"
	"fmt"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/control"
)

// revert writes the metadata from before and reads it back. Where PATCH merges, keys that were added stay; then an ai_secret is put as
// a whole without its value, which keeps it (facts: the API); an env_var is never put. left says what is still not as it was.
func revert(ctx context.Context, client *control.Client, path string, before state) (left []string, err error) {
	present, err := look(ctx, client, path)
	if err != nil {
		return nil, err
	}
	if _, err := patch(ctx, client, present, Entry{"metadata", before.Metadata}); err != nil && !uncertain(err) {
		return nil, err
	}
	after, err := look(ctx, client, path)
	if err != nil {
		return nil, err
	}
	if !sameJSON(before.Metadata, after.Metadata) && present.ObjectType == "" {
		if err := putWhole(ctx, client, after, before.Metadata); err != nil {
			return nil, err
		}
		if after, err = look(ctx, client, path); err != nil {
			return nil, err
		}
	}
	for _, key := range differing(before.keys(), after.keys()) {
		left = append(left, fmt.Sprintf("%s is %s, not %s", evidence.Printable(key), shown(after.keys(), key), shown(before.keys(), key)))
	}
	if len(left) == 0 && !sameJSON(before.Metadata, after.Metadata) {
		left = append(left, "the metadata is "+kind(after.Metadata)+", not "+kind(before.Metadata))
	}
	for _, field := range otherChanges(present, after, false) {
		left = append(left, evidence.Printable(field)+" has changed on the way")
	}
	return left, nil
}

// putWhole replaces an ai_secret, found by its name, and leaves out its value so that the API keeps it.
func putWhole(ctx context.Context, client *control.Client, present state, metadata []byte) error {
	others := []Entry{{"name", text(present.Name)}}
	if present.Type != "" {
		others = append(others, Entry{"type", text(present.Type)})
	}
	answer, err := client.Put(ctx, "/v1/ai_secret", fieldsBody(append(others, Entry{"metadata", metadata})...))
	if err != nil {
		if uncertain(err) {
			return nil // reading back tells
		}
		return fmt.Errorf("replace provider secret: %w", err)
	}
	if o, err := answer.Object(); err != nil || o.ID != present.ID {
		return fmt.Errorf("%w: the API replaced another object than the one meant", ErrNotApplied)
	}
	return nil
}

// refusal is the status and the words of a request that was refused.
func refusal(err error) (status int, said string) {
	var e *control.Error
	if !errors.As(err, &e) {
		return 0, ""
	}
	return e.Status, e.Said
}

func kind(raw []byte) string {
	value, err := decode(raw)
	if err != nil {
		return "nothing that can be read"
	}
	return kindOf(value)
}
