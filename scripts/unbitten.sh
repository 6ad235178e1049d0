#!/bin/sh
# Takes the comparison of one Then away at a time, in a build of its own, and asks whether make bite notices. Each argument is a text
# that the expression of one phrase begins with, without ^; without arguments ten are taken.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sed 's|^func (p \*Phrases) Then(expr, do any) {.*|func (p *Phrases) Then(expr, do any) {\
	if taken := os.Getenv("TAKEN_AWAY"); taken != "" \&\& strings.HasPrefix(fmt.Sprint(expr), "^"+taken) {\
		kind := reflect.TypeOf(do)\
		do = reflect.MakeFunc(kind, func([]reflect.Value) []reflect.Value { return []reflect.Value{reflect.Zero(kind.Out(0))} }).Interface()\
	}\
	p.add("Then", Binder.Then, expr, do)\
}|; s|^	"fmt"|	"fmt"\
	"os"\
	"strings"|' steps/phrase.go > "$dir/phrase.go"
printf '{"Replace":{"%s":"%s"}}' "$PWD/steps/phrase.go" "$dir/phrase.go" > "$dir/overlay.json"
go test -c -overlay "$dir/overlay.json" -o "$dir/bite" ./conformance
[ $# -gt 0 ] || set -- 'the verdict is' 'the verdict on' 'the listing is' 'the API refuses with' 'nothing at all has changed' 'the used endpoint is' \
	'the answer (is fresh' 'every call was treated alike' 'the gateway was asked (for' 'the proxy has not warned'
cd conformance
unseen=0
for taken; do
	# The sabotages under which a sentence of that phrase decides.
	names=$(TAKEN=$taken awk 'BEGIN { split(ENVIRON["TAKEN"], part, "("); text = part[1] } /^[a-z]/ { name = $1 } index($0, "  " text) == 1 { print name }' \
		testdata/bite.golden | sort -u | head -3 | paste -s -d '|' -)
	if [ -z "$names" ]; then
		echo "DECIDES NOTHING  $taken"
		unseen=1
	elif TAKEN_AWAY=$taken "$dir/bite" -test.run 'TestBite$' -bite listed -sabotages "^($names)\$" > "$dir/out" 2>&1; then
		echo "UNSEEN  $taken  ($names)"
		unseen=1
	else
		echo "seen    $taken  ($(grep -c 'does not fail as it did' "$dir/out") scenarios, $names)"
	fi
done
exit $unseen
