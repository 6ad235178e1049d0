package dataplane

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"time"
)

// sealed is a secret value and what the API tells of it; the value itself leaves only through /api/secret.
type sealed struct {
	value     *string
	Preview   *string    `json:"preview_secret"`
	UpdatedAt *time.Time `json:"secret_updated_at"`
	UpdatedBy *string    `json:"secret_updated_by_user_id"`
}

// set stores a value; the dates move only when it changes (facts: secret-updated-at).
func (s *sealed) set(value *string, by Key, now time.Time) {
	if value == nil && s.value == nil || value != nil && s.value != nil && *value == *s.value {
		return
	}
	*s = sealed{value: value, UpdatedAt: &now}
	if value != nil {
		shown := preview(*value)
		s.Preview = &shown
	}
	if by.UserID != "" {
		s.UpdatedBy = &by.UserID
	}
}

// preview redacts a value: at most its first three and last four characters, and never more than a quarter of it. A prefix
// `Bearer ` is shown, as it is no secret and is what an admin looks for; the shape is ours (facts: preview).
func preview(value string) string {
	const scheme = "Bearer "
	prefix := ""
	if len(value) >= len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		prefix, value = value[:len(scheme)], value[len(scheme):]
	}
	if value == "" {
		return prefix // there is nothing to hide
	}
	token := []rune(value)
	share := len(token) / 8
	first, last := min(3, share), min(4, share)
	return prefix + string(token[:first]) + "***" + string(token[len(token)-last:])
}

// patched returns metadata after a PATCH; without metadata in the PATCH it stays.
func patched(c Config, old, patch json.RawMessage) json.RawMessage {
	if patch == nil {
		return old
	}
	switch cmp.Or(c.Patch, PatchReplace) {
	case PatchIgnore:
		return old
	case PatchMerge:
		return encode(merge(decode(old), decode(patch)))
	default:
		return manners(c.Writes).stored(patch)
	}
}

// merge puts what patch has into old, objects key by key. A null changes nothing (spec: fields cannot be removed or set to null).
func merge(old, patch any) any {
	into, isObject := old.(map[string]any)
	from, both := patch.(map[string]any)
	switch {
	case patch == nil:
		return old
	case !both:
		return patch
	case !isObject:
		into = map[string]any{}
	}
	for key, value := range from {
		into[key] = merge(into[key], value)
	}
	return into
}

// decode reads JSON that was valid when it was stored, and keeps numbers as they were written.
func decode(raw json.RawMessage) any {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	_ = decoder.Decode(&value) // nothing stored is null
	return value
}
