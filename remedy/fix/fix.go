// Package fix plans, applies and undoes the few changes that repair a provider secret, and proves each by reading it back.
package fix

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/planeproof/planeproof/remedy/verify"
)

// Schemas of the files.
const (
	planSchema    = "planeproof/plan/v1"
	BackupSchema  = "planeproof/backup/v1"
	JournalSchema = "planeproof/change-journal/v1"
)

// What came of a change that was asked for, where it is not proven.
var (
	// ErrNotApplied says that what was asked is not so: refused, not applied, or put back.
	ErrNotApplied = errors.New("not applied")
	// ErrInPlace says that a change is in place and was seen not to do what it should.
	ErrInPlace = errors.New("in place, but not as it should be")
	// ErrCannotTell says that a change is in place, and that nothing seen tells whether it does what it should.
	ErrCannotTell = errors.New("cannot tell")
	// ErrValueLost says that the API lost the stored value of a secret.
	ErrValueLost = errors.New("the stored value was lost")
)

// What keeps anything from being tried.
var (
	// ErrEdited is that a plan or backup holds a step that this program would not make of its remedy.
	ErrEdited = errors.New("was edited, or is of another program")
	// ErrOrganization is that the key, the file and the caller do not mean one organization.
	ErrOrganization = errors.New("another organization")
	// ErrTokenNeeded is that a plan replaces a stored value and no token was given.
	ErrTokenNeeded = errors.New("the plan replaces a stored value and holds no token: give it with --token-file")
)

// CheckToken refuses what is no raw token (guide: bearer-after-v2-migration, step 2). Its error never holds the token.
func CheckToken(token string) error {
	if problems := verify.Problems(token); len(problems) > 0 {
		return fmt.Errorf("%w: the token was refused: %s: give the raw token alone", ErrNotApplied, strings.Join(problems, "; "))
	}
	return nil
}

// DefaultWait is how long a change may take to be seen, unless the caller says otherwise.
const DefaultWait = 15 * time.Second

// Options says how a plan is applied, or a backup restored.
type Options struct {
	// Org is the organization's name as the caller knows it.
	Org string
	// Backup is the file that is written before the first write; the change journal lies beside it.
	Backup string
	// Wave is the only wave to be done, 0 for all in order.
	Wave int
	// Model is called through the data plane's proxy after each change, empty for no calls.
	Model string
	// Token is the raw token for the steps that replace the stored value.
	Token string
	// AllowPut lets an ai_secret be replaced as a whole, without its value, where PATCH cannot remove keys.
	AllowPut bool
	// Merge lets a restore keep the keys that others have changed since.
	Merge bool
	// Wait is how long a change may take to be seen in a reading, 0 for not at all.
	Wait time.Duration
	Tool string
	Who  Who
	// Say is told each step in one line; Progress how many secrets were read, nil for nobody.
	Say      func(line string)
	Progress func(done, total int)
	// Now and Sleep are the clock, nil for the real one. Sleep ends early with the context's error.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
}
