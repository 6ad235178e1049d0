package fix

import (
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
	now                state  // what was compared
	metadata           []byte // what is to be written
}

// Compare says what restoring a backup would change, and beforehand what cannot be undone. It compares the backup, the plan's steps in
// it, the change journal and the present state, and sends GET alone. What looks as in the backup is read twice at least, and for up to
// Wait where the journal says that it was changed: what an API shows can be old.
func Compare(ctx context.Context, client *control.Client, backup *Backup, o Options) ([]Undo, error) {
	o = o.complete()
	org, err := findOrg(ctx, client, backup.Organization)
	if err != nil {
		return nil, err
	}
	if org.Name != backup.Organization.Name {
		o.Say(evidence.Printable(fmt.Sprintf("note: the organization %s is called %s now", backup.Organization.Name, org.Name)))
	}
	traces, journalled, err := readJournal(JournalPath(o.Backup), backup.Plan)
	if err != nil {
		return nil, err
	}
	undos, paths := make([]Undo, len(backup.Secrets)), make([]string, len(backup.Secrets))
	befores := make([]state, len(backup.Secrets))
	for i, saved := range backup.Secrets {
		undos[i].Saved, paths[i] = saved, saved.Step.Path
		if befores[i], err = newState(saved.Object); err != nil {
			return nil, fmt.Errorf("backup of %s %w: %w", evidence.Printable(saved.Step.Name), file.ErrUnusable, err)
		}
		client.HideMetadata(befores[i].Metadata)
	}
	all, err := o.readAll(ctx, client, paths, func(i int, now state, times int) bool {
		t := traces[undos[i].Saved.Step.SecretID]
		return !now.sameMetadata(befores[i]) || undos[i].Saved.Step.ReplaceValue || times > 1 && !t.written && !t.pending
	})
	if err != nil {
		return nil, err
	}
	for i := range undos {
		if all[i].gone {
			undos[i].Obstacles = []string{"it does not exist any more, and nothing here makes one anew"}
			continue
		}
		undos[i].now = all[i].state
		t := traces[undos[i].Saved.Step.SecretID]
		if undos[i].Saved.Step.ReplaceValue {
			undos[i].compareValue(befores[i], t, journalled)
		}
		undos[i].compare(befores[i], !journalled || t.begun, o)
	}
	return undos, nil
}

// compareValue says whether the stored value was replaced, which no backup can undo.
func (u *Undo) compareValue(before state, t trace, journalled bool) {
	moved, known := u.now.valueMoved(before)
	dated := u.now.SecretUpdatedAt != "" && before.SecretUpdatedAt != ""
	switch {
	case known && moved, !dated && (t.written || t.pending):
		u.Obstacles = append(u.Obstacles, "its stored value was replaced: no backup holds the old one, so it must be stored again by hand")
	case !dated && !journalled:
		u.Obstacles = append(u.Obstacles, "neither the API nor a journal tells whether its stored value was replaced: no backup holds it")
	}
}

// compare fills in what differs. ours says that we may have changed the secret.
func (u *Undo) compare(before state, ours bool, o Options) {
	if fields := otherChanges(before, u.now, true); len(fields) > 0 {
		u.Caveats = append(u.Caveats, "also changed since, and left alone: "+strings.Join(printable(fields), ", "))
	}
	if u.now.sameMetadata(before) {
		return
	}
	differing := before.keys().Differing(u.now.keys())
	foreign := u.foreign(before, differing)
	u.metadata = before.Metadata
	if _, err := object(u.now.Metadata); err != nil || !ours || len(foreign) == len(differing) {
		u.Obstacles = append(u.Obstacles, "its metadata was changed by somebody else since ("+strings.Join(printable(differing), ", ")+
			"): it is left as it is")
		return
	}
	if len(foreign) > 0 {
		if err := u.merge(before, foreign, o.Merge); err != nil {
			u.Obstacles = append(u.Obstacles, err.Error())
			return
		}
	}
	want := state{Object: control.Object{Metadata: u.metadata}}
	u.Needed, u.Changes = true, changes(u.now.keys(), want.keys())
	u.warnOfMerging(o.AllowPut)
}

