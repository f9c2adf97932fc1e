#!/bin/sh
# Draws all icons anew: `icons/make.sh`. Needs rsvg-convert (librsvg2-bin) and, for icon.ico, convert (imagemagick).
# Their results are committed; `cargo test -p loopwright-desktop-tests --test icons` holds them to the rule of the tray:
# any two states are told apart at 16 pixels, in black alone.
set -eu
cd "$(dirname "$0")"
mkdir -p tray
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The loop: a ring with a gap, and an arrow head that closes it. 22 × 22.
ring='<path d="M 17.2 6.6 A 7.6 7.6 0 1 0 18.6 11" fill="none" stroke="#000" stroke-width="1.8"/>
  <path d="M 20.4 7.8 L 14.6 8.4 L 18.3 3.2 Z"/>'

# A numeral out of cells of 3 × 5, to be cut out of the badge.
cells() {
    case $1 in
        1) echo "010 110 010 010 111" ;; 2) echo "111 001 111 100 111" ;; 3) echo "111 001 111 001 111" ;;
        4) echo "101 101 111 001 001" ;; 5) echo "111 100 111 001 111" ;; 6) echo "111 100 111 101 111" ;;
        7) echo "111 001 010 010 010" ;; 8) echo "111 101 111 101 111" ;; 9) echo "111 101 111 001 111" ;;
        more) echo "000 010 111 010 000" ;;
    esac
}

numeral() {
    y=0
    for row in $(cells "$1"); do
        x=0
        for cell in $(echo "$row" | sed 's/./& /g'); do
            if [ "$cell" = 1 ]; then
                awk -v x="$x" -v y="$y" 'BEGIN {
                    printf "<rect x=\"%.2f\" y=\"%.2f\" width=\"1.52\" height=\"1.52\" fill=\"#000\"/>",
                        13.25 + x * 1.5, 11.75 + y * 1.5 }'
            fi
            x=$((x + 1))
        done
        y=$((y + 1))
    done
}

# The glyph of a state, in black.
glyph() {
    case $1 in
        idle) echo "$ring" ;;
        running) echo "$ring <circle cx=\"11\" cy=\"11\" r=\"4.3\"/>" ;;
        needs-*)
            echo "<mask id=\"ring\"><rect width=\"22\" height=\"22\" fill=\"#fff\"/><circle cx=\"15.5\" cy=\"15.5\" r=\"7.3\" fill=\"#000\"/></mask>
                <mask id=\"badge\"><rect width=\"22\" height=\"22\" fill=\"#fff\"/>$(numeral "${1#needs-}")</mask>
                <g mask=\"url(#ring)\">$ring</g>
                <circle cx=\"15.5\" cy=\"15.5\" r=\"6.2\" mask=\"url(#badge)\"/>" ;;
        halted)
            echo "<mask id=\"bar\"><rect width=\"22\" height=\"22\" fill=\"#fff\"/><rect x=\"5.5\" y=\"9.3\" width=\"11\" height=\"3.4\" fill=\"#000\"/></mask>
                <path mask=\"url(#bar)\" d=\"M 7 1.4 H 15 L 20.6 7 V 15 L 15 20.6 H 7 L 1.4 15 V 7 Z\"/>" ;;
        degraded)
            echo "<mask id=\"ring\"><rect width=\"22\" height=\"22\" fill=\"#fff\"/>
                  <path d=\"M 15 -3 L 24 13 H 6 Z\" fill=\"#000\"/><rect x=\"0\" y=\"13.5\" width=\"9\" height=\"3.4\" fill=\"#000\" transform=\"rotate(-35 5 15)\"/></mask>
                <mask id=\"call\"><rect width=\"22\" height=\"22\" fill=\"#fff\"/>
                  <rect x=\"14.3\" y=\"4.4\" width=\"1.6\" height=\"3.6\" fill=\"#000\"/><rect x=\"14.3\" y=\"8.8\" width=\"1.6\" height=\"1.6\" fill=\"#000\"/></mask>
                <g mask=\"url(#ring)\"><circle cx=\"11\" cy=\"11\" r=\"7.6\" fill=\"none\" stroke=\"#000\" stroke-width=\"1.8\"/></g>
                <path mask=\"url(#call)\" d=\"M 15.1 0.6 L 21.6 11.9 H 8.6 Z\"/>" ;;
    esac
}

# In one colour; `outlined` is light with a charcoal line around it, for panels of either kind.
svg() {
    case $2 in
        dark) colour='#1B1F24' outline='' edge='' ;;
        light) colour='#F6F7F8' outline='' edge='' ;;
        outlined)
            colour='#F6F7F8'
            outline='<feMorphology in="SourceAlpha" operator="dilate" radius="0.9" result="wide"/><feFlood flood-color="#1B1F24"/>
              <feComposite in2="wide" operator="in" result="edge"/>'
            edge='<feMergeNode in="edge"/>' ;;
    esac
    cat <<SVG
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 22 22" width="22" height="22">
<defs><filter id="ink" x="0" y="0" width="22" height="22" filterUnits="userSpaceOnUse">$outline
  <feFlood flood-color="$colour"/><feComposite in2="SourceAlpha" operator="in" result="ink"/>
  <feMerge>$edge<feMergeNode in="ink"/></feMerge></filter></defs>
<g filter="url(#ink)">$(glyph "$1")</g>
</svg>
SVG
}

states="idle running halted degraded needs-1 needs-2 needs-3 needs-4 needs-5 needs-6 needs-7 needs-8 needs-9 needs-more"
for state in $states; do
    for variant in dark light outlined; do
        svg "$state" "$variant" >"$work/icon.svg"
        for size in 22 44; do
            rsvg-convert --width "$size" --height "$size" --output "tray/$state-$variant-$size.png" "$work/icon.svg"
        done
    done
done

for size in 32 128 256; do
    rsvg-convert --width "$size" --height "$size" --output "app-$size.png" app.svg
done
if command -v convert >/dev/null; then
    convert app-256.png -define icon:auto-resize=256,128,64,48,32,16 icon.ico
fi
