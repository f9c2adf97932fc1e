package words

import "testing"

func TestCount(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       int
	}{{"two", "one two", 2}, {"none", "", 0}} {
		t.Run(c.name, func(t *testing.T) {
			if got := Count(c.text); got != c.want {
				t.Errorf("Count(%q) = %d, want %d", c.text, got, c.want)
			}
		})
	}
}

func TestLongest(t *testing.T) {
	if got := Longest("a fine day"); got != "fine" {
		t.Errorf("got %q", got)
	}
}
