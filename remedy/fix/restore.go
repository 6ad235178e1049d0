package fix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// Undo is what restoring one secret of a backup means.
type Undo struct {
	Saved Saved
	// Needed says that the metadata differs from the backup's and can be written back.
	Needed  bool
	Changes []Change
	// Obstacles are why the secret cannot be restored, or not wholly; Caveats are what may come to be one.
	Obstacles, Caveats []string
	seen               string // hash of the metadata that was compared
}

// Compare says what restoring a backup would change, and beforehand what cannot be undone. It compares the backup, the plan's steps in
// it, the change journal and the present state, and sends GET alone.
func Compare(ctx context.Context, client *control.Client, backup *Backup, file string) ([]Undo, error) {
	if err := ownOrg(ctx, client, backup.Organization); err != nil {
		return nil, err
	}
	started, journalled, err := begun(JournalPath(file), backup.Plan)
	if err != nil {
		return nil, err
	}
	var all []Undo
	for _, saved := range backup.Secrets {
		undo := Undo{Saved: saved}
		if before, err := saved.state(); err == nil {
			client.HideMetadata(before.Metadata)
		}
		now, err := look(ctx, client, saved.Step.Path)
		switch {
		case control.KindOf(err) == control.NotFound:
			undo.Obstacles = append(undo.Obstacles, "it does not exist any more, and nothing here makes one anew")
		case err != nil:
			return nil, err
		default:
			if err := undo.compare(now, !journalled || started[saved.Step.SecretID]); err != nil {
				return nil, err
			}
		}
		all = append(all, undo)
	}
	return all, nil
}

func ownOrg(ctx context.Context, client *control.Client, want inventory.Organization) error {
	return sameOrg(ctx, client, want, want.Name)
}

// compare fills in what differs. ours says that we may have changed the secret.
func (u *Undo) compare(now state, ours bool) error {
	before, err := u.Saved.state()
	if err != nil {
		return err
	}
	step := u.Saved.Step
	u.seen = hash(now.Metadata)
	if step.ReplaceValue && now.SecretUpdatedAt != before.SecretUpdatedAt {
		u.Obstacles = append(u.Obstacles, "its stored value was replaced: no backup holds the old one, so it must be stored again by hand")
	}
	if fields := otherChanges(before, now, true); len(fields) > 0 {
		u.Caveats = append(u.Caveats, "also changed since, and left alone: "+strings.Join(printable(fields), ", "))
	}
	if sameJSON(before.Metadata, now.Metadata) {
		return nil
	}
	foreign := slices.DeleteFunc(differing(before.keys(), now.keys()), func(key string) bool {
		return slices.Contains(step.Edit.keys(), key)
	})
	if !ours || len(foreign) > 0 || !isObject(now.Metadata) {
		u.Obstacles = append(u.Obstacles, "its metadata was changed by somebody else since ("+
			strings.Join(printable(differing(before.keys(), now.keys())), ", ")+"): it is left as it is")
		return nil
	}
	u.Needed, u.Changes = true, changes(now.keys(), before.keys())
	if vanishing := added(now.keys(), before.keys()); len(vanishing) > 0 {
		keys := strings.Join(printable(vanishing), ", ")
		if step.Level == inventory.Org {
			u.Caveats = append(u.Caveats, "if the API merges PATCH, "+keys+" will be removed by a PUT without the stored value")
		} else {
			u.Caveats = append(u.Caveats, "if the API merges PATCH, "+keys+" cannot be removed again: an env_var is never replaced, as that may lose "+
				"its stored value")
		}
	}
	return nil
}

func isObject(metadata []byte) bool {
	_, err := object(metadata)
	return err == nil
}

// added are the keys that the first object has and the second has not.
func added(now, before map[string]any) []string {
	return slices.DeleteFunc(differing(now, before), func(key string) bool {
		_, there := before[key]
		return there
	})
}

// Restore writes the metadata of a backup back where Compare said so, and proves each by reading it back. It goes on after a secret
// that cannot be restored, and then returns an ErrNotApplied that names them all; it stops where the API cannot be reached.
func Restore(ctx context.Context, client *control.Client, backup *Backup, undos []Undo, o Options) (err error) {
	log, err := openJournal(JournalPath(o.Backup), entry{Tool: o.Tool, Who: o.Who, Organization: backup.Organization}, o.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.close()) }()
	var failed []string
	for _, undo := range undos {
		step := undo.Saved.Step
		left := undo.Obstacles
		if undo.Needed {
			more, err := undo.restore(ctx, client, log)
			if err != nil && !errors.Is(err, ErrNotApplied) {
				return fmt.Errorf("restore %s: %w", evidence.Printable(step.Name), err)
			}
			if err != nil {
				more = append(more, err.Error())
			}
			left = append(left, more...)
		}
		name := label(step.Name, step.Level, step.Project)
		switch {
		case len(left) > 0:
			failed = append(failed, name+": "+strings.Join(left, "; "))
		case undo.Needed:
			o.Say("  " + name + ": restored and read back")
		default:
			o.Say("  " + name + ": is as in the backup, not written")
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%w: not restored: %s", ErrNotApplied, strings.Join(failed, "; "))
	}
	return nil
}

// restore writes one secret's metadata back and returns what is not as in the backup.
func (u Undo) restore(ctx context.Context, client *control.Client, log *journal) (left []string, err error) {
	before, err := u.Saved.state()
	if err != nil {
		return nil, err
	}
	step := u.Saved.Step
	now, err := look(ctx, client, step.Path)
	if err != nil {
		return nil, err
	}
	if hash(now.Metadata) != u.seen {
		return nil, fmt.Errorf("%w: it was changed by somebody else meanwhile; not written", ErrNotApplied)
	}
	line := entry{
		Event: eventBegin, Action: "restore", SecretID: step.SecretID, Name: step.Name, Changes: u.Changes,
		Request: http.MethodPatch + " " + step.Path,
	}
	if err := log.add(line); err != nil {
		return nil, err
	}
	left, err = revert(ctx, client, step.Path, before)
	line = entry{Event: eventPutBack, Action: "restore", SecretID: step.SecretID, Name: step.Name, Said: strings.Join(left, "; ")}
	if err != nil || len(left) > 0 {
		line.Event = eventFailed
	}
	if err != nil {
		line.Said = err.Error()
	}
	return left, errors.Join(err, log.add(line))
}
