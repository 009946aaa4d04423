package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shown are the commands that a page shows: its lines that are indented by four spaces and begin with "likely", without the
// comment that may follow.
func shown(t *testing.T, page string) [][]string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var commands [][]string
	for line := range strings.Lines(string(text)) {
		if command, ok := strings.CutPrefix(line, "    likely "); ok {
			command, _, _ = strings.Cut(command, " #")
			commands = append(commands, strings.Fields(strings.ReplaceAll(command, "'", ""))) // what is quoted has no spaces
		}
	}
	return commands
}

// runIn runs likely in a folder, on no other data than what is embedded and what is there.
func runIn(t *testing.T, dir string, args ...string) {
	t.Helper()
	program, err := os.Executable() // TestMain makes likely of it where that is its name
	if err != nil {
		t.Fatal(err)
	}
	c := &exec.Cmd{Path: program, Args: append([]string{"likely"}, args...), Dir: dir}
	c.Env = append(os.Environ(), "LIKELY_DATA="+filepath.Join(dir, "none"), "XDG_CACHE_HOME="+filepath.Join(dir, "cache"))
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("likely %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

var picture = regexp.MustCompile(`!\[.*\]\((.*)\)`)

// The commands of each page about a model work, in their order, and make the picture that the page shows.
func TestModelPages(t *testing.T) {
	pages, err := filepath.Glob("../../docs/models/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages (%v)", err)
	}
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			dir := t.TempDir()
			for _, command := range shown(t, page) {
				runIn(t, dir, command...)
			}
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), "\n"); n > 60 {
				t.Errorf("%d lines, expected at most 60", n)
			}
			for _, m := range picture.FindAllStringSubmatch(string(text), -1) {
				info, err := os.Stat(filepath.Join(filepath.Dir(page), m[1]))
				if err != nil {
					t.Error(err)
				} else if info.Size() > 60_000 {
					t.Errorf("%s has %d bytes, expected at most 60,000", m[1], info.Size())
				}
				if _, err := os.Stat(filepath.Join(dir, m[1])); err != nil {
					t.Errorf("no command of the page makes its picture: %v", err)
				}
			}
		})
	}
}

// The commands of the page about divergences work, in their order.
func TestDivergencePage(t *testing.T) {
	dir := t.TempDir()
	commands := shown(t, "../../docs/divergence.md")
	for _, command := range commands {
		runIn(t, dir, command...)
	}
	if len(commands) != 6 {
		t.Errorf("found %d commands, expected 6", len(commands))
	}
}

// The commands of the page about privacy work, in their order.
func TestPrivacyPage(t *testing.T) {
	dir := t.TempDir()
	commands := shown(t, "../../docs/privacy.md")
	for _, command := range commands {
		runIn(t, dir, command...)
	}
	if len(commands) < 6 {
		t.Errorf("found %d commands, expected at least 6", len(commands))
	}
	for _, name := range []string{"closest.png", "copies.png"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// The commands of the page on augmentation work, in their order, on a folder of pictures named photos and a table.
func TestAugmentationPage(t *testing.T) {
	dir := t.TempDir()
	runIn(t, dir, "fit", "gaussian", "digits", "--out", "digits.safetensors")
	runIn(t, dir, "sample", "digits.safetensors", "--class", "all", "-n", "100", "--out", "photos")
	table := "petal,sepal,kind\n"
	for i := range 40 {
		table += []string{"1.5,5.25,rose\n", "3.25,3.5,tulip\n", "2.5,5.75,rose\n", "3.75,4.5,tulip\n"}[i%4]
	}
	if err := os.WriteFile(filepath.Join(dir, "rows.csv"), []byte(table), 0o666); err != nil {
		t.Fatal(err)
	}
	commands := shown(t, "../../docs/augmentation.md")
	for _, command := range commands {
		runIn(t, dir, command...)
	}
	if len(commands) != 9 {
		t.Errorf("found %d commands, expected 9", len(commands))
	}
	if _, err := os.Stat(filepath.Join(dir, "study", "curves.png")); err != nil {
		t.Error(err)
	}
}
