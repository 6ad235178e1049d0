package dataplane

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/planeproof/planeproof/target/settings"
)

// Writes is part of Config.
type Writes = settings.Writes

// manners are what follows from Writes.
type manners Writes

// past is an object as it was before its last write.
type past struct {
	row   any
	reads int
	at    time.Time
}

// remember keeps a row from before a write. Whoever calls it holds mu.
func (s *store) remember(id string, row any) {
	if s.past == nil {
		s.past = map[string]*past{}
	}
	s.past[id] = &past{row: row, at: time.Now()}
}

// read answers one row as the manners have it. Whoever calls it holds mu.
func read[T row](c *call, t table[T], what string) (any, error) {
	i, err := t.index(c.id, what)
	if err != nil {
		return nil, err
	}
	w, old := c.config.Writes, c.store.past[c.id]
	if old == nil {
		return t[i], nil
	}
	before, isRow := old.row.(T)
	old.reads++
	switch {
	case !isRow:
	case old.reads <= w.StaleReads, time.Since(old.at) < time.Duration(w.StaleMS)*time.Millisecond:
		return before, nil
	case w.RevertAfterReads > 0 && old.reads > w.StaleReads+w.RevertAfterReads:
		t[i] = before
		delete(c.store.past, c.id)
	}
	return t[i], nil
}

// echo refuses a PATCH as the manners have it. The value goes to the caller alone: the journal has none.
func (w manners) echo(f *fields, stored *string) error {
	if !w.Echo {
		return nil
	}
	said := "cannot store " + string(encode(f.raw))
	if stored != nil {
		said += " in the place of " + *stored
	}
	return refusal{status: http.StatusBadRequest, text: "cannot store what was sent", body: said}
}

// stored is metadata as it is stored.
func (w manners) stored(metadata json.RawMessage) json.RawMessage {
	var value any
	if !w.RoundNumbers || json.Unmarshal(metadata, &value) != nil {
		return metadata
	}
	return encode(value)
}

// show leaves out what the manners hide.
func (w manners) show(value any) any {
	if _, isText := value.(string); isText || !w.NoSecretUpdatedAt && !w.NoPreview {
		return value
	}
	return w.without(decode(encode(value)))
}

func (w manners) without(value any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = w.without(v[i])
		}
	case map[string]any:
		if w.NoSecretUpdatedAt {
			delete(v, "secret_updated_at")
		}
		if w.NoPreview {
			delete(v, "preview_secret")
		}
		for key := range v {
			v[key] = w.without(v[key])
		}
	}
	return value
}