// foreign are the keys whose values are neither the backup's nor what the step made of them.
func (u *Undo) foreign(before state, differing []string) []string {
	edited, err := u.Saved.Step.Edit.Apply(before.Metadata)
	if err != nil {
		return differing
	}
	ours := state{Object: control.Object{Metadata: edited}}.keys()
	return slices.DeleteFunc(slices.Clone(differing), func(key string) bool {
		now, there := u.now.keys()[key]
		made, set := ours[key]
		return slices.Contains(u.Saved.Step.Edit.keys(), key) && there == set && string(now) == string(made)
	})
}

// merge puts our keys back and keeps theirs, if that is allowed.
func (u *Undo) merge(before state, foreign []string, allowed bool) (err error) {
	var back Edit
	for _, key := range u.Saved.Step.Edit.keys() {
		value, there := before.keys()[key]
		switch {
		case slices.Contains(foreign, key):
		case there:
			back.Set = append(back.Set, Entry{key, value})
		default:
			back.Remove = append(back.Remove, key)
		}
	}
	if u.metadata, err = back.Apply(u.now.Metadata); err != nil {
		return err
	}
	want := state{Object: control.Object{Metadata: u.metadata}}
	theirs := strings.Join(printable(foreign), ", ")
	if allowed {
		u.Merged = true
		u.Caveats = append(u.Caveats, "changed by somebody else since, and kept: "+theirs)
		return nil
	}
	var all []string
	for _, c := range changes(u.now.keys(), want.keys()) {
		all = append(all, fmt.Sprintf("%s: %s → %s", evidence.Printable(c.Key), c.Before, c.After))
	}
	return fmt.Errorf("its metadata was changed by somebody else since (%s): it is left as it is; --merge keeps that and puts back: %s",
		theirs, strings.Join(all, "; "))
}

// warnOfMerging says beforehand what an API that merges PATCH would leave.
func (u *Undo) warnOfMerging(allowPut bool) {
	var vanishing []string
	for _, c := range u.Changes {
		if c.After == absent {
			vanishing = append(vanishing, evidence.Printable(c.Key))
		}
	}
	keys := "if the API merges PATCH, " + strings.Join(vanishing, ", ")
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
	o = o.complete()
	release, err := file.Lock(o.Backup)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	s := session{Options: o, client: client, action: "restore"}
	if err := s.begin(backup.Organization, "", RestoreRequests()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.journal.close()) }()
	var failed []string
	lost := error(nil)
	for n, undo := range undos {
		step := undo.Saved.Step
		at := fmt.Sprintf("  %d of %d: %s: ", n+1, len(undos), label(step.Name, step.Level, step.Project))
		left := undo.Obstacles
		if undo.Needed {
			switch err := s.restore(ctx, undo); {
			case err == nil:
			case errors.Is(err, ErrValueLost):
				lost = err
				fallthrough
			case errors.Is(err, ErrNotApplied), errors.Is(err, errInPart):
				left = append(left, strings.TrimPrefix(err.Error(), errInPart.Error()+": "))
			default:
				return fmt.Errorf("restore %s: %w", evidence.Printable(step.Name), err)
			}
		}
		switch {
		case len(left) > 0:
			failed = append(failed, label(step.Name, step.Level, step.Project)+": "+strings.Join(left, "; "))
		case undo.Needed:
			o.Say(at + "restored and read back")
		default:
			o.Say(at + "is as in the backup, not written")
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
	if !now.sameMetadata(u.now) {
		return fmt.Errorf("%w: it was changed by somebody else meanwhile; not written", ErrNotApplied)
	}
	after, err := s.putBack(ctx, step, now, u.metadata)
	if err != nil {
		return s.failed(step, err)
	}
	s.wrote(step, now, after)
	return nil
}
