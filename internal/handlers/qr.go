package handlers

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// QRCode is a code as one path of an SVG, a unit per module, with the quiet zone that a camera needs. The page draws it
// black on white in dark mode too: not every camera reads it the other way round.
type QRCode struct {
	Size int // of the square, quiet zone included
	Path string
}

// quietZone is what the standard asks for on each side, in modules.
const quietZone = 4

// qrOf draws a text. The least redundant level has the largest modules, and a screen has no scratches.
func qrOf(text string) (QRCode, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return QRCode{}, fmt.Errorf("handlers: drawing the code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			if !code.Black(x, y) {
				continue
			}
			begin := x
			for x+1 < code.Size && code.Black(x+1, y) {
				x++
			}
			run := x - begin + 1
			_, _ = fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", begin+quietZone, y+quietZone, run, run) // a Builder never fails
		}
	}
	return QRCode{Size: code.Size + 2*quietZone, Path: path.String()}, nil
}
