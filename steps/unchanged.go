package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/scenarios"
)

func bindUnchanged(b Binder) {
	b.Then(`^nothing (else )?about `+ref+` has changed$`, (*Steps).unchanged)
	b.Then(`^of all secrets only (.+) have changed$`, (*Steps).onlyChanged)
	b.Then(`^no secret has changed$`, (*Steps).noneChanged)
	b.Then(`^only (.+) (?:is|are) gone from the metadata of `+ref+`$`, (*Steps).onlyGone)
	b.Then(`^the stored value of `+ref+` has not changed$`, (*Steps).valueUnchanged)
	b.Then(`^the metadata of `+ref+` is exactly excludeDefaultModels false, supportsStreaming true and its api_base$`, (*Steps).minimalMetadata)
}

// unchanged compares the whole object with what it was when it was made; nothing else: but for what was set, and when.
func (s *Steps) unchanged(ctx context.Context, what, ref string) error {
	secret, now, err := s.read(ctx, ref)
	if err != nil {
		return err
	}
	if what != "" {
		return s.unchangedButEdits(ctx, secret)
	}
	return s.sameFields(ref, decoded(secret.Before), decoded(now))
}

// unchangedButEdits compares all but the metadata keys that the scenario set, which must have the values that were set, and
// updated_at, which moves with every change.
func (s *Steps) unchangedButEdits(ctx context.Context, secret *scenarios.Secret) error {
	ref := refTo(secret)
	now, err := s.World.Read(ctx, secret)
	if err != nil {
		return err
	}
	before, after := decoded(secret.Before), decoded(now)
	delete(before, "updated_at")
	delete(after, "updated_at")
	metadata, ok := before["metadata"].(map[string]any)
	if !ok {
		return fmt.Errorf("compare %s: its metadata was no object", ref)
	}
	for _, edit := range secret.Edits {
		if _, removed := edit.Value.(scenarios.Removed); removed {
			delete(metadata, edit.Key)
		} else {
			metadata[edit.Key] = edit.Value
		}
	}
	return s.sameFields(ref, before, after)
}

// onlyGone takes the keys from the sentence: a plan that removes too much would name them all itself.
func (s *Steps) onlyGone(ctx context.Context, list, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	for _, key := range names(list) {
		secret.Edits = append(secret.Edits, scenarios.Entry{Key: key, Value: scenarios.Removed{}})
	}
	return s.unchangedButEdits(ctx, secret)
}

func (s *Steps) read(ctx context.Context, ref string) (*scenarios.Secret, json.RawMessage, error) {
	secret, err := s.secret(ref)
	if err != nil {
		return nil, nil, err
	}
	now, err := s.World.Read(ctx, secret)
	return secret, now, err
}

// onlyChanged compares every other secret to the byte, and the changed ones by the keys of the fix.
func (s *Steps) onlyChanged(ctx context.Context, list string) error {
	changed, err := s.secrets(list)
	if err != nil {
		return err
	}
	for _, secret := range s.World.Secrets() {
		if slices.Contains(changed, secret) {
			if err := s.unchangedButEdits(ctx, secret); err != nil {
				return err
			}
			continue
		}
		now, err := s.World.Read(ctx, secret)
		if err != nil {
			return err
		}
		if err := equal("the API's object of "+secret.Name, string(secret.Before), string(now)); err != nil {
			return err
		}
	}
	return nil
}

// noneChanged compares every secret with what it was when it was made, but for when it was updated.
func (s *Steps) noneChanged(ctx context.Context) error {
	for _, secret := range s.World.Secrets() {
		secret.Edits = nil
		if err := s.unchangedButEdits(ctx, secret); err != nil {
			return err
		}
	}
	return nil
}

// refTo writes how a sentence names the secret, for messages.
func refTo(secret *scenarios.Secret) string {
	if secret.Level == scenarios.Project {
		return `the project's "` + secret.Name + `"`
	}
	return `"` + secret.Name + `"`
}

// sameFields compares two objects field by field, and their metadata key by key, so that a failure names what differs.
func (s *Steps) sameFields(ref string, before, after map[string]any) error {
	for _, field := range keysOf(before, after) {
		was, wasObject := before[field].(map[string]any)
		is, isObject := after[field].(map[string]any)
		if wasObject && isObject {
			for _, key := range keysOf(was, is) {
				if err := sameValue(field+"."+key+" of "+ref, was, is, key); err != nil {
					return err
				}
			}
			continue
		}
		if err := sameValue(field+" of "+ref, before, after, field); err != nil {
			return err
		}
	}
	return nil
}

func sameValue(what string, before, after map[string]any, key string) error {
	return equal(what, jsonValue(before, key), jsonValue(after, key))
}

// jsonValue shows a value of an object as JSON; a key that is not there is not the same as null.
func jsonValue(object map[string]any, key string) string {
	value, there := object[key]
	if !there {
		return "(absent)"
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// valueUnchanged goes by the preview of the stored value and by its date.
func (s *Steps) valueUnchanged(ctx context.Context, ref string) error {
	secret, now, err := s.read(ctx, ref)
	if err != nil {
		return err
	}
	for _, field := range []string{"preview_secret", "secret_updated_at"} {
		if !gjson.GetBytes(secret.Before, field).Exists() {
			return fmt.Errorf("compare %s: the API shows no %s", ref, field)
		}
		if err := sameValue(field+" of "+ref, decoded(secret.Before), decoded(now), field); err != nil {
			return err
		}
	}
	return nil
}

// minimalMetadata is what the second guide's PATCH leaves.
func (s *Steps) minimalMetadata(ctx context.Context, ref string) error {
	_, now, err := s.read(ctx, ref)
	if err != nil {
		return err
	}
	want := map[string]any{"metadata": map[string]any{
		"excludeDefaultModels": false, "supportsStreaming": true, "api_base": s.World.GatewayURL() + "/v1",
	}}
	return s.sameFields(ref, want, map[string]any{"metadata": decoded(now)["metadata"]})
}
