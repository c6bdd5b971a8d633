// Reads a log from a folder with the Go team's own library and checks all it says.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(path string) []byte {
	data, err := os.ReadFile(filepath.Join(os.Args[1], path))
	must(err)
	return data
}

// address turns tile/8/L/N into tile/L/N, and data tiles into entry bundles.
func address(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), "tile/8/")
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

type folder struct{}

func (folder) Height() int { return 8 }

func (folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		found[i] = read(address(tile))
	}
	return found, nil
}

func (folder) SaveTiles([]tlog.Tile, [][]byte) {}

func main() {
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read("vkey"))))
	must(err)
	opened, err := note.Open(read("checkpoint"), note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, folder{})

	var entries [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := size - n*256
		if width > 256 {
			width = 256
		}
		bundle := read(address(tlog.Tile{H: 8, L: -1, N: n, W: int(width)}))
		for len(bundle) > 0 {
			long := int(bundle[0])<<8 | int(bundle[1])
			entries = append(entries, bundle[2:2+long])
			bundle = bundle[2+long:]
		}
	}
	for i, entry := range entries {
		proof, err := tlog.ProveRecord(size, int64(i), reader)
		must(err)
		must(tlog.CheckRecord(proof, size, root, int64(i), tlog.RecordHash(entry)))
	}
	for old := int64(1); old < size; old++ {
		older, err := tlog.TreeHash(old, reader)
		must(err)
		proof, err := tlog.ProveTree(size, old, reader)
		must(err)
		must(tlog.CheckTree(proof, size, root, old, older))
	}
	fmt.Printf("%d entries, %d inclusions, %d consistencies\n", len(entries), len(entries), size-1)
}
