package steps

import (
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// comparisons are the functions that compare or tell of a difference, and which of their arguments are expected and actual.
func comparisons() map[string][2]int {
	return map[string][2]int{"equal": {1, 2}, "differs": {1, 2}, "sameValue": {1, 2}, "s.sameFields": {1, 2}, "assert.ObjectsAreEqual": {0, 1}, "slices.Equal": {0, 1}}
}

// source is an expression as it is written.
func source(e ast.Expr) string {
	var b strings.Builder
	_ = printer.Fprint(&b, token.NewFileSet(), e) // a strings.Builder takes everything
	return b.String()
}

// twins are the comparisons of a function, as written, whose two sides are one expression, also by way of a variable that is set once.
func twins(f *ast.FuncDecl) (found []string, compared int) {
	set := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok && len(a.Lhs) == len(a.Rhs) {
			for i, left := range a.Lhs {
				name := source(left)
				if _, again := set[name]; again {
					set[name] = name
					continue
				}
				set[name] = source(a.Rhs[i])
			}
		}
		return true
	})
	meaning := func(e ast.Expr) string {
		text := source(e)
		if from, ok := set[text]; ok {
			return from
		}
		return text
	}
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sides, compares := comparisons()[source(call.Fun)]
		if !compares {
			return true
		}
		compared++
		if meaning(call.Args[sides[0]]) == meaning(call.Args[sides[1]]) {
			found = append(found, source(call))
		}
		return true
	})
	return found, compared
}

// TestNothingIsComparedWithItself reads the package: what is compared with itself is always as expected.
func TestNothingIsComparedWithItself(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	all := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, declared := range parsed.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok {
				found, compared := twins(f)
				assert.Empty(t, found, "%s: %s compares with itself", name, f.Name)
				all += compared
			}
		}
	}
	assert.Greater(t, all, 50, "the comparisons are called otherwise now")
}

func TestTwins(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		`equal("x", p.Status, p.Status)`: 1, `equal("x", http.StatusOK, p.Status)`: 0, `differs("x", list, list)`: 1,
		`want := names(list); return equal("x", want, names(list))`: 1, `want := names(list); want = nil; return equal("x", want, names(list))`: 0,
		`s.sameFields("x", after, after)`: 1, `sameValue("x", before, after, key)`: 0, `a, b := c, c; equal("x", a, b)`: 1,
	} {
		parsed, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() {"+body+"}", 0)
		require.NoError(t, err, body)
		found, _ := twins(parsed.Decls[0].(*ast.FuncDecl))
		assert.Len(t, found, want, body)
	}
}
