package fix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// Undo is what restoring one secret of a backup means.
type Undo struct {
	Saved Saved
	// Needed says that the metadata differs from the backup's and can be written back; Merged that keys which others changed are kept.
	Needed, Merged bool
	Changes        []Change
	// Obstacles are why the secret cannot be restored, or not wholly; Caveats are what may come to be one.
	Obstacles, Caveats []string
	before, now        state
	metadata           []byte // what is to be written
}

// Compare says what restoring a backup would change, and beforehand what cannot be undone. It compares the backup, the plan's steps in
// it, the change journal and the present state, and sends GET alone. What looks as in the backup is read twice at least, and for up to
// Wait where the journal says that it was changed: what an API shows can be old.
func Compare(ctx context.Context, client *control.Client, backup *Backup, o Options) ([]Undo, error) {
	s := newSession(client, o)
	if _, err := s.findOrg(ctx, backup.Organization); err != nil {
		return nil, err
	}
	traces, journalled, err := readJournal(JournalPath(o.Backup), backup.Plan)
	if err != nil {
		return nil, err
	}
	undos := make([]Undo, len(backup.Secrets))
	for i, saved := range backup.Secrets {
		undos[i].Saved = saved
		if undos[i].before, err = newState(saved.Object); err != nil {
			return nil, fmt.Errorf("backup of %s %w: %w", evidence.Printable(saved.Step.Name), file.ErrUnusable, err)
		}
		client.HideMetadata(undos[i].before.Metadata)
	}
	path := func(i int) string { return undos[i].Saved.Step.Path }
	all, err := s.readAll(ctx, len(undos), path, func(i int, now state, times int) bool {
		step := undos[i].Saved.Step
		t := traces[step.SecretID]
		return now.gone || !now.has(undos[i].before.Metadata) || step.ReplaceValue || times > 1 && !t.written && !t.pending
	})
	if err != nil {
		return nil, err
	}
	for i := range undos {
		undos[i].now = all[i]
		undos[i].compare(traces[undos[i].Saved.Step.SecretID], journalled, o)
	}
	return undos, nil
}

// compare fills in what differs, and what stands in the way.
func (u *Undo) compare(t trace, journalled bool, o Options) {
	if u.now.gone {
		u.cannot("it does not exist any more, and nothing here makes one anew")
		return
	}
	if u.Saved.Step.ReplaceValue {
		u.compareValue(t, journalled)
	}
	if fields := otherChanges(u.before, u.now, true); len(fields) > 0 {
		u.Caveats = append(u.Caveats, "also changed since, and left alone: "+list(fields))
	}
	if u.now.has(u.before.Metadata) {
		return
	}
	back := u.back()
	merged, err := back.Apply(u.now.Metadata)
	const changed = "its metadata was changed by somebody else since (%s): it is left as it is"
	if err != nil || len(back.keys()) == 0 || journalled && !t.begun {
		u.cannot(changed, list(keysOf(u.before.Metadata).Differing(keysOf(u.now.Metadata))))
		return
	}
	u.metadata, u.Changes = merged, changes(u.now.Metadata, merged)
	theirs := list(keysOf(u.before.Metadata).Differing(keysOf(merged)))
	switch {
	case theirs == "":
		u.metadata = u.before.Metadata // the same, to the byte
	case o.Merge:
		u.Merged = true
		u.Caveats = append(u.Caveats, "changed by somebody else since, and kept: "+theirs)
	default:
		var all []string
		for _, c := range u.Changes {
			all = append(all, c.text())
		}
		u.cannot(changed+"; --merge keeps that and puts back: %s", theirs, strings.Join(all, "; "))
		u.Changes = nil
		return
	}
	u.Needed = true
	u.warnOfMerging(o.AllowPut)
}

func (u *Undo) cannot(format string, args ...any) {
	u.Obstacles = append(u.Obstacles, fmt.Sprintf(format, args...))
}

