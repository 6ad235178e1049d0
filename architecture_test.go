package planeproof_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/planeproof/planeproof/"

// mayImport is the picture of docs/architecture.md: what each folder may import of ours. `x/**` is x and all below it; of two
// entries for a folder the longer one counts.
func mayImport() map[string][]string {
	return map[string][]string{
		"evidence":        {"internal/**"},
		"provider":        {"internal/**"},
		"features":        nil,
		"internal/**":     nil,
		"target/settings": {"evidence", "provider"},
		"fakes/**":        {"evidence", "provider", "target/settings", "fakes/**"},
		"target":          {"evidence", "target/settings"},
		"target/process":  {"target", "target/settings", "fakes/**", "evidence", "provider"},
		"target/docker":   {"target", "target/settings", "fakes/tenancy", "fakes/sabotage"},
		"scenarios":       {"target", "target/settings", "evidence", "provider", "internal/file"},
		"remedy/**":       {"provider", "evidence", "remedy/**", "internal/**"},
		"steps":           {"scenarios", "target", "remedy/**", "evidence", "provider", "internal/**"},
		"report":          {"evidence", "internal/**"},
		"conformance":     {"features", "steps", "scenarios", "target/**", "fakes/sabotage", "report", "evidence", "provider", "internal/nearest", "internal/usage"},
		"cmd/planeproof":  {"conformance", "evidence", "fakes/**", "features", "internal/**", "provider", "remedy/**", "report", "scenarios", "target/**"},
	}
}

// onlyIn says which folders may import a library that shapes what imports it.
func onlyIn() map[string][]string {
	return map[string][]string{
		"github.com/testcontainers/": {"target/docker"},
		"github.com/moby/moby/":      {"target/docker"},
		"github.com/cucumber/":       {"conformance"},
		"github.com/spf13/":          {"cmd/planeproof"},
	}
}

// source is one Go file that is not a test.
type source struct {
	folder, name string
	*ast.File
}

// sources parses every Go file of the module but tests and testdata.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	files := token.NewFileSet()
	require.NoError(t, filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || len(name) > 1 && strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		parsed, err := parser.ParseFile(files, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		name = filepath.ToSlash(name)
		all = append(all, source{path.Dir(name), name, parsed})
		return err
	}))
	require.NotEmpty(t, all)
	return all
}

// fits says whether a folder is what a pattern of mayImport means.
func fits(pattern, folder string) bool {
	root, deep := strings.CutSuffix(pattern, "/**")
	return folder == root || deep && strings.HasPrefix(folder, root+"/")
}

func ruleFor(folder string) (rule string, found bool) {
	for pattern := range mayImport() {
		if fits(pattern, folder) && len(pattern) > len(rule) {
			rule, found = pattern, true
		}
	}
	return rule, found
}

func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, file := range sources(t) {
		rule, found := ruleFor(file.folder)
		assert.True(t, found, "%s: no rule says what %s may import", file.name, file.folder)
		used[rule] = true
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			for library, folders := range onlyIn() {
				if strings.HasPrefix(imported, library) {
					assert.Contains(t, folders, file.folder, "%s imports %s", file.name, imported)
				}
			}
			if folder, ours := strings.CutPrefix(imported, module); ours {
				allowed := slices.ContainsFunc(mayImport()[rule], func(pattern string) bool { return fits(pattern, folder) })
				assert.True(t, allowed, "%s imports %s; %s may import of ours only %v", file.name, folder, rule, mayImport()[rule])
			}
		}
	}
	for rule := range mayImport() {
		assert.True(t, used[rule], "no folder is %s", rule)
	}
}

// TestNoStateInPackages lets a package variable be a compiled regexp, embedded files, a sentinel error, or `_`.
func TestNoStateInPackages(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				assert.False(t, d.Recv == nil && d.Name.Name == "init", "%s has an init function", file.name)
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					continue
				}
				for _, spec := range d.Specs {
					v := spec.(*ast.ValueSpec)
					assert.True(t, constantEnough(d, v), "%s has a package variable %s", file.name, v.Names[0])
				}
			}
		}
	}
}

func constantEnough(d *ast.GenDecl, v *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{d.Doc, v.Doc} {
		if doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") }) {
			return true
		}
	}
	for i, name := range v.Names {
		if name.Name != "_" && (i >= len(v.Values) || !makesConstant(v.Values[i])) {
			return false
		}
	}
	return true
}

// makesConstant recognizes the calls whose result nobody changes, and the sentinel error of another package.
func makesConstant(value ast.Expr) bool {
	if other, ok := value.(*ast.SelectorExpr); ok {
		return strings.HasPrefix(other.Sel.Name, "Err")
	}
	call, ok := value.(*ast.CallExpr)
	if !ok {
		return false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, ok := f.X.(*ast.Ident)
	return ok && slices.Contains([]string{"regexp.MustCompile", "errors.New", "fmt.Errorf"}, from.Name+"."+f.Sel.Name)
}
