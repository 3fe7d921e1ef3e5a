#!/bin/sh
# Unpacks each message of a directory: unpack.sh ripmime|munpack MESSAGES OUT makes OUT/MESSAGE/…
set -eu
program=$1 messages=$2 out=$3
for m in "$messages"/*; do
	into=$out/${m##*/}
	mkdir -p "$into"
	case $program in
	ripmime) timeout 10 ripmime -i "$m" -d "$into" --overwrite --no-ole >/dev/null 2>&1 || true ;;
	munpack) timeout 10 munpack -q -f -t -C "$into" <"$m" >/dev/null 2>&1 || true ;;
	esac
done