// compareValue says whether the stored value was replaced, which no backup can undo.
func (u *Undo) compareValue(t trace, journalled bool) {
	moved, known := u.now.valueMoved(u.before)
	dated := u.now.SecretUpdatedAt != "" && u.before.SecretUpdatedAt != ""
	switch {
	case known && moved, !dated && (t.written || t.pending):
		u.cannot("its stored value was replaced: no backup holds the old one, so it must be stored again by hand")
	case !dated && !journalled:
		u.cannot("neither the API nor a journal tells whether its stored value was replaced: no backup holds it")
	}
}

// back is the edit that undoes what the step did where it is still so; what is neither the backup's nor the step's is somebody else's.
func (u *Undo) back() (back Edit) {
	edited, err := u.Saved.Step.Edit.Apply(u.before.Metadata)
	if err != nil {
		return back // what cannot be edited was not
	}
	before, made, now := keysOf(u.before.Metadata), keysOf(edited), keysOf(u.now.Metadata)
	for _, key := range before.Differing(made) {
		switch {
		case !bytes.Equal(made[key], now[key]):
		case before[key] != nil:
			back.Set = append(back.Set, Entry{key, before[key]})
		default:
			back.Remove = append(back.Remove, key)
		}
	}
	return back
}

// warnOfMerging says beforehand what an API that merges PATCH would leave.
func (u *Undo) warnOfMerging(allowPut bool) {
	var vanishing []string
	for _, c := range u.Changes {
		if c.After == absent {
			vanishing = append(vanishing, c.Key)
		}
	}
	keys := "if the API merges PATCH, " + list(vanishing)
	switch {
	case len(vanishing) == 0:
	case u.Saved.Step.Level != inventory.Org:
		u.Caveats = append(u.Caveats, keys+" cannot be removed again: an env_var is never replaced, as that may lose its stored value")
	case allowPut:
		u.Caveats = append(u.Caveats, keys+" will be removed by a PUT without the stored value")
	default:
		u.Caveats = append(u.Caveats, keys+" will stay: --allow-put would remove it by a PUT without the stored value")
	}
}

// Restore writes the metadata of a backup back where Compare said so, and proves each by reading it back. It goes on after a secret
// that cannot be restored, and then returns an ErrNotApplied that names them all; it stops where the API cannot be reached.
func Restore(ctx context.Context, client *control.Client, backup *Backup, undos []Undo, o Options) (err error) {
	release, err := file.Lock(o.Backup)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	s := newSession(client, o)
	s.action = "restore"
	if err := s.begin(backup.Organization, "", RestoreRequests()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.journal.Close()) }()
	var failed []string
	var lost error
	for n, undo := range undos {
		step := undo.Saved.Step
		said, left := "is as in the backup, not written", slices.Clone(undo.Obstacles)
		if undo.Needed {
			said = "restored and read back"
			err := s.restore(ctx, undo)
			switch isLost := errors.Is(err, ErrValueLost); {
			case isLost, errors.Is(err, ErrNotApplied), errors.Is(err, errInPart):
				left = append(left, strings.TrimPrefix(err.Error(), errInPart.Error()+": "))
				if isLost {
					lost = err
				}
			case err != nil:
				return fmt.Errorf("restore %s: %w", evidence.Printable(step.Name), err)
			}
		}
		if len(left) > 0 {
			failed = append(failed, step.label()+": "+strings.Join(left, "; "))
		} else {
			s.Say(fmt.Sprintf("  %d of %d: %s: %s", n+1, len(undos), step.label(), said))
		}
	}
	reverted := s.lastReading(ctx)
	if len(failed) > 0 {
		reverted = errors.Join(fmt.Errorf("%w: not restored: %s", ErrNotApplied, strings.Join(failed, "; ")), reverted)
	}
	return errors.Join(lost, reverted)
}

// restore writes one secret's metadata back.
func (s *session) restore(ctx context.Context, u Undo) error {
	step := u.Saved.Step
	now, err := get(ctx, s.client, step.Path)
	if err != nil {
		return err
	}
	if !now.has(u.now.Metadata) {
		return fmt.Errorf("%w: it was changed by somebody else meanwhile; not written", ErrNotApplied)
	}
	after, err := s.putBack(ctx, step, now, u.metadata)
	if err != nil {
		return s.failed(step, err)
	}
	s.written = append(s.written, &task{Step: step, before: now, after: after})
	return nil
}
